"""Growing: graphs of any size, each with what a run of it must give."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

Builder = StateGraph[Any, Any, Any, Any]


class Items(TypedDict):
    """A list that many write to."""

    size: int
    items: Annotated[list[int], operator.add]


class Count(TypedDict):
    """One number."""

    count: int


@dataclass(frozen=True, slots=True)
class Sized:
    """One graph of one size: its input, and what a run must give."""

    builder: Builder
    given: Mapping[str, Any]
    wanted: Mapping[str, Any]


async def keep(packet: int) -> dict[str, Any]:
    return {"items": [packet]}


async def add_one(state: Count) -> dict[str, Any]:
    return {"count": state["count"] + 1}


async def nothing(state: Any) -> dict[str, Any]:
    return {}


def fan_out(size: int) -> Sized:
    """So many packets at once."""
    builder: Builder = StateGraph(Items)
    builder.add_node("keep", keep)
    builder.add_conditional_edges(START, lambda state: [Send("keep", item) for item in range(size)], ["keep"])
    return Sized(builder, {"size": size, "items": []}, {"size": size, "items": list(range(size))})


def two_hops(size: int) -> Sized:
    """So many packets, each of which leads to another, and a join of all."""

    async def again(packet: int) -> list[Send]:
        return [Send("second", packet)]

    async def sum_up(state: Items) -> dict[str, Any]:
        return {"size": len(state["items"])}

    builder: Builder = StateGraph(Items)
    builder.add_node("first", nothing)
    builder.add_node("second", keep)
    builder.add_node("sum_up", sum_up)
    builder.add_conditional_edges(START, lambda state: [Send("first", item) for item in range(size)], ["first"])
    builder.add_conditional_edges("first", lambda state: [Send("second", 1)], ["second"])
    builder.add_edge("second", "sum_up")
    return Sized(builder, {"size": 0, "items": []}, {"size": size, "items": [1] * size})


def loop(size: int) -> Sized:
    """One node, so many times in a row."""

    async def goes_on(state: Count) -> str:
        return END if state["count"] >= size else "add_one"

    builder: Builder = StateGraph(Count)
    builder.add_node("add_one", add_one)
    builder.add_edge(START, "add_one")
    builder.add_conditional_edges("add_one", goes_on, ["add_one", END])
    return Sized(builder, {"count": 0}, {"count": size})


def row(size: int) -> Sized:
    """So many nodes, one after the other."""
    builder: Builder = StateGraph(Count)
    last = START
    for place in range(size):
        builder.add_node(f"step_{place}", add_one)
        builder.add_edge(last, f"step_{place}")
        last = f"step_{place}"
    return Sized(builder, {"count": 0}, {"count": size})


def join(size: int) -> Sized:
    """So many nodes beside each other, and one that waits for all."""
    builder: Builder = StateGraph(Count)
    names = [f"side_{place}" for place in range(size)]
    builder.add_node("end", add_one)
    for name in names:
        builder.add_node(name, nothing)
        builder.add_edge(START, name)
    builder.add_edge(names, "end")
    return Sized(builder, {"count": 0}, {"count": 1})


def nested(depth: int, innermost: Any = add_one) -> Sized:
    """A graph in a graph, so deep."""
    inside = innermost
    for _ in range(depth):
        builder: Builder = StateGraph(Count)
        builder.add_node("inside", inside)
        builder.add_edge(START, "inside")
        inside = builder.compile()
    return Sized(builder, {"count": 0}, {"count": 1})
