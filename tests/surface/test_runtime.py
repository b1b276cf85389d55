"""What a node is given beside the state: the context, the runtime, the config and the managed values."""

from __future__ import annotations

import asyncio
import contextvars
import operator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, Log, Node, add_all, connect
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import StreamWriter
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from surface.bench import Bench, thread


@dataclass(frozen=True)
class Who:
    """The context of a run."""

    name: str = "nobody"


class Checked(BaseModel):
    """A context that is checked."""

    age: int


class Managed(TypedDict):
    log: Annotated[list[str], operator.add]
    last: IsLastStep
    left: RemainingSteps


def _second(bench: Bench, node: Node, *, context: Any = None, state: Any = Log) -> Builder:
    """The node under test runs in the second step, beside a slow node of the first."""
    builder: Builder = StateGraph(state, context_schema=context)
    for name, function in (("fast", bench.say("fast")), ("slow", bench.slow()), ("tested", node)):
        builder.add_node(name, function)
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "tested"))


def test_the_context_reaches_a_node_that_starts_early(bench: Bench) -> None:
    def node(state: Log, runtime: Runtime[Who]) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [runtime.context.name]}

    app = bench.app(_second(bench, node, context=Who))
    assert bench.invoke(app, {"log": []}, context=Who("Ann"))["log"] == ["fast", "slow", "Ann"]
    bench.assert_started_early(app)


def test_a_context_given_as_a_dictionary_is_made_what_it_should_be(bench: Bench) -> None:
    def node(state: Log, runtime: Runtime[Checked]) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"{type(runtime.context).__name__} {runtime.context.age}"]}

    app = bench.app(_second(bench, node, context=Checked))
    assert bench.invoke(app, {"log": []}, context={"age": "4"})["log"][-1] == "Checked 4"
    bench.assert_started_early(app)
    with pytest.raises(ValidationError):
        bench.invoke(app, {"log": []}, context={"age": "old"})


def test_the_runtime_can_be_asked_for_inside_a_node(bench: Bench) -> None:
    def node(state: Log) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [get_runtime(Who).context.name, get_config()["metadata"]["langgraph_node"]]}

    app = bench.app(_second(bench, node, context=Who))
    assert bench.invoke(app, {"log": []}, context=Who("Ann"))["log"][2:] == ["Ann", "tested"]
    bench.assert_started_early(app)


def test_a_node_may_take_everything_at_once(bench: Bench) -> None:
    def node(
        state: Log, config: RunnableConfig, *, writer: StreamWriter, runtime: Runtime[Who], store: Any = None
    ) -> dict[str, Any]:
        bench.overtaken.set()
        writer({"from": "tested"})
        runtime.stream_writer({"from": "runtime"})
        return {"log": [f"{config['metadata']['langgraph_step']} {runtime.context.name}"]}

    app = bench.app(_second(bench, node, context=Who))
    events = bench.stream(app, {"log": []}, context=Who("Ann"), stream_mode=["custom", "values"])
    assert [event for mode, event in events if mode == "custom"] == [{"from": "tested"}, {"from": "runtime"}]
    assert events[-1] == ("values", {"log": ["fast", "slow", "2 Ann"]})
    bench.assert_started_early(app)


def test_what_an_early_node_is_told_of_its_execution_is_what_langgraph_tells(bench: Bench) -> None:
    def node(state: Log, runtime: Runtime[Who], config: RunnableConfig) -> dict[str, Any]:
        bench.overtaken.set()
        told = runtime.execution_info
        step = config["metadata"]["langgraph_step"]
        path = config["metadata"]["langgraph_path"]
        triggers = config["metadata"]["langgraph_triggers"]
        return {"log": [f"{told.thread_id} {told.node_attempt} {step} {path} {triggers}"]}  # type: ignore[union-attr]

    app = bench.app(_second(bench, node, context=Who), checkpointer=InMemorySaver())
    found = bench.invoke(app, {"log": []}, thread("mine"))["log"][-1]
    assert found == "mine 1 2 ('__pregel_pull', 'tested') ('branch:to:tested',)"
    bench.assert_started_early(app)


def test_managed_values_are_those_of_the_steps_of_langgraph(bench: Bench) -> None:
    def node(state: Managed) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"left {state['left']}, last {state['last']}"]}

    app = bench.app(_second(bench, node, state=Managed))
    assert bench.invoke(app, {"log": []}, {"recursion_limit": 7})["log"][-1] == "left 5, last False"
    bench.assert_started_early(app)
    assert bench.invoke(app, {"log": []}, {"recursion_limit": 3})["log"][-1] == "left 1, last True"
    bench.assert_started_early(app)


def test_a_loop_can_stop_itself_before_the_limit(bench: Bench) -> None:
    def turn(state: Managed) -> dict[str, Any]:
        if state["left"] < 4:
            bench.overtaken.set()
        return {"log": [f"turn {state['left']}"]}

    def again(state: Managed) -> str:
        return "end" if state["left"] < 3 else "turn"

    builder = add_all(Managed, {"turn": turn, "slow": bench.slow(), "end": bench.say("end")})
    builder.add_conditional_edges("turn", again, ["turn", "end"])
    app = bench.app(connect(builder, (START, "turn"), (START, "slow")))
    found = bench.invoke(app, {"log": []}, {"recursion_limit": 6})["log"]
    assert found == ["slow", "turn 5", "turn 4", "turn 3", "turn 2", "end"]
    bench.assert_started_early(app)


# ── from anywhere inside a node ─────────────────────────────────────────────────────────────────────────────


def test_writer_config_and_store_can_be_asked_for_in_an_early_node(bench: Bench) -> None:
    def node(state: Log) -> dict[str, Any]:
        bench.overtaken.set()
        get_stream_writer()({"from": get_config()["metadata"]["langgraph_node"]})
        found = get_store().get(("words",), "greeting")
        return {"log": [found.value["said"]]}  # type: ignore[union-attr]

    store = InMemoryStore()
    store.put(("words",), "greeting", {"said": "hello"})
    app = bench.app(_second(bench, node), store=store)
    events = bench.stream(app, {"log": []}, stream_mode=["custom", "values"])
    assert ("custom", {"from": "tested"}) in events
    assert events[-1] == ("values", {"log": ["fast", "slow", "hello"]})


def test_they_can_be_asked_for_in_a_thread_that_carries_the_context(bench: Bench) -> None:
    """`asyncio.to_thread` carries it; a pool of the user's own does with `contextvars`, or when handed the writer."""

    def work() -> str:
        get_stream_writer()({"from": "thread"})
        return str(get_config()["metadata"]["langgraph_node"])

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await asyncio.to_thread(work)]}

    def node_in_sync(state: Log) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as pool:
            return {"log": [pool.submit(contextvars.copy_context().run, work).result()]}

    app = bench.app(_second(bench, node if bench.colour == "async" else node_in_sync))
    bench.overlapping = False
    events = bench.stream(app, {"log": []}, stream_mode=["custom", "values"])
    assert ("custom", {"from": "thread"}) in events
    assert events[-1] == ("values", {"log": ["fast", "slow", "tested"]})


def test_a_bare_pool_of_the_nodes_own_has_no_place_to_write_from(bench: Bench) -> None:
    """LangGraph looks the writer's place up in the context, which a bare pool lacks."""

    def node(state: Log) -> dict[str, Any]:
        writer = get_stream_writer()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(writer, {"from": "pool"}).result()
        return {"log": ["never"]}

    app = bench.app(_second(bench, node))
    bench.overlapping = False
    with pytest.raises(RuntimeError, match="outside of a runnable context"):
        bench.stream(app, {"log": []}, stream_mode="custom")
