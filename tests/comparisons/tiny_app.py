"""A small application of the same shape as the real ones: fan out, two hops per item, join. No model.

Its sleeps are long enough to make the order of events certain, and no test looks at how long they were.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.spans import span

Compiled = CompiledStateGraph[Any, Any, Any, Any]


class State(TypedDict):
    """The whole request."""

    words: list[str]
    lengths: Annotated[list[tuple[int, int]], operator.add]
    total: int


class Packet(TypedDict):
    """One word."""

    position: int
    word: str


class ItemOutput(TypedDict):
    """What a word's subgraph gives back."""

    lengths: Annotated[list[tuple[int, int]], operator.add]


class ItemState(Packet, ItemOutput):
    """Inside a word's subgraph."""


async def split(state: State) -> Command[Literal["clean"]]:
    """Fan out: one packet a word."""
    with span("split"):
        packets = [Send("clean", {"position": at, "word": word}) for at, word in enumerate(state["words"])]
    return Command(goto=packets)


async def clean(packet: Packet) -> Command[Literal["count"]]:
    """First hop."""
    with span("clean", (packet["position"],)):
        await asyncio.sleep(0.002 * (1 + packet["position"]))
        word = packet["word"].strip()
    return Command(goto=Send("count", {"position": packet["position"], "word": word}))


async def count(packet: Packet) -> dict[str, Any]:
    """Second hop; its update is the first result."""
    with span("count", (packet["position"],)):
        await asyncio.sleep(0.002)
    return {"lengths": [(packet["position"], len(packet["word"]))]}


async def clean_item(state: ItemState) -> dict[str, Any]:
    """First hop, inside the subgraph."""
    with span("clean", (state["position"],)):
        await asyncio.sleep(0.002)
        return {"word": state["word"].strip()}


async def total(state: State) -> dict[str, Any]:
    """Join."""
    with span("total"):
        return {"total": sum(length for _, length in state["lengths"])}


def flat() -> Compiled:
    """A Send for every hop."""
    builder = StateGraph(State)
    builder.add_node("split", split)
    builder.add_node("clean", clean)
    builder.add_node("count", count)
    builder.add_node("total", total)
    builder.add_edge(START, "split")
    builder.add_edge("count", "total")
    builder.add_edge("total", END)
    return builder.compile()


def subgraph() -> Compiled:
    """A subgraph for every word."""
    item = StateGraph(ItemState, output_schema=ItemOutput)
    item.add_node("clean", clean_item)
    item.add_node("count", count)
    item.add_edge(START, "clean")
    item.add_edge("clean", "count")
    item.add_edge("count", END)
    builder = StateGraph(State)
    builder.add_node("word", item.compile())
    builder.add_node("total", total)
    builder.add_conditional_edges(START, send_words, ["word"])
    builder.add_edge("word", "total")
    builder.add_edge("total", END)
    return builder.compile()


def send_words(state: State) -> list[Send]:
    """One packet a word."""
    return [Send("word", {"position": at, "word": word}) for at, word in enumerate(state["words"])]


class ByHand:
    """The same without a graph."""

    async def run(self, given: Mapping[str, Any], told: Callable[[str], None]) -> Mapping[str, Any]:
        with span("split"):
            packets: list[Packet] = [{"position": at, "word": word} for at, word in enumerate(given["words"])]
        found = [length for one in await asyncio.gather(*map(self._word, packets)) for length in one]
        told("count")
        state: State = {"words": given["words"], "lengths": found, "total": 0}
        return {**state, **await total(state)}

    async def _word(self, packet: Packet) -> list[tuple[int, int]]:
        cleaned = await clean_item({**packet, "lengths": []})
        found = await count({"position": packet["position"], "word": cleaned["word"]})
        return list(found["lengths"])


