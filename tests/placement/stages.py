"""Graphs whose node `n` is placed; its functions are importable, as a user's are."""

from __future__ import annotations

import asyncio
import logging
import operator
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_store, get_stream_writer
from langgraph.func import task
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt

import alto_lg

logger = logging.getLogger(__name__)


class State(TypedDict, total=False):
    x: Annotated[list[Any], operator.add]
    k: int
    unread: Any
    file: str


@dataclass
class Context:
    user: str
    client: Any = None


class Boom(Exception):
    pass


class Odd(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} {other}")


def graph(node: Any, **compiled: Any) -> Any:
    """START → n."""
    builder = StateGraph(State, context_schema=Context)
    builder.add_node("n", node)
    builder.add_edge(START, "n")
    return builder.compile(**compiled)


def plain(state: State) -> dict[str, Any]:
    return {"x": [state["k"]]}


async def coroutine(state: State) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"x": [state["k"] + 1]}


def adding(number: int) -> Any:
    def closure(state: State) -> dict[str, Any]:
        return {"x": [state["k"] + number]}

    return closure


def command(state: State) -> Any:
    return Command(update={"x": ["command"]}, goto=[])


def boom(state: State) -> Any:
    raise Boom("bad", 3)


def odd(state: State) -> Any:
    raise Odd(1, 2)


def process(state: State) -> dict[str, Any]:
    return {"x": [os.getpid()]}


def thread(state: State) -> dict[str, Any]:
    return {"x": [threading.current_thread().name]}


def says(state: State) -> dict[str, Any]:
    write = get_stream_writer()
    write({"one": 1})
    write("two")
    return {"x": ["said"]}


def knows(state: State, config: RunnableConfig, runtime: Runtime[Context]) -> dict[str, Any]:
    configurable = config["configurable"]
    return {
        "x": [configurable["a"], config["metadata"]["langgraph_node"], config.get("tags"), runtime.context.user],
    }


def where(state: State) -> dict[str, Any]:
    return {"x": [str(alto_lg.current_ancestry())]}


def uses_client(state: State, config: RunnableConfig) -> dict[str, Any]:
    return {"x": [config["configurable"]["client"].acquire()]}


def uses_store(state: State) -> dict[str, Any]:
    return {"x": [get_store().get(("a",), "b")]}


def pauses(state: State) -> dict[str, Any]:
    return {"x": [interrupt("why?")]}


@task
def a_task() -> int:
    return 1


def uses_task(state: State) -> dict[str, Any]:
    return {"x": [a_task().result()]}


def changes(state: State) -> dict[str, Any]:
    state["x"].append(1)
    return {"k": 2}


def logs(state: State) -> dict[str, Any]:
    logger.info("of %s", sorted(state.keys()))
    return {"x": [state["k"]]}


def gives_lock(state: State) -> dict[str, Any]:
    return {"x": [threading.Lock()]}


@alto_lg.streaming
async def counts(state: State) -> Any:
    for number in range(5):
        yield {"x": [number]}


@alto_lg.streaming
def counts_plainly(state: State) -> Any:
    write = get_stream_writer()
    for number in range(5):
        write(number)
        yield {"x": [number]}


@alto_lg.streaming
async def counts_and_fails(state: State) -> Any:
    yield {"x": [0]}
    raise Boom("after one")


async def waits_for_ever(state: State) -> Any:
    mark(state, "began")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        mark(state, "cancelled")
        raise


def dies(state: State) -> Any:
    mark(state, "began")
    os._exit(3)


def dies_once(state: State) -> Any:
    mark(state, "began")
    if marks(state["file"]) == ["began"]:
        os._exit(3)
    return {"x": ["survived"]}


@alto_lg.streaming
async def streams_and_dies_once(state: State) -> Any:
    mark(state, "began")
    for number in range(5):
        if number == 3 and marks(state["file"]) == ["began"]:
            await asyncio.sleep(0.5)  # what was yielded has gone out
            os._exit(3)
        yield {"x": [number]}


@alto_lg.streaming
async def streams_what_is_new(state: State) -> Any:
    """Yields something else each time that it runs."""
    mark(state, "began")
    begun = len(marks(state["file"]))
    yield {"x": [begun]}
    if begun == 1:
        await asyncio.sleep(0.5)
        os._exit(3)


def mark(state: State, word: str) -> None:
    """Leave a word where the test finds it; one write, so that words of several processes do not mix."""
    with Path(state["file"]).open("a") as file:
        file.write(word + "\n")


def marks(file: str | Path) -> list[str]:
    path = Path(file)
    return path.read_text().split() if path.exists() else []


def until(file: Path, word: str, timeout_s: float = 60) -> None:
    """Wait for another process to leave a word."""
    deadline = time.monotonic() + timeout_s
    while word not in marks(file):
        assert time.monotonic() < deadline, f"no {word!r} in {marks(file)}"
        time.sleep(0.02)


def fan_out(state: State) -> list[Send]:
    return [Send("n", {"k": number, "x": []}) for number in range(state["k"])]


