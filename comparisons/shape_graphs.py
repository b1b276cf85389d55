"""Synthetic graphs whose longest true dependency path is known, each with its input and that path's length.

Always true: every node only sleeps, by the function it was built with, and writes constants or what it reads;
so the time of a run is the time of its order of execution. Times are tenths of the seconds that users reported.
"""

from __future__ import annotations

import itertools
import math
import operator
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from alto_lg.comparisons import streaming_shapes

Sleep = Callable[[float], Awaitable[Any]]
Builder = StateGraph[Any, Any, Any, Any]

CHAIN_NODES = 100
ITEMS = 20
HOPS = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """One graph to time.

    limit_s: length of the longest path under true data dependencies; 0 where the nodes do nothing that lasts.
    supersteps_s: the sum over steps of the longest node of each, which is what LangGraph takes.
    options: for `accelerate`.
    first_node: the node whose first update is the first result; None where only the end counts.
    first_limit_s: length of the longest path to that.
    """

    name: str
    build: Callable[[Sleep], Builder]
    given: Mapping[str, Any]
    limit_s: float
    supersteps_s: float
    options: Mapping[str, Any] = field(default_factory=dict)
    first_node: str | None = None
    first_limit_s: float = 0.0


class SiblingState(TypedDict):
    """Of the graph with an unrelated slow sibling."""

    fast: str
    after_fast: str
    slow: str
    log: Annotated[list[str], operator.add]


def slow_sibling(sleep: Sleep) -> Builder:
    """`fast 0.1 → after_fast 0.1` beside `slow 1.2`."""

    async def fast(state: SiblingState) -> dict[str, Any]:
        await sleep(0.1)
        return {"fast": "done", "log": ["fast"]}

    async def after_fast(state: SiblingState) -> dict[str, Any]:
        await sleep(0.1)
        return {"after_fast": state["fast"], "log": ["after_fast"]}

    async def slow(state: SiblingState) -> dict[str, Any]:
        await sleep(1.2)
        return {"slow": "done", "log": ["slow"]}

    builder: Builder = StateGraph(SiblingState)
    builder.add_node("fast", fast)
    builder.add_node("after_fast", after_fast)
    builder.add_node("slow", slow)
    builder.add_edge(START, "fast")
    builder.add_edge(START, "slow")
    builder.add_edge("fast", "after_fast")
    builder.add_edge("after_fast", END)
    builder.add_edge("slow", END)
    return builder


class JoinState(TypedDict):
    """Of the graph with two branches of unequal length and a join."""

    start: str
    b: str
    c: str
    d: str
    e: str
    log: Annotated[list[str], operator.add]


def uneven_join(sleep: Sleep) -> Builder:
    """`A → {B 0.5, C 0.2 → D 0.2} → join E`; A and E take no time."""

    async def node_a(state: JoinState) -> dict[str, Any]:
        return {"start": "a", "log": ["a"]}

    async def node_b(state: JoinState) -> dict[str, Any]:
        await sleep(0.5)
        return {"b": state["start"], "log": ["b"]}

    async def node_c(state: JoinState) -> dict[str, Any]:
        await sleep(0.2)
        return {"c": state["start"], "log": ["c"]}

    async def node_d(state: JoinState) -> dict[str, Any]:
        await sleep(0.2)
        return {"d": state["c"], "log": ["d"]}

    async def node_e(state: JoinState) -> dict[str, Any]:
        return {"e": state["b"] + state["d"], "log": ["e"]}

    builder: Builder = StateGraph(JoinState)
    builder.add_node("a", node_a)
    builder.add_node("b", node_b)
    builder.add_node("c", node_c)
    builder.add_node("d", node_d)
    builder.add_node("e", node_e)
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    builder.add_edge("a", "c")
    builder.add_edge("c", "d")
    builder.add_edge(["b", "d"], "e")
    builder.add_edge("e", END)
    return builder


class BranchState(TypedDict):
    """Of the graph with two branches and no join."""

    start: str
    b: str
    c: str
    d: str
    log: Annotated[list[str], operator.add]


def uneven_branches(sleep: Sleep) -> Builder:
    """`a → b 0.1 → d 0.5` beside `a → c 0.5`, with no join; a takes no time."""

    async def node_a(state: BranchState) -> dict[str, Any]:
        return {"start": "a", "log": ["a"]}

    async def node_b(state: BranchState) -> dict[str, Any]:
        await sleep(0.1)
        return {"b": state["start"], "log": ["b"]}

    async def node_c(state: BranchState) -> dict[str, Any]:
        await sleep(0.5)
        return {"c": state["start"], "log": ["c"]}

    async def node_d(state: BranchState) -> dict[str, Any]:
        await sleep(0.5)
        return {"d": state["b"], "log": ["d"]}

    builder: Builder = StateGraph(BranchState)
    builder.add_node("a", node_a)
    builder.add_node("b", node_b)
    builder.add_node("c", node_c)
    builder.add_node("d", node_d)
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    builder.add_edge("a", "c")
    builder.add_edge("b", "d")
    builder.add_edge("d", END)
    builder.add_edge("c", END)
    return builder


class ItemsState(TypedDict):
    """Of the chain of Sends."""

    hops_s: list[list[float]]
    results: Annotated[list[int], operator.add]


