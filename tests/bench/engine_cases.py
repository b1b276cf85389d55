"""Engine cases: what one task, one step, one packet, one event costs. No node waits, so only cost can show.

Always true: the graphs are small enough for tens of runs a second, except the widest.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

import alto_lg
from bench.case import Figure
from bench.graph_case import Builder, GraphCase


class CountState(TypedDict):
    """Of the chains."""

    count: int


async def add_one(state: CountState) -> dict[str, Any]:
    return {"count": state["count"] + 1}


def add_one_in_thread(state: CountState) -> dict[str, Any]:
    return {"count": state["count"] + 1}


def chain(node: Callable[..., Any], length: int) -> Builder:
    """So many nodes in a row: each is a step of its own."""
    names = [f"step_{place}" for place in range(length)]
    builder: Builder = StateGraph(CountState)
    for name in names:
        builder.add_node(name, node)
    for before, after in itertools.pairwise([START, *names, END]):
        builder.add_edge(before, after)
    return builder


def loop(rounds: int, node: Callable[..., Any] = add_one) -> Builder:
    """One node that a conditional edge leads back to, so many times."""

    def again(state: CountState) -> str:
        return "node" if state["count"] < rounds else END

    builder: Builder = StateGraph(CountState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    builder.add_conditional_edges("node", again, ["node", END])
    return builder


class ItemsState(TypedDict):
    """Of the fan-outs."""

    items: list[int]
    results: Annotated[list[int], operator.add]
    total: int


class Item(TypedDict):
    """One packet."""

    item: int


def send_each(state: ItemsState) -> list[Send]:
    return [Send("work", {"item": item}) for item in state["items"]]


async def work(packet: Item) -> dict[str, Any]:
    return {"results": [packet["item"] * 2]}


def work_in_thread(packet: Item) -> dict[str, Any]:
    return {"results": [packet["item"] * 2]}


async def add_up(state: ItemsState) -> dict[str, Any]:
    return {"total": sum(state["results"])}


def fan_out(node: Callable[..., Any] = work) -> Builder:
    """A `Send` for each item, no join."""
    builder: Builder = StateGraph(ItemsState)
    builder.add_node("work", node)
    builder.add_conditional_edges(START, send_each, ["work"])
    builder.add_edge("work", END)
    return builder


def fan_out_and_join() -> Builder:
    """A `Send` for each item through two nodes, and a node that reads all results."""

    async def prepare(packet: Item) -> Command[Literal["work"]]:
        return Command(goto=Send("work", packet))

    builder: Builder = StateGraph(ItemsState)
    builder.add_node("prepare", prepare)
    builder.add_node("work", work)
    builder.add_node("add_up", add_up)
    builder.add_conditional_edges(
        START, lambda state: [Send("prepare", {"item": item}) for item in state["items"]], ["prepare"]
    )
    builder.add_edge("work", "add_up")
    builder.add_edge("add_up", END)
    return builder


class BranchesState(TypedDict):
    """Of the branches with a join."""

    results: Annotated[list[str], operator.add]


def branches(count: int) -> Builder:
    """So many branches of two nodes each, and an edge from all their ends to one node."""

    def named(name: str) -> Callable[..., Any]:
        async def node(state: BranchesState) -> dict[str, Any]:
            return {"results": [name]}

        return node

    builder: Builder = StateGraph(BranchesState)
    builder.add_node("join", named("join"))
    for place in range(count):
        first, second = f"first_{place}", f"second_{place}"
        builder.add_node(first, named(first))
        builder.add_node(second, named(second))
        builder.add_edge(START, first)
        builder.add_edge(first, second)
    builder.add_edge([f"second_{place}" for place in range(count)], "join")
    builder.add_edge("join", END)
    return builder


def with_subgraphs() -> Builder:
    """A fan-out to a compiled subgraph of a chain of three."""
    inner = StateGraph(_InnerState, output_schema=_InnerOutput)

    async def double(state: _InnerState) -> dict[str, Any]:
        return {"item": state["item"] * 2}

    async def give(state: _InnerState) -> dict[str, Any]:
        return {"results": [state["item"]]}

    for name, node in (("first", double), ("second", double), ("last", give)):
        inner.add_node(name, node)
    for before, after in itertools.pairwise((START, "first", "second", "last", END)):
        inner.add_edge(before, after)
    builder: Builder = StateGraph(ItemsState)
    builder.add_node("work", inner.compile())
    builder.add_conditional_edges(START, send_each, ["work"])
    builder.add_edge("work", END)
    return builder


class _InnerState(TypedDict):
    item: int
    results: Annotated[list[int], operator.add]


class _InnerOutput(TypedDict):
    results: Annotated[list[int], operator.add]


def streaming(items: int) -> Builder:
    """A node that gives out items one by one, each of which is sent on when it is there."""

    @alto_lg.streaming
    async def write(state: ItemsState) -> Any:
        for item in range(items):
            yield {"items": [item]}

    builder: Builder = StateGraph(_StreamedState)
    builder.add_node("write", write)
    builder.add_node("work", work)
    builder.add_edge(START, "write")
    builder.add_conditional_edges("write", send_each, ["work"])
    builder.add_edge("work", END)
    return builder


class _StreamedState(TypedDict):
    items: Annotated[list[int], operator.add]
    results: Annotated[list[int], operator.add]


class _GroupsState(TypedDict):
    items: list[int]
    found: Annotated[list[dict[str, int]], operator.add]
    totals: Annotated[list[int], operator.add]


def read_in_groups() -> Builder:
    """A fan-out of which each item finds two things, read item by item."""

    async def find(packet: Item) -> dict[str, Any]:
        return {"found": [{"item": packet["item"], "value": value} for value in (1, 2)]}

    @alto_lg.reading(found=alto_lg.PerGroup("find", by="item"))
    async def judge(state: Any) -> dict[str, Any]:
        return {"totals": [sum(one["value"] for one in state["found"])]}

    builder: Builder = StateGraph(_GroupsState)
    builder.add_node("find", find)
    builder.add_node("judge", judge)
    builder.add_conditional_edges(
        START, lambda state: [Send("find", {"item": item}) for item in state["items"]], ["find"]
    )
    builder.add_edge("find", "judge")
    builder.add_edge("judge", END)
    return builder


def _items(count: int) -> dict[str, Any]:
    return {"items": list(range(count)), "results": []}


_WITH_MEMORY: tuple[Figure, ...] = ("cpu", "calls", "memory")
"""Where a run holds so much that small change is less than a hundredth of it."""

ENGINE_CASES = (
    GraphCase("one async node", partial(chain, add_one, 1), {"count": 0}),
    GraphCase("one sync node", partial(chain, add_one_in_thread, 1), {"count": 0}, loop="threads", figures=("cpu",)),
    GraphCase("chain of 10", partial(chain, add_one, 10), {"count": 0}),
    GraphCase("chain of 100", partial(chain, add_one, 100), {"count": 0}),
    GraphCase("chain of 10, overlap", partial(chain, add_one, 10), {"count": 0}, options={"overlap": "chains"}),
    GraphCase(
        "chain of 10, sync", partial(chain, add_one_in_thread, 10), {"count": 0}, loop="threads", figures=("cpu",)
    ),
    GraphCase(
        "chain of 100, sync", partial(chain, add_one_in_thread, 100), {"count": 0}, loop="threads", figures=("cpu",)
    ),
    GraphCase("chain of 10, updates", partial(chain, add_one, 10), {"count": 0}, mode="updates"),
    GraphCase("chain of 10, values", partial(chain, add_one, 10), {"count": 0}, mode="values"),
    GraphCase("chain of 100, updates", partial(chain, add_one, 100), {"count": 0}, mode="updates"),
    GraphCase("chain of 10, checkpointer", partial(chain, add_one, 10), {"count": 0}, saver=True),
    GraphCase("chain of 100, checkpointer", partial(chain, add_one, 100), {"count": 0}, saver=True),
    GraphCase("500 runs of a chain of 10", partial(chain, add_one, 10), {"count": 0}, at_once=500, figures=("cpu",)),
    GraphCase("loop of 100, plain conditional edge", partial(loop, 100), {"count": 0}, figures=("cpu",)),
    GraphCase(
        "loop of 100, plain node and edge", partial(loop, 100, add_one_in_thread), {"count": 0}, figures=("cpu",)
    ),
    GraphCase("fan-out of 10", fan_out, _items(10)),
    GraphCase("fan-out of 100", fan_out, _items(100)),
    GraphCase("fan-out of 1,000", fan_out, _items(1000), figures=_WITH_MEMORY),
    GraphCase("fan-out of 100, updates", fan_out, _items(100), mode="updates"),
    GraphCase("fan-out of 100, checkpointer", fan_out, _items(100), saver=True),
    GraphCase("fan-out of 100, sync", partial(fan_out, work_in_thread), _items(100), loop="threads", figures=("cpu",)),
    GraphCase("two hops of 10, join", fan_out_and_join, _items(10)),
    GraphCase("two hops of 100, join", fan_out_and_join, _items(100), figures=_WITH_MEMORY),
    GraphCase("5 branches of 2, join", partial(branches, 5), {"results": []}),
    GraphCase("30 branches of 2, join", partial(branches, 30), {"results": []}),
    GraphCase("subgraphs, 10", with_subgraphs, _items(10)),
    GraphCase("streaming node, 10 items", partial(streaming, 10), {}),
    GraphCase("streaming node, 100 items", partial(streaming, 100), {}, figures=_WITH_MEMORY),
    GraphCase("PerGroup of 10", read_in_groups, {"items": list(range(10))}),
)
