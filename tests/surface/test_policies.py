"""Policies of nodes: retries, time limits, caches and error handlers, also for nodes that start early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, Node, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.graph import START
from langgraph.runtime import Runtime
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, TimeoutPolicy

import alto_lg
from surface.bench import Bench, thread

AT_ONCE = {"initial_interval": 0.001, "max_interval": 0.001, "jitter": False}


def _with(bench: Bench, node: Node, **policies: Any) -> Builder:
    """The node under test runs in the second step, beside a slow node of the first."""
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "last": bench.say("last")})
    builder.add_node("tested", node, **policies)
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "tested"), ("tested", "last"))


def _fails(bench: Bench, times: int, error: Callable[[str], Exception] = ConnectionError) -> tuple[Node, list[str]]:
    runs: list[str] = []

    def node(state: Log) -> dict[str, Any]:
        runs.append("run")
        if len(runs) <= times:
            raise error(f"failed {len(runs)}")
        bench.overtaken.set()
        return {"log": [f"run {len(runs)}"]}

    return node, runs


def test_an_early_node_is_retried_as_its_policy_says(bench: Bench) -> None:
    node, runs = _fails(bench, 2)
    app = bench.app(_with(bench, node, retry_policy=RetryPolicy(max_attempts=3, **AT_ONCE)))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "run 3", "last"]
    assert len(runs) == 3
    bench.assert_started_early(app)


def test_a_node_that_fails_once_too_often_fails_the_run(bench: Bench) -> None:
    node, runs = _fails(bench, 9)
    app = bench.app(_with(bench, node, retry_policy=RetryPolicy(max_attempts=2, **AT_ONCE)))
    bench.overlapping = bench.colour == "async"
    with pytest.raises(ConnectionError, match="failed 2"):
        bench.invoke(app, {"log": []})
    assert len(runs) == 2


def test_the_first_policy_that_fits_the_error_counts(bench: Bench) -> None:
    node, runs = _fails(bench, 2, KeyError)
    policies = [
        RetryPolicy(max_attempts=1, retry_on=ConnectionError, **AT_ONCE),
        RetryPolicy(max_attempts=3, retry_on=KeyError, **AT_ONCE),
    ]
    app = bench.app(_with(bench, node, retry_policy=policies))
    assert bench.invoke(app, {"log": []})["log"][2] == "run 3"
    assert len(runs) == 3
    bench.assert_started_early(app)


def test_a_node_is_told_which_attempt_it_is(bench: Bench) -> None:
    def node(state: Log, runtime: Runtime) -> dict[str, Any]:
        attempt = runtime.execution_info.node_attempt  # type: ignore[union-attr]
        if attempt < 3:
            raise ConnectionError("again")
        bench.overtaken.set()
        return {"log": [f"attempt {attempt}"]}

    app = bench.app(_with(bench, node, retry_policy=RetryPolicy(max_attempts=3, **AT_ONCE)))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "attempt 3", "last"]
    bench.assert_started_early(app)


def test_the_policy_of_a_graph_holds_for_every_node(bench: Bench) -> None:
    node, runs = _fails(bench, 1)
    builder = _with(bench, node).set_node_defaults(retry_policy=RetryPolicy(max_attempts=2, **AT_ONCE))
    app = bench.app(builder)
    assert bench.invoke(app, {"log": []})["log"][2] == "run 2"
    assert len(runs) == 2
    bench.assert_started_early(app)


def _cached(bench: Bench, runs: list[str], key: Any = None) -> Any:
    def node(state: Log) -> dict[str, Any]:
        bench.overtaken.set()
        runs.append("run")
        return {"log": [f"run {len(runs)}"]}

    policy = CachePolicy(key_func=key) if key else CachePolicy()
    return bench.app(_with(bench, node, cache_policy=policy), cache=InMemoryCache())


def test_a_cached_node_runs_once_for_one_input(bench: Bench) -> None:
    runs: list[str] = []
    bench.overlapping = False  # a cache is consulted when its step begins
    app = _cached(bench, runs)
    first = bench.invoke(app, {"log": []})
    assert first["log"] == ["fast", "slow", "run 1", "last"]
    assert bench.invoke(app, {"log": []}) == first
    assert bench.invoke(app, {"log": ["other"]})["log"][3] == "run 2"
    assert runs == ["run", "run"]


def test_a_cached_update_says_so(bench: Bench) -> None:
    runs: list[str] = []
    bench.overlapping = False
    app = _cached(bench, runs, key=lambda state: "one key")
    bench.invoke(app, {"log": []})
    updates = bench.stream(app, {"log": ["other"]}, stream_mode="updates")
    assert updates[-2:] == [
        {"tested": {"log": ["run 1"]}, "__metadata__": {"cached": True}},
        {"last": {"log": ["last"]}},
    ]


def test_a_cleared_cache_is_empty(bench: Bench) -> None:
    runs: list[str] = []
    bench.overlapping = False
    app = _cached(bench, runs, key=lambda state: "one key")
    bench.invoke(app, {"log": []})
    bench.call(app.aclear_cache, app.clear_cache)
    bench.invoke(app, {"log": []})
    assert runs == ["run", "run"]


def test_an_error_handler_stands_in_for_the_node_that_failed(bench: Bench) -> None:
    node, runs = _fails(bench, 9, ValueError)

    def handle(state: Log, error: NodeError) -> dict[str, Any]:
        return {"log": [f"{error.node}: {error.error}"]}

    app = bench.app(_with(bench, node, error_handler=handle))
    bench.overlapping = False  # a node with an error handler waits for its step
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "tested: failed 1"]
    assert len(runs) == 1


def test_an_error_handler_may_go_elsewhere(bench: Bench) -> None:
    node, _ = _fails(bench, 9, ValueError)

    def handle(state: Log, error: NodeError) -> Command[Any]:
        return Command(update={"log": ["handled"]}, goto="rescue")

    builder = _with(bench, node, error_handler=handle, destinations=("rescue",))
    builder.add_node("rescue", bench.say("rescue"))
    app = bench.app(builder)
    bench.overlapping = False
    log = bench.invoke(app, {"log": []})["log"]
    assert log[:3] == ["fast", "slow", "handled"]
    assert "rescue" in log


def test_the_handler_of_a_graph_takes_every_node(bench: Bench) -> None:
    node, _ = _fails(bench, 9, ValueError)

    def handle(state: Log, error: NodeError) -> dict[str, Any]:
        return {"log": [f"{error.node}: {error.error}"]}

    app = bench.app(_with(bench, node).set_node_defaults(error_handler=handle))
    bench.overlapping = False
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "tested: failed 1"]


def test_a_failed_early_node_is_gone_on_with_after_its_siblings(bench: Bench) -> None:
    node, runs = _fails(bench, 1, ValueError)
    app = bench.app(_with(bench, node), checkpointer=InMemorySaver())
    bench.overlapping = bench.colour == "async"
    with pytest.raises(ValueError, match="failed 1"):
        bench.invoke(app, {"log": []}, thread())
    state = bench.state(app, thread())
    assert state.next == ("tested",)
    assert state.tasks[0].error == "ValueError('failed 1')"
    assert bench.invoke(app, None, thread())["log"] == ["fast", "slow", "run 2", "last"]
    assert len(runs) == 2


# ── time limits: LangGraph has them for asynchronous nodes only ─────────────────────────────────────────────


def _async_bench(impl: Implementation) -> Bench:
    return Bench(impl, "async", is_ours=impl is not plain_langgraph)


def _takes(seconds: float) -> Node:
    async def node(state: Log) -> dict[str, Any]:
        await asyncio.sleep(seconds)
        return {"log": ["tested"]}

    return node


LIMITS = {"number": 0.5, "policy": TimeoutPolicy(run_timeout=0.5)}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_an_early_node_has_its_own_time(impl: Implementation, limit: Any) -> None:
    """0.4 s of 0.5, begun while the slow node still runs: the time counts from its own start."""
    bench = _async_bench(impl)
    app = bench.app(_with(bench, _takes(0.4), timeout=limit))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "tested", "last"]
    bench.assert_started_early(app)


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_an_early_node_that_takes_too_long_fails_the_run(impl: Implementation, limit: Any) -> None:
    bench = _async_bench(impl)
    app = bench.app(_with(bench, _takes(0.6), timeout=limit))
    with pytest.raises(NodeTimeoutError) as raised:
        bench.invoke(app, {"log": []})
    assert raised.value.node == "tested"
    assert raised.value.kind == "run"
    assert raised.value.timeout == 0.5


def test_a_node_that_took_too_long_is_retried(impl: Implementation) -> None:
    bench, runs = _async_bench(impl), []

    async def node(state: Log) -> dict[str, Any]:
        runs.append("run")
        await asyncio.sleep(0.9 if len(runs) == 1 else 0.1)
        return {"log": [f"run {len(runs)}"]}

    retry = RetryPolicy(max_attempts=2, **AT_ONCE)
    app = bench.app(_with(bench, node, timeout=0.5, retry_policy=retry))
    assert bench.invoke(app, {"log": []})["log"][2] == "run 2"
    bench.assert_started_early(app)


def test_an_idle_node_is_stopped(impl: Implementation) -> None:
    bench = _async_bench(impl)

    async def node(state: Log) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {"log": ["never"]}

    app = bench.app(_with(bench, node, timeout=TimeoutPolicy(idle_timeout=0.01)))
    with pytest.raises(NodeTimeoutError) as raised:
        bench.invoke(app, {"log": []})
    assert raised.value.kind == "idle"


def test_a_packet_may_have_a_time_of_its_own(impl: Implementation) -> None:
    bench = _async_bench(impl)

    def spread(state: Log) -> list[Send]:
        return [Send("tested", {"log": []}, timeout=0.2), Send("tested", {"log": []})]

    builder = add_all(Log, {"plan": bench.say("plan"), "slow": bench.slow(), "tested": _takes(0.4)})
    builder.add_conditional_edges("plan", spread, ["tested"])
    app = bench.app(connect(builder, (START, "plan"), (START, "slow")))
    with pytest.raises(NodeTimeoutError) as raised:
        bench.invoke(app, {"log": []})
    assert raised.value.timeout == 0.2


def test_a_limit_on_steps_keeps_the_steps_apart(bench: Bench) -> None:
    """With `step_timeout` a run is LangGraph's, so that the limit bounds what it always bounded."""
    bench.overlapping = False
    app = bench.app(_with(bench, bench.say("tested", 0.4)))
    app.step_timeout = 5.0
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "tested", "last"]
    if bench.is_ours:
        found = alto_lg.statistics(app)
        assert found is not None
        assert found.plain is None
        assert found.stepwise is not None
        assert "step_timeout" in found.stepwise


def test_a_step_that_takes_too_long_fails_the_run(impl: Implementation) -> None:
    bench = _async_bench(impl)
    app = bench.app(_with(bench, _takes(0.4)))
    app.step_timeout = 0.7
    with pytest.raises(TimeoutError):
        bench.invoke(app, {"log": []})
