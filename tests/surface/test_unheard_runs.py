"""Runs that nobody listens to: what is left out of them is nothing that a node, a model or a caller could see."""

from __future__ import annotations

import asyncio
import contextlib
import operator
from typing import Annotated, Any
from uuid import UUID

import pytest
from dropin.shapes.base import Log, add_all, connect
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from surface.bench import Bench, thread

GIVEN = {"tags": ["given", "seq:step:1"], "metadata": {"who": "me", "lc_versions": {"app": "1"}}}


def _told(config: Any) -> dict[str, Any]:
    """What a config says, without what is another one each time."""
    manager = config["callbacks"]
    return {
        "keys": sorted(config),
        "tags": config.get("tags"),
        "kind": type(manager).__name__.removeprefix("Async"),
        "manager": [manager.tags, manager.inheritable_tags, _steady(manager.metadata)],
        "inherited": _steady(manager.inheritable_metadata),
        "run": isinstance(manager.parent_run_id, UUID),
    }


def _steady(metadata: Any) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if "checkpoint_ns" not in name}


def test_a_node_and_its_router_are_given_the_config_that_langgraph_gives(bench: Bench, plain_bench: Bench) -> None:
    seen: list[dict[str, Any]] = []

    def look(state: Log, config: RunnableConfig) -> dict[str, Any]:
        seen.append(_told(config))
        seen.append(_told(get_config()))
        return {"log": ["look"]}

    def route(state: Log, config: RunnableConfig) -> str:
        seen.append(_told(config))
        return "last"

    builder = add_all(Log, {"look": look, "last": bench.say("last")})
    connect(builder, (START, "look"))
    builder.add_conditional_edges("look", route, ["last"])
    for one in (plain_bench, bench):
        one.invoke(one.app(builder), {"log": []}, {**GIVEN, "run_name": "mine"})
    assert seen[:3] == seen[3:]
    assert seen[0]["manager"][0][-1] == "seq:step:1"


def test_every_node_has_a_run_of_its_own(bench: Bench) -> None:
    runs: list[Any] = []

    def look(state: Any, config: RunnableConfig) -> dict[str, Any]:
        runs.append(config["callbacks"].parent_run_id)
        return {"log": ["look"]}

    builder = add_all(Log, {"look": look})
    builder.add_conditional_edges(START, lambda state: [Send("look", state)] * 3, ["look"])
    bench.invoke(bench.app(builder), {"log": []})
    assert len(set(runs)) == 3


