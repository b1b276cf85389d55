"""Custom events from wherever they are written: nested calls, subgraphs, tasks, tools; and the events of tools."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from dropin import compare
from dropin.shapes.base import Builder, Log, Node, add_all, connect
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.func import task
from langgraph.graph import START, add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import StreamWriter
from typing_extensions import TypedDict

from surface.bench import Bench


class Chat(TypedDict):
    log: Annotated[list[str], lambda left, right: left + right]
    messages: Annotated[list[AnyMessage], add_messages]


def _beside_a_slow_node(bench: Bench, node: Node) -> Builder:
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after"), "tested": node}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "tested"))


def _write(place: str, number: int) -> None:
    get_stream_writer()({"from": place, "number": number})


def test_a_helper_of_a_helper_may_write(bench: Bench) -> None:
    def deeper(number: int) -> None:
        _write("helper", number)

    def node(state: Log) -> dict[str, Any]:
        for number in range(3):
            deeper(number)
        return {"log": ["tested"]}

    app = bench.app(_beside_a_slow_node(bench, node))
    assert bench.stream(app, {"log": []}, stream_mode="custom") == [
        {"from": "helper", "number": number} for number in range(3)
    ]
    bench.assert_started_early(app)


def test_a_runnable_inside_a_node_may_write(bench: Bench) -> None:
    chain = RunnableLambda(lambda number: _write("chain", number)) | RunnableLambda(lambda _: "done")

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await chain.ainvoke(1)]}

    def node_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [chain.invoke(1)]}

    app = bench.app(_beside_a_slow_node(bench, node if bench.colour == "async" else node_in_sync))
    assert bench.stream(app, {"log": []}, stream_mode="custom") == [{"from": "chain", "number": 1}]


def test_tasks_of_asyncio_inside_a_node_may_write(bench: Bench) -> None:
    async def work(number: int) -> None:
        await asyncio.sleep(number / 100)
        _write("work", number)

    async def node(state: Log) -> dict[str, Any]:
        await asyncio.gather(*(work(number) for number in range(3)))
        return {"log": ["tested"]}

    def node_in_sync(state: Log) -> dict[str, Any]:
        for number in range(3):
            _write("work", number)
        return {"log": ["tested"]}

    app = bench.app(_beside_a_slow_node(bench, node if bench.colour == "async" else node_in_sync))
    assert [event["number"] for event in bench.stream(app, {"log": []}, stream_mode="custom")] == [0, 1, 2]
    bench.assert_started_early(app)


def test_a_task_called_by_a_node_may_write(bench: Bench) -> None:
    @task
    async def work(number: int) -> int:
        _write("task", number)
        return number

    @task
    def work_in_sync(number: int) -> int:
        _write("task", number)
        return number

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str(await work(7))]}

    def node_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [str(work_in_sync(7).result())]}

    app = bench.app(_beside_a_slow_node(bench, node if bench.colour == "async" else node_in_sync))
    assert bench.stream(app, {"log": []}, stream_mode="custom") == [{"from": "task", "number": 7}]
    bench.assert_started_early(app)


def test_a_subgraph_writes_under_its_own_namespace(bench: Bench, plain_bench: Bench) -> None:
    def write(state: Log, writer: StreamWriter) -> dict[str, Any]:
        writer({"from": "inside", "number": 1})
        return {"log": ["inside"]}

    found = []
    for side in (bench, plain_bench):
        inner = connect(add_all(Log, {"write": write}), (START, "write")).compile()
        app = side.app(_beside_a_slow_node(side, inner))
        events = side.stream(app, {"log": []}, stream_mode=["custom", "values"], subgraphs=True)
        side.assert_started_early(app)
        found.append(compare.streams(events))
        written = [(place[0].split(":")[0], event) for place, mode, event in events if mode == "custom"]
        assert written == [("tested", {"from": "inside", "number": 1})]
    assert found[0] == found[1]


def test_without_the_mode_nothing_is_written_and_nothing_fails(bench: Bench) -> None:
    def node(state: Log) -> dict[str, Any]:
        _write("tested", 1)
        return {"log": ["tested"]}

    app = bench.app(_beside_a_slow_node(bench, node))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "tested"]
    bench.assert_started_early(app)


@tool
def add(left: int, right: int) -> str:
    """Add two numbers."""
    _write("tool", left)
    return str(left + right)


def _calling(bench: Bench) -> Builder:
    def ask(state: Chat) -> dict[str, Any]:
        calls = [
            {"name": "add", "args": {"left": number, "right": 1}, "id": f"call {number}", "type": "tool_call"}
            for number in (1, 2)
        ]
        return {"messages": [AIMessage("", tool_calls=calls, id="asked")]}

    builder = add_all(Chat, {"ask": ask, "slow": bench.slow(), "after": bench.overtakes("after")})
    builder.add_node("tools", ToolNode([add]))
    return connect(builder, (START, "ask"), (START, "slow"), ("ask", "tools"), ("ask", "after"))


def test_tools_of_a_tool_node_write_and_answer(bench: Bench) -> None:
    app = bench.app(_calling(bench))
    events = bench.stream(app, {"log": [], "messages": []}, stream_mode=["custom", "values"])
    bench.assert_started_early(app)
    assert sorted(event["number"] for mode, event in events if mode == "custom") == [1, 2]
    answers = events[-1][1]["messages"]
    assert [(message.type, message.content) for message in answers[1:]] == [("tool", "2"), ("tool", "3")]


def test_the_events_of_tools_are_langgraphs(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        app = side.app(_calling(side))
        events = side.stream(app, {"log": [], "messages": []}, stream_mode="tools")
        side.assert_started_early(app)
        found.append(sorted((sorted(event), event.get("event"), event.get("tool_name")) for event in events))
    assert found[0] == found[1]
    assert found[0]
