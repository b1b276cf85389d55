"""A synthetic graph whose first node streams: ten items over a second, and a second of work on each.

Always true: the nodes only sleep, by the function they were built with, and give out constants or what they read; the
graph of plain functions is the twin of that of coroutines.
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send

import alto_lg

ITEMS = 10
EVERY_S = 0.1
WORK_S = 1.0
FIRST_LIMIT_S = EVERY_S + WORK_S
LIMIT_S = ITEMS * EVERY_S + WORK_S
WORK = "work"

Builder = StateGraph[Any, Any, Any, Any]


class StreamState(TypedDict, total=False):
    """The items as they are written, and what was made of them."""

    items: Annotated[list[int], operator.add]
    results: Annotated[list[int], operator.add]


class StreamPacket(TypedDict):
    """One item."""

    item: int


def streamed_items(sleep: Callable[[float], Awaitable[Any]]) -> Builder:
    """`write`, an item every 0.1 s → `work` 1.0 s on each."""

    @alto_lg.streaming
    async def write(state: StreamState) -> AsyncIterator[dict[str, Any]]:
        for item in range(ITEMS):
            await sleep(EVERY_S)
            yield {"items": [item]}

    async def work(state: StreamPacket) -> dict[str, Any]:
        await sleep(WORK_S)
        return {"results": [state["item"]]}

    return _builder(write, work)


def sync_streamed_items(sleep: Callable[[float], object]) -> Builder:
    """The same of plain functions."""

    @alto_lg.streaming
    def write(state: StreamState) -> Iterator[dict[str, Any]]:
        for item in range(ITEMS):
            sleep(EVERY_S)
            yield {"items": [item]}

    def work(state: StreamPacket) -> dict[str, Any]:
        sleep(WORK_S)
        return {"results": [state["item"]]}

    return _builder(write, work)


def _builder(write: Any, work: Any) -> Builder:
    def each_item(state: StreamState) -> list[Send]:
        return [Send(WORK, {"item": item}) for item in state["items"]]

    builder: Builder = StateGraph(StreamState)
    builder.add_node("write", write)
    builder.add_node(WORK, work)
    builder.add_edge(START, "write")
    builder.add_conditional_edges("write", each_item, [WORK])
    return builder