class Packet(TypedDict):
    """What one item carries from hop to hop."""

    item: int
    hops_s: list[float]


def send_chain(sleep: Sleep) -> Builder:
    """Each item goes through three nodes by `Send`; every hop of every item has its own length."""

    async def fan_out(state: ItemsState) -> Command[Literal["first"]]:
        items = enumerate(state["hops_s"])
        return Command(goto=[Send("first", {"item": item, "hops_s": hops}) for item, hops in items])

    async def first(state: Packet) -> Command[Literal["second"]]:
        await sleep(state["hops_s"][0])
        return Command(goto=Send("second", {"item": state["item"], "hops_s": state["hops_s"]}))

    async def second(state: Packet) -> Command[Literal["third"]]:
        await sleep(state["hops_s"][1])
        return Command(goto=Send("third", {"item": state["item"], "hops_s": state["hops_s"]}))

    async def third(state: Packet) -> dict[str, Any]:
        await sleep(state["hops_s"][2])
        return {"results": [state["item"]]}

    builder: Builder = StateGraph(ItemsState)
    builder.add_node("fan_out", fan_out)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_node("third", third)
    builder.add_edge(START, "fan_out")
    builder.add_edge("third", END)
    return builder


def hop_times_s(*, mean: float, variation: float, seed: int) -> list[list[float]]:
    """Lognormal times with the given mean and coefficient of variation, one row an item."""
    sigma = math.sqrt(math.log(1 + variation**2))
    mu = math.log(mean) - sigma**2 / 2
    source = random.Random(seed)
    return [[source.lognormvariate(mu, sigma) for _ in range(HOPS)] for _ in range(ITEMS)]


class ChainState(TypedDict):
    """Of the chain of three, the second of which does not need the first."""

    question: str
    a: str
    b: str
    c: str


def needless_chain(sleep: Sleep) -> Builder:
    """`a → b → c` of 0.2 s each: c reads what a and b write, b reads nothing that a writes."""

    async def node_a(state: ChainState) -> dict[str, Any]:
        await sleep(0.2)
        return {"a": state["question"]}

    async def node_b(state: ChainState) -> dict[str, Any]:
        await sleep(0.2)
        return {"b": state["question"]}

    async def node_c(state: ChainState) -> dict[str, Any]:
        await sleep(0.2)
        return {"c": state["a"] + state["b"]}

    builder: Builder = StateGraph(ChainState)
    builder.add_node("a", node_a)
    builder.add_node("b", node_b)
    builder.add_node("c", node_c)
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    builder.add_edge("b", "c")
    builder.add_edge("c", END)
    return builder


class CountState(TypedDict):
    """Of the long chain."""

    count: int


def long_chain(sleep: Sleep) -> Builder:
    """A hundred nodes in a row that only count: nothing to overlap, so only cost shows."""

    async def step(state: CountState) -> dict[str, Any]:
        return {"count": state["count"] + 1}

    names = [f"step_{position}" for position in range(CHAIN_NODES)]
    builder: Builder = StateGraph(CountState)
    for name in names:
        builder.add_node(name, step)
    builder.add_edge(START, names[0])
    for before, after in itertools.pairwise(names):
        builder.add_edge(before, after)
    builder.add_edge(names[-1], END)
    return builder


LONG_CHAIN = Shape(f"chain of {CHAIN_NODES} nodes that do nothing", long_chain, {"count": 0}, 0.0, 0.0)


def timed_shapes(seed: int) -> tuple[Shape, ...]:
    """The shapes whose time is compared with their longest path."""
    hops = hop_times_s(mean=0.2, variation=0.5, seed=seed)
    question = {"question": "?"}
    return (
        Shape("slow sibling: fast 0.1 → after_fast 0.1, slow 1.2", slow_sibling, {"log": []}, 1.2, 1.3),
        Shape("join: A → {B 0.5, C 0.2 → D 0.2} → E", uneven_join, {"log": []}, 0.5, 0.7),
        Shape("no join: a → b 0.1 → d 0.5, a → c 0.5", uneven_branches, {"log": []}, 0.6, 1.0),
        Shape(
            f"{ITEMS} items, {HOPS} hops by Send",
            send_chain,
            {"hops_s": hops},
            limit_s=max(map(sum, hops)),
            supersteps_s=sum(map(max, zip(*hops, strict=True))),
        ),
        Shape("chain a → b → c, overlap=chains", needless_chain, question, 0.4, 0.6, {"overlap": "chains"}),
        Shape("chain a → b → c, default", needless_chain, question, 0.6, 0.6),
        streamed_shape(streaming_shapes.streamed_items, streaming_shapes.LIMIT_S),
    )


def streamed_shape(build: Callable[[Any], Builder], supersteps_s: float) -> Shape:
    """The node that gives out ten items over a second; LangGraph works on them when the last one is there."""
    return Shape(
        f"{streaming_shapes.ITEMS} items over 1 s, 1 s each, streamed",
        build,
        {},
        limit_s=streaming_shapes.LIMIT_S,
        supersteps_s=supersteps_s,
        options={"events": "eager"},
        first_node=streaming_shapes.WORK,
        first_limit_s=streaming_shapes.FIRST_LIMIT_S,
    )
