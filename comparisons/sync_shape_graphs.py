"""Synthetic graphs of plain functions, run by `invoke`: those that threads can overlap, and fan-outs.

Always true: every node only blocks, by the function it was built with, and writes constants or what it reads; and the
nodes, edges and lengths of a graph that has a twin in `shape_graphs.py` are that one's.
"""

from __future__ import annotations

import heapq
import itertools
import operator
import os
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from alto_lg.comparisons import streaming_shapes
from alto_lg.comparisons.shape_graphs import (
    CHAIN_NODES,
    HOPS,
    ITEMS,
    Builder,
    ChainState,
    CountState,
    ItemsState,
    JoinState,
    Packet,
    Shape,
    SiblingState,
    hop_times_s,
    streamed_shape,
)

BlockingSleep = Callable[[float], object]

NODES_AT_ONCE_DEFAULT = 256
"""Of an accelerated run whose caller sets no `max_concurrency`."""


def slow_sibling(sleep: BlockingSleep) -> Builder:
    """`fast 0.1 → after_fast 0.1` beside `slow 1.2`."""

    def fast(state: SiblingState) -> dict[str, Any]:
        sleep(0.1)
        return {"fast": "done", "log": ["fast"]}

    def after_fast(state: SiblingState) -> dict[str, Any]:
        sleep(0.1)
        return {"after_fast": state["fast"], "log": ["after_fast"]}

    def slow(state: SiblingState) -> dict[str, Any]:
        sleep(1.2)
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


def uneven_join(sleep: BlockingSleep) -> Builder:
    """`A → {B 0.5, C 0.2 → D 0.2} → join E`; A and E take no time."""

    def node_a(state: JoinState) -> dict[str, Any]:
        return {"start": "a", "log": ["a"]}

    def node_b(state: JoinState) -> dict[str, Any]:
        sleep(0.5)
        return {"b": state["start"], "log": ["b"]}

    def node_c(state: JoinState) -> dict[str, Any]:
        sleep(0.2)
        return {"c": state["start"], "log": ["c"]}

    def node_d(state: JoinState) -> dict[str, Any]:
        sleep(0.2)
        return {"d": state["c"], "log": ["d"]}

    def node_e(state: JoinState) -> dict[str, Any]:
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


def send_chain(sleep: BlockingSleep) -> Builder:
    """Each item goes through three nodes by `Send`; every hop of every item has its own length."""

    def fan_out(state: ItemsState) -> Command[Literal["first"]]:
        items = enumerate(state["hops_s"])
        return Command(goto=[Send("first", {"item": item, "hops_s": hops}) for item, hops in items])

    def first(state: Packet) -> Command[Literal["second"]]:
        sleep(state["hops_s"][0])
        return Command(goto=Send("second", {"item": state["item"], "hops_s": state["hops_s"]}))

    def second(state: Packet) -> Command[Literal["third"]]:
        sleep(state["hops_s"][1])
        return Command(goto=Send("third", {"item": state["item"], "hops_s": state["hops_s"]}))

    def third(state: Packet) -> dict[str, Any]:
        sleep(state["hops_s"][2])
        return {"results": [state["item"]]}

    builder: Builder = StateGraph(ItemsState)
    builder.add_node("fan_out", fan_out)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_node("third", third)
    builder.add_edge(START, "fan_out")
    builder.add_edge("third", END)
    return builder


def needless_chain(sleep: BlockingSleep) -> Builder:
    """`a → b → c` of 0.2 s each: c reads what a and b write, b reads nothing that a writes."""

    def node_a(state: ChainState) -> dict[str, Any]:
        sleep(0.2)
        return {"a": state["question"]}

    def node_b(state: ChainState) -> dict[str, Any]:
        sleep(0.2)
        return {"b": state["question"]}

    def node_c(state: ChainState) -> dict[str, Any]:
        sleep(0.2)
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


class PiecesState(TypedDict):
    """Of the fan-out: how long each piece of work takes, and which were done."""

    lengths_s: list[float]
    results: Annotated[list[int], operator.add]


class Piece(TypedDict):
    """One piece of work."""

    item: int
    length_s: float


def one_fan_out(sleep: BlockingSleep) -> Builder:
    """One step of as many `Send`s as the input asks for: nothing can start early, so only the width counts."""

    def split(state: PiecesState) -> Command[Literal["work"]]:
        pieces = enumerate(state["lengths_s"])
        return Command(goto=[Send("work", {"item": item, "length_s": length_s}) for item, length_s in pieces])

    def work(state: Piece) -> dict[str, Any]:
        sleep(state["length_s"])
        return {"results": [state["item"]]}

    builder: Builder = StateGraph(PiecesState)
    builder.add_node("split", split)
    builder.add_node("work", work)
    builder.add_edge(START, "split")
    builder.add_edge("work", END)
    return builder


def long_chain(sleep: BlockingSleep) -> Builder:
    """A hundred nodes in a row that only count: nothing to overlap, so only cost shows."""

    def step(state: CountState) -> dict[str, Any]:
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


def pool_threads() -> int:
    """Threads that LangGraph 1.2.22 runs the nodes of a step on: the default of Python's `ThreadPoolExecutor`."""
    usable: Callable[[], int | None] = getattr(os, "process_cpu_count", os.cpu_count)  # since Python 3.13
    return min(32, (usable() or 1) + 4)


def step_s(lengths_s: Sequence[float], threads: int) -> float:
    """How long one step takes whose nodes start in order, each as soon as a thread is free."""
    free_at_s = [0.0] * threads
    for length_s in lengths_s:
        heapq.heapreplace(free_at_s, free_at_s[0] + length_s)
    return max(free_at_s)


def fan_out_shape(width: int, length_s: float) -> Shape:
    """So many packets of one length, all sent at once."""
    lengths_s = [length_s] * width
    return Shape(
        f"fan-out of {width:,} x {length_s:g} s",
        one_fan_out,
        {"lengths_s": lengths_s},
        limit_s=length_s,
        supersteps_s=step_s(lengths_s, pool_threads()),
    )


SYNC_LONG_CHAIN = Shape(f"chain of {CHAIN_NODES} nodes that do nothing", long_chain, {"count": 0}, 0.0, 0.0)


def sync_shapes(seed: int) -> tuple[Shape, ...]:
    """The shapes whose time is compared with their longest path."""
    hops = hop_times_s(mean=0.2, variation=0.5, seed=seed)
    threads = pool_threads()
    return (
        Shape("slow sibling: fast 0.1 → after_fast 0.1, slow 1.2", slow_sibling, {"log": []}, 1.2, 1.3),
        Shape("join: A → {B 0.5, C 0.2 → D 0.2} → E", uneven_join, {"log": []}, 0.5, 0.7),
        Shape(
            f"{ITEMS} items, {HOPS} hops by Send",
            send_chain,
            {"hops_s": hops},
            limit_s=max(map(sum, hops)),
            supersteps_s=sum(step_s(step, threads) for step in zip(*hops, strict=True)),
        ),
        Shape("chain a → b → c, overlap=chains", needless_chain, {"question": "?"}, 0.4, 0.6, {"overlap": "chains"}),
        fan_out_shape(21, 0.2),
        fan_out_shape(200, 0.1),
        streamed_shape(
            streaming_shapes.sync_streamed_items,
            streaming_shapes.ITEMS * streaming_shapes.EVERY_S
            + step_s([streaming_shapes.WORK_S] * streaming_shapes.ITEMS, threads),
        ),
    )
