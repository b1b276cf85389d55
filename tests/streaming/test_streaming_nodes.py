"""Streaming nodes: on plain LangGraph they are ordinary nodes; accelerated, what follows begins while they go on."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg
from dropin.watch import Implementation, plain_langgraph


class State(TypedDict, total=False):
    items: Annotated[list[int], operator.add]
    results: Annotated[list[str], operator.add]
    last: int


def fan_out(state: State) -> list[Send]:
    return [Send("work", {"item": item}) for item in state["items"]]


async def work(packet: dict[str, int]) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"results": [f"work {packet['item']}"]}


def graph(emit: Any, router: Any = fan_out, target: Any = work) -> Any:
    builder = StateGraph(State)
    builder.add_node("emit", emit)
    builder.add_node("work", target)
    builder.add_edge(START, "emit")
    builder.add_conditional_edges("emit", router, ["work"])
    builder.add_edge("work", END)
    return builder.compile()


@alto_lg.streaming
async def ten(state: State) -> AsyncIterator[dict[str, Any]]:
    for item in range(10):
        await asyncio.sleep(0.1)
        yield {"items": [item], "last": item}


def test_partial_updates_are_folded_into_one(impl: Implementation) -> None:
    outcome = run(lambda: impl(graph(ten)).ainvoke({}))
    assert outcome.result == {
        "items": list(range(10)),
        "last": 9,
        "results": [f"work {item}" for item in range(10)],
    }
    if impl is plain_langgraph:
        assert outcome.elapsed_s == pytest.approx(2.0)


def test_each_item_goes_on_as_it_comes() -> None:
    app = alto_lg.accelerate(graph(ten))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.elapsed_s == pytest.approx(2.0), "the last item comes after one second, and takes one more"
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert (statistics.early_starts, statistics.dropped) == (9, 0)