class TinyApplication:
    """Satisfies `alto_lg.apps.base.Application`."""

    name = "tiny"
    versions: tuple[str, ...] = ("flat", "subgraph")
    first_result_node = "count"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        words = [["one ", " two"], ["three", "four", "five"], ["six"], ["seven", " eight "]]
        return [Request(f"request-{at}", {"words": given}) for at, given in enumerate(words)]

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        if items > 5:
            raise ValueError("there are no more than five words")
        return [Request(one.id, {"words": ["one", "two", "three", "four", "five"][:items]}) for one in requests]

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Compiled:
        return {"flat": flat, "subgraph": subgraph}[version]()

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        return ByHand()

    def answer(self, state: Mapping[str, Any]) -> Any:
        return {"lengths": state["lengths"], "total": state["total"]}

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        return {"answered": len(answers) / len(requests)}

    def limit_s(self, spans: Sequence[Span]) -> float:
        of_items: dict[tuple[int, ...], float] = {}
        for one in spans:
            of_items[one.item] = of_items.get(one.item, 0.0) + one.ended - one.started
        return of_items.pop((), 0.0) + max(of_items.values(), default=0.0)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float | None:
        if version != "flat":
            return None
        took: dict[str, float] = {}
        for one in spans:
            took[one.stage] = max(took.get(one.stage, 0.0), one.ended - one.started)
        return sum(took.values())

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        counted = [one.ended - one.started for one in spans if one.stage == "count"]
        return min(counted, default=None)


class DisagreeingApplication(TinyApplication):
    """Its two versions do not give the same answer."""

    name = "disagreeing"

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Compiled:
        if version == "flat":
            return flat()
        builder = StateGraph(State)
        builder.add_node("count", wrong)
        builder.add_edge(START, "count")
        return builder.compile()


async def wrong(state: State) -> dict[str, Any]:
    """Loses everything but the first word."""
    return {"lengths": [(0, 3)], "total": 3}


class FailingApplication(TinyApplication):
    """Its graph raises."""

    name = "failing"
    versions = ("flat",)

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Compiled:
        builder = StateGraph(State)
        builder.add_node("count", broken)
        builder.add_edge(START, "count")
        return builder.compile()


async def broken(state: State) -> dict[str, Any]:
    """Raises, after printing where a worker must not print."""
    print("printed by the node")
    raise ArithmeticError("the node broke")


class WaitingApplication(TinyApplication):
    """Its graph never ends."""

    name = "waiting"
    versions = ("flat",)

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Compiled:
        builder = StateGraph(State)
        builder.add_node("count", wait)
        builder.add_edge(START, "count")
        return builder.compile()


async def wait(state: State) -> dict[str, Any]:
    """Waits for what nobody brings."""
    await asyncio.Event().wait()
    return {}


class BothColours(TinyApplication):
    """Its nodes are plain functions, which run with and without an event loop."""

    name = "both"
    versions = ("flat", "flat-early")
    sync = True

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Compiled:
        builder = StateGraph(State)
        builder.add_node("count", counted_at_once)
        builder.add_edge(START, "count")
        return builder.compile()


def counted_at_once(state: State) -> dict[str, Any]:
    """All words."""
    with span("count"):
        lengths = [(at, len(word.strip())) for at, word in enumerate(state["words"])]
    return {"lengths": lengths, "total": sum(length for _, length in lengths)}


class AskingApplication(TinyApplication):
    """Its graph asks the model about each of two words, and answers with what it was asked."""

    name = "asking"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        return [Request(f"request-{at}", {"words": ["one", "two"]}) for at in range(4)]

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Compiled:
        chat = OpenAIChat(endpoint.base_url, endpoint.model, api_key=endpoint.api_key)

        async def asked(packet: Packet) -> dict[str, Any]:
            messages = [{"role": "user", "content": f"{packet['word']} {_TWELVE_WORDS}."}]
            with span("count", (packet["position"],)):
                text = await chat.complete(messages, max_tokens=100)
            return {"lengths": [(packet["position"], len(text))]}

        builder = StateGraph(State)
        builder.add_node("count", asked)
        builder.add_node("total", total)
        builder.add_conditional_edges(START, lambda state: send_to("count", state), ["count"])
        builder.add_edge("count", "total")
        builder.add_edge("total", END)
        return builder.compile()


_TWELVE_WORDS = "two three four five six seven eight nine ten eleven twelve"


def send_to(node: str, state: State) -> list[Send]:
    """One packet a word."""
    return [Send(node, {"position": at, "word": word}) for at, word in enumerate(state["words"])]


ASKING = AskingApplication()
TINY = TinyApplication()
BOTH = BothColours()
DISAGREEING = DisagreeingApplication()
FAILING = FailingApplication()
WAITING = WaitingApplication()
