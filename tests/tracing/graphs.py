"""Graphs whose traces are known to the millisecond on virtual time."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send


class State(TypedDict):
    seen: Annotated[list[str], operator.add]


class Item(TypedDict):
    number: int


async def ask(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.1)
    return {"seen": ["ask"]}


async def slow(state: State) -> dict[str, Any]:
    await asyncio.sleep(1.0)
    return {"seen": ["slow"]}


async def find(state: Item) -> dict[str, Any]:
    await asyncio.sleep(0.2)
    return {"seen": [f"find {state['number']}"]}


async def tell(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.1)
    return {"seen": ["tell"]}


async def deep(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.3)
    return {"seen": ["deep"]}


def each(state: State) -> list[Send]:
    return [Send("find", {"number": number}) for number in range(3)]


def inner() -> Any:
    """The subgraph."""
    builder = StateGraph(State)
    builder.add_node("deep", deep)
    builder.add_edge(START, "deep")
    return builder.compile()


def fan() -> Any:
    """ask (0.1) sends three packets to find (0.2), beside slow (1.0); then tell (0.1), then a subgraph (0.3)."""
    builder = StateGraph(State)
    for name, node in {"ask": ask, "slow": slow, "find": find, "tell": tell, "inner": inner()}.items():
        builder.add_node(name, node)
    builder.add_edge(START, "ask")
    builder.add_edge(START, "slow")
    builder.add_conditional_edges("ask", each, ["find"])
    builder.add_edge("find", "tell")
    builder.add_edge("tell", "inner")
    return builder.compile()