class Hears(BaseCallbackHandler):
    """Notes what of a call is the same each time."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **told: Any) -> None:
        self.heard.append((isinstance(told["parent_run_id"], UUID), told["tags"], _steady(told["metadata"])))


def test_a_model_with_a_handler_of_its_own_is_called_from_the_node(bench: Bench, plain_bench: Bench) -> None:
    handler = Hears()
    model = FakeListChatModel(responses=["yes"], callbacks=[handler])

    def ask(state: Log) -> dict[str, Any]:
        return {"log": [str(model.invoke("is it so?").content)]}

    builder = connect(add_all(Log, {"ask": ask}), (START, "ask"))
    for one in (plain_bench, bench):
        assert one.invoke(one.app(builder), {"log": []}, dict(GIVEN)) == {"log": ["yes"]}
    first, second = handler.heard
    assert first == second
    assert first[0]


def test_what_a_node_starts_and_leaves_keeps_the_nodes_config(bench: Bench) -> None:
    if bench.colour == "sync":
        pytest.skip("tasks are of event loops")
    names: list[str] = []

    async def later() -> None:
        config = var_child_runnable_config.get()
        assert config is not None
        names.append(config["metadata"]["langgraph_node"])

    async def start(state: Log) -> dict[str, Any]:
        await asyncio.create_task(later())
        return {"log": ["start"]}

    bench.invoke(bench.app(connect(add_all(Log, {"start": start}), (START, "start"))), {"log": []})
    assert names == ["start"]


def test_a_node_that_cancels_itself_has_failed(bench: Bench, plain_bench: Bench) -> None:
    if bench.colour == "sync":
        pytest.skip("tasks are of event loops")

    async def give_up(state: Log) -> dict[str, Any]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1.0)
        return {"log": ["never"]}

    async def too_late(state: Log) -> dict[str, Any]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return {"log": ["never"]}

    async def thinks_better_of_it(state: Log) -> dict[str, Any]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1.0)
        return {"log": ["well"]}

    for node in (give_up, too_late, thinks_better_of_it):
        builder = connect(add_all(Log, {"node": node}), (START, "node"))
        ended = []
        for one in (plain_bench, bench):
            try:
                ended.append((one.invoke(one.app(builder), {"log": []}), ""))
            except BaseException as raised:
                ended.append((type(raised), str(raised)))
        assert ended[0] == ended[1]


def test_a_time_limit_inside_a_node_is_no_cancel_of_it(bench: Bench) -> None:
    if bench.colour == "sync":
        pytest.skip("tasks are of event loops")

    async def impatient(state: Log) -> dict[str, Any]:
        try:
            async with asyncio.timeout(0.1):
                await asyncio.sleep(5.0)
        except TimeoutError:
            return {"log": ["gave up"]}
        return {"log": ["never"]}

    builder = connect(add_all(Log, {"node": impatient, "last": bench.say("last")}), (START, "node"), ("node", "last"))
    assert bench.invoke(bench.app(builder), {"log": []}) == {"log": ["gave up", "last"]}


def test_a_sequence_of_runnables_and_a_command_write_as_ever(bench: Bench) -> None:
    def go(state: Log) -> Any:
        return Command(update={"log": ["go"]}, goto="last")

    chain = RunnableLambda(lambda state: state["log"]) | RunnableLambda(lambda log: {"log": [f"after {len(log)}"]})
    builder = add_all(Log, {"go": go, "last": chain})
    connect(builder, (START, "go"), ("last", END))
    assert bench.invoke(bench.app(builder), {"log": ["in"]}) == {"log": ["in", "go", "after 2"]}


# ── invoke, and who else is listening ───────────────────────────────────────────────────────────────────────────


def test_invoke_gives_the_questions_of_all_tasks(bench: Bench) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("which?")]}

    builder = add_all(Log, {"ask": ask, "also": ask, "third": bench.say("third")})
    connect(builder, (START, "ask"), (START, "also"), (START, "third"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    paused = bench.invoke(app, {"log": []}, thread("1"))
    assert [question.value for question in paused["__interrupt__"]] == ["which?", "which?"]
    ids = [question.id for question in paused["__interrupt__"]]
    done = bench.invoke(app, Command(resume=dict.fromkeys(ids, "this")), thread("1"))
    assert sorted(done["log"]) == ["third", "this", "this"]


def _nested(bench: Bench) -> tuple[StateGraph[Any, Any, Any, Any], list[Any]]:
    """A node that invokes a graph, and then reads the updates of that graph."""
    inner = bench.app(connect(add_all(Log, {"inside": bench.say("inside")}), (START, "inside")))
    updates: list[Any] = []

    async def both(state: Log) -> dict[str, Any]:
        result = await inner.ainvoke({"log": []})
        updates.extend([event async for event in inner.astream({"log": []}, stream_mode="updates")])
        return {"log": result["log"]}

    def both_at_once(state: Log) -> dict[str, Any]:
        result = inner.invoke({"log": []})
        updates.extend(inner.stream({"log": []}, stream_mode="updates"))
        return {"log": result["log"]}

    node = both if bench.colour == "async" else both_at_once
    return connect(add_all(Log, {"both": node}), (START, "both")), updates


def test_a_stream_inside_an_invoked_run_has_its_updates(bench: Bench) -> None:
    builder, updates = _nested(bench)
    assert bench.invoke(bench.app(builder), {"log": []}) == {"log": ["inside"]}
    assert updates == [{"inside": {"log": ["inside"]}}]


def test_who_streams_an_outer_graph_hears_of_a_graph_that_is_invoked_inside(bench: Bench, plain_bench: Bench) -> None:
    heard = []
    for one in (plain_bench, bench):
        builder, _ = _nested(one)
        events = one.stream(one.app(builder), {"log": []}, stream_mode="updates", subgraphs=True)
        heard.append([event for _, event in events])
    assert heard[0] == heard[1]
    assert {"inside": {"log": ["inside"]}} in heard[0]


class Total(TypedDict):
    total: Annotated[int, operator.add]


def test_invoke_in_another_mode_gives_all_of_it(bench: Bench) -> None:
    builder = StateGraph(Total)
    builder.add_node("one", lambda state: {"total": 1})
    builder.add_edge(START, "one")
    assert bench.invoke(bench.app(builder), {"total": 0}, stream_mode="updates") == [{"one": {"total": 1}}]
