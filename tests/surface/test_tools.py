"""Tools in a tool node: what is injected into them is the state and the store of their own step."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, add_all, connect
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.config import get_store
from langgraph.graph import START, add_messages
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode, ToolRuntime, tools_condition
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from typing_extensions import TypedDict

from surface.bench import Bench

PLACE = ("words",)


class Chat(TypedDict):
    log: Annotated[list[str], operator.add]
    note: str
    messages: Annotated[list[AnyMessage], add_messages]


@tool
def whole_state(state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Look at the state."""
    return ",".join(state["log"])


@tool
def one_key(note: Annotated[str, InjectedState("note")]) -> str:
    """Look at a key."""
    return note


@tool
def by_runtime(runtime: ToolRuntime) -> str:
    """Look at the state of the runtime."""
    return ",".join(runtime.state["log"])


@tool
def injected_store(store: Annotated[BaseStore, InjectedStore()]) -> str:
    """Look into the store."""
    return ",".join(item.value["said"] for item in store.search(PLACE))


@tool
def found_store() -> str:
    """Look into the store that is around."""
    return ",".join(item.value["said"] for item in get_store().search(PLACE))


@tool
def writes_keys(tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
    """Write what the node's own messages do not."""
    return Command(update={"log": ["tool"], "messages": [ToolMessage("written", tool_call_id=tool_call_id)]})


def _called(bench: Bench, called: Any) -> Builder:
    """`slow` writes to every place in which a tool of the next step may look."""

    def ask(state: Chat) -> dict[str, Any]:
        call = {"name": called.name, "args": {}, "id": "call", "type": "tool_call"}
        return {"messages": [AIMessage("", tool_calls=[call], id="asked")]}

    async def slow(state: Chat) -> dict[str, Any]:
        await asyncio.sleep(1.0)
        await get_store().aput(PLACE, "late", {"said": "slowly"})
        return {"log": ["slow"], "note": "noted"}

    hold = bench.hold

    def slow_in_sync(state: Chat) -> dict[str, Any]:
        hold()
        get_store().put(PLACE, "late", {"said": "slowly"})
        return {"log": ["slow"], "note": "noted"}

    def read(state: Chat) -> dict[str, Any]:
        return {"note": ",".join(state["log"])}

    nodes = {"ask": ask, "slow": slow if bench.colour == "async" else slow_in_sync, "tools": ToolNode([called])}
    builder = add_all(Chat, {**nodes, "after": bench.overtakes("after"), "read": read})
    connect(builder, (START, "ask"), (START, "slow"), ("ask", "after"), ("tools", "read"))
    builder.add_conditional_edges("ask", tools_condition, ["tools", "__end__"])
    return builder


CASES = {
    "whole_state": (whole_state, "slow"),
    "one_key": (one_key, "noted"),
    "by_runtime": (by_runtime, "slow"),
    "injected_store": (injected_store, "slowly"),
    "found_store": (found_store, "slowly"),
    "writes_keys": (writes_keys, "written"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_tool_finds_what_a_slow_node_before_it_has_written(bench: Bench, case: str) -> None:
    called, wanted = CASES[case]
    app = bench.app(_called(bench, called), store=InMemoryStore())
    found = bench.invoke(app, {"log": [], "messages": []})
    bench.assert_started_early(app)
    assert found["messages"][-1].content == wanted
    words = ["slow", "after", "tool"] if called is writes_keys else ["slow", "after"]
    assert sorted(found["log"]) == sorted(words)
    assert found["note"] == ",".join(found["log"])
