"""Siblings that end in the same turn of the event loop, one of them with an error: what the others wrote is saved."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from sim.loop import run
from typing_extensions import TypedDict

from dropin.watch import Implementation


class State(TypedDict, total=False):
    items: list[str]
    results: Annotated[list[str], operator.add]


@pytest.mark.parametrize("items", [["bad", "a", "b"], ["a", "bad", "b"], ["a", "b", "bad"]])
def test_what_ended_beside_a_failure_is_not_done_again(impl: Implementation, items: list[str]) -> None:
    attempt = "first"
    together: asyncio.Event

    async def work(packet: dict[str, str]) -> dict[str, Any]:
        await together.wait()
        if attempt == "first" and packet["item"] == "bad":
            raise ValueError("bad")
        return {"results": [f"{attempt} {packet['item']}"]}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_conditional_edges(START, lambda state: [Send("work", {"item": item}) for item in state["items"]])
    app = impl(builder.compile(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "1"}}

    async def main() -> Any:
        nonlocal attempt, together
        together = asyncio.Event()
        asyncio.get_running_loop().call_later(1, together.set)
        with pytest.raises(ValueError, match="bad"):
            await app.ainvoke({"items": items}, config)
        attempt = "second"
        return await app.ainvoke(None, config)

    found = run(main).result["results"]
    assert found == [f"{'second' if item == 'bad' else 'first'} {item}" for item in items]