def many(node: Any) -> Any:
    """START → `Send`s to n, as many as `k` says."""
    builder = StateGraph(State)
    builder.add_node("begin", lambda state: {})
    builder.add_node("n", node)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", fan_out, ["n"])
    return builder.compile()


def inner(node: Any = plain, checkpointer: Any = None) -> Any:
    return graph(node, checkpointer=checkpointer)


def to_parent(state: State) -> Any:
    return Command(graph=Command.PARENT, update={"x": ["up"]}, goto="after")


def leaving() -> Any:
    """A subgraph that leaves for a node of the graph around it."""
    builder = StateGraph(State)
    builder.add_node("n", inner(to_parent))
    builder.add_node("after", plain)
    builder.add_edge(START, "n")
    return builder.compile()


GRAPH = inner()


def invokes_a_graph(state: State) -> Any:
    return GRAPH.invoke({"k": state["k"], "x": []})


def claims(node: Any, **compiled: Any) -> Any:
    """START → begin → a `Send` to claim for each of `k` claims → six `Send`s to n from each claim."""

    builder = StateGraph(State)
    builder.add_node("begin", lambda state: {})
    builder.add_node("claim", lambda packet: {})
    builder.add_node("n", node)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", lambda state: [Send("claim", {}) for _ in range(state["k"])], ["claim"])
    builder.add_conditional_edges("claim", lambda state: [Send("n", {"item": number}) for number in range(6)], ["n"])
    return builder.compile(**compiled)


_kept: dict[Any, list[int]] = {}


def keeps(packet: Any) -> dict[str, Any]:
    """Keeps the items of its claim in the memory of its process, and tells how many it has now."""
    ancestry = alto_lg.current_ancestry()
    assert ancestry is not None
    assert ancestry.parent is not None
    kept = _kept.setdefault(ancestry.parent, [])
    kept.append(packet["item"])
    time.sleep(0.02)
    return {"x": [(str(ancestry.parent), len(kept), os.getpid())]}


def keeps_by_name(packet: Any) -> dict[str, Any]:
    """The same with what `alto_lg.kept` gives."""
    kept = alto_lg.kept(list)
    kept.append(packet["item"])
    time.sleep(0.02)
    ancestry = alto_lg.current_ancestry()
    assert ancestry is not None
    return {"x": [(str(ancestry.parent), len(kept), os.getpid())]}


def keeps_for_runs(packet: Any) -> dict[str, Any]:
    """Tells for how many runs its process keeps anything, this one included."""
    from alto_lg.adapters.langgraph.placed import keeping

    alto_lg.kept(list)
    return {"x": [len(keeping._runs)]}


@alto_lg.streaming
async def keeps_and_streams(packet: Any) -> Any:
    kept = alto_lg.kept(list)
    kept.append(packet["item"])
    yield {"x": [("", len(kept), os.getpid())]}
    kept.append(packet["item"])
    await asyncio.sleep(0.01)
    yield {"x": [("", len(kept), os.getpid())]}


def dies_at(claim: int, item: int, file: str, once: bool = False) -> Any:
    """The same, but one item takes its process along: always, or the first time only."""

    def dies(packet: Any) -> dict[str, Any]:
        ancestry = alto_lg.current_ancestry()
        assert ancestry is not None
        if ancestry.indices() == (claim, item) and not (once and marks(file)):
            mark({"file": file}, "died")
            os._exit(3)
        return keeps(packet)

    return dies


def fails_at(claim: int, item: int, file: str) -> Any:
    """The same, but one item raises the first time."""

    def fails(packet: Any) -> dict[str, Any]:
        ancestry = alto_lg.current_ancestry()
        assert ancestry is not None
        if packet["item"] == item and ancestry.indices()[:1] == (claim,) and not marks(file):
            mark({"file": file}, "failed")
            raise Boom("once")
        return keeps_by_name(packet)

    return fails


class Numbered(TypedDict, total=False):
    x: Annotated[list[str], operator.add]
    counts: Annotated[list[int], operator.add]
    items: list[str]
    file: str


def numbered(node: Any) -> Any:
    """START → a `Send` to n for each of `items`."""
    builder = StateGraph(Numbered)
    builder.add_node("begin", lambda state: {})
    builder.add_node("n", node)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges(
        "begin", lambda state: [Send("n", {"item": item, "file": state["file"]}) for item in state["items"]], ["n"]
    )
    return builder.compile()


def slow_effect(packet: dict[str, str]) -> dict[str, Any]:
    """Says that it began, and in which process."""
    with Path(packet["file"]).open("a") as file:
        file.write(f"{packet['item']}:{os.getpid()}\n")
    time.sleep(0.02)
    return {"x": [packet["item"]]}


def slow_count(packet: dict[str, str]) -> dict[str, Any]:
    """The same, and tells how many items of its group have come before it."""
    kept = alto_lg.kept(list)
    kept.append(packet["item"])
    return {**slow_effect(packet), "counts": [len(kept)]}
