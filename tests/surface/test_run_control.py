"""Draining: a run that is asked to stop does so between two steps, and is gone on with later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained
from langgraph.graph import START
from langgraph.runtime import RunControl, Runtime

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


def test_a_run_that_is_drained_before_it_begins_runs_no_node(bench: Bench) -> None:
    control = RunControl()
    control.request_drain("closing")
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    with pytest.raises(GraphDrained, match="closing"):
        bench.invoke(app, {"log": []}, thread(), control=control)
    assert bench.state(app, thread()).next == ("__start__",)
    assert bench.invoke(app, None, thread()) == {"log": UNEVEN_LOG}


def _draining(bench: Bench, ran: list[str]) -> Builder:
    """`fast` asks for the end of the run; the slow node of its step still ends, and nothing of the next is kept."""

    def ask_for_the_end(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        runtime.control.request_drain("closing")  # type: ignore[union-attr]
        return {"log": ["fast"]}

    async def slow(state: Log) -> dict[str, Any]:
        await asyncio.sleep(1.0)
        return {"log": ["slow"]}

    def slow_in_sync(state: Log) -> dict[str, Any]:
        return {"log": ["slow"]}

    def after(state: Log) -> dict[str, Any]:
        ran.append("after")
        return {"log": ["after"]}

    nodes = {"fast": ask_for_the_end, "slow": slow if bench.colour == "async" else slow_in_sync, "after": after}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))
    return connect(builder.add_node("last", bench.say("last")), ("after", "last"))


def test_a_node_may_ask_for_the_end_of_its_run(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_draining(bench, ran), checkpointer=InMemorySaver())
    with pytest.raises(GraphDrained, match="closing"):
        bench.invoke(app, {"log": []}, thread())
    state = bench.state(app, thread())
    assert state.values == {"log": ["fast", "slow"]}
    assert state.next == ("after",)
    assert all(task.result is None for task in state.tasks)
    assert bench.invoke(app, None, thread()) == {"log": UNEVEN_LOG}


def test_a_run_drained_while_a_node_is_ahead_keeps_nothing_of_it(bench: Bench) -> None:
    """The end is asked for from outside, while `after` of the next step already runs or has run."""
    control = RunControl()
    overtaken = bench.overtaken

    def last(state: Log) -> dict[str, Any]:
        overtaken.set()
        control.request_drain("closing")
        return {"log": ["last"]}

    def fast(state: Log) -> dict[str, Any]:
        return {"log": ["fast"]}

    nodes = {"fast": fast, "slow": bench.slow(), "after": bench.say("after"), "last": last}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    if not bench.is_ours:
        assert bench.invoke(app, {"log": []}, thread(), control=control) == {"log": UNEVEN_LOG}
        return
    with pytest.raises(GraphDrained, match="closing"):
        bench.invoke(app, {"log": []}, thread(), control=control)
    state = bench.state(app, thread())
    assert state.values == {"log": ["fast", "slow"]}
    assert state.next == ("after",)
    assert bench.invoke(app, None, thread()) == {"log": UNEVEN_LOG}


def test_a_node_sees_that_the_end_was_asked_for(bench: Bench) -> None:
    def look(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"{runtime.drain_requested} {runtime.drain_reason}"]}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "look": look}
    app = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "look")))
    assert bench.invoke(app, {"log": []}, control=RunControl())["log"][-1] == "False None"
    bench.assert_started_early(app)


def test_a_subgraph_is_drained_with_the_graph_above(bench: Bench) -> None:
    def ask_for_the_end(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        runtime.control.request_drain("closing")  # type: ignore[union-attr]
        return {"log": ["inside"]}

    inner = add_all(Log, {"one": ask_for_the_end, "two": bench.say("two")})
    connect(inner, (START, "one"), ("one", "two"))
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")})
    builder.add_node("inner", inner.compile())
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    with pytest.raises(GraphDrained, match="closing"):
        bench.invoke(app, {"log": []}, thread())
    assert bench.state(app, thread()).next == ("inner",)
    bench.overlapping = False
    before = ["fast", "slow", "after"]
    assert bench.invoke(app, None, thread()) == {"log": [*before, *before, "inside", "two"]}
