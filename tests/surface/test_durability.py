"""The three durabilities: what is saved, when, and that the next run finds it."""

from __future__ import annotations

from typing import Any

import pytest
from dropin import compare
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START

import alto_lg
from surface.bench import UNEVEN_LOG, Bench, thread, uneven

each_durability = pytest.mark.parametrize("durability", ["sync", "async", "exit"])


def _app(bench: Bench, builder: Builder, durability: str) -> Any:
    bench.overlapping = durability != "sync"
    return bench.app(builder, checkpointer=InMemorySaver())


@each_durability
def test_the_history_is_what_langgraph_saves(bench: Bench, plain_bench: Bench, durability: str) -> None:
    found = []
    for side in (bench, plain_bench):
        app = _app(side, uneven(side), durability)
        assert side.invoke(app, {"log": []}, thread(), durability=durability) == {"log": UNEVEN_LOG}
        side.assert_started_early(app)
        found.append(compare.history(side.history(app, thread())))
    assert found[0] == found[1]
    assert len(found[0]) == (1 if durability == "exit" else 5)


def _failing(bench: Bench, runs: list[str]) -> Builder:
    def fail_once(state: Log) -> dict[str, Any]:
        runs.append("run")
        if len(runs) == 1:
            raise ValueError("once")
        return {"log": ["mended"]}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after"), "mend": fail_once}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))
    return connect(builder, ("after", "mend"))


@each_durability
def test_a_failed_run_is_gone_on_with_from_what_was_saved(bench: Bench, durability: str) -> None:
    runs: list[str] = []
    app = _app(bench, _failing(bench, runs), durability)
    with pytest.raises(ValueError, match="once"):
        bench.invoke(app, {"log": []}, thread(), durability=durability)
    assert bench.state(app, thread()).next == ("mend",)
    found = bench.invoke(app, None, thread(), durability=durability)
    assert found == {"log": ["fast", "slow", "after", "mended"]}
    assert runs == ["run", "run"]


def test_a_run_that_saves_each_step_first_keeps_its_steps_apart(bench: Bench) -> None:
    app = _app(bench, uneven(bench), "sync")
    bench.invoke(app, {"log": []}, thread(), durability="sync")
    if bench.is_ours:
        found = alto_lg.statistics(app)
        assert found is not None
        assert found.early_starts == 0
        assert found.stepwise is not None
        assert "durability" in found.stepwise


def test_durability_without_a_saver_is_langgraphs_warning(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    with pytest.warns(UserWarning, match="`durability` has no effect when no checkpointer is present"):
        assert bench.invoke(app, {"log": []}, durability="async") == {"log": UNEVEN_LOG}


@each_durability
def test_a_subgraph_is_saved_as_the_graph_above(bench: Bench, plain_bench: Bench, durability: str) -> None:
    found = []
    for side in (bench, plain_bench):
        inner = connect(add_all(Log, {"one": side.say("one"), "two": side.say("two")}), (START, "one"), ("one", "two"))
        nodes = {"fast": side.say("fast"), "slow": side.slow(), "after": side.overtakes("after")}
        builder = add_all(Log, nodes).add_node("inner", inner.compile(interrupt_before=["two"]))
        connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"))
        app = _app(side, builder, durability)
        side.invoke(app, {"log": []}, thread(), durability=durability)
        state = side.state(app, thread(), subgraphs=True)
        found.append((compare.snapshot(state), compare.history(side.history(app, state.tasks[0].state.config))))
        side.overlapping = False
        before = ["fast", "slow", "after"]
        assert side.invoke(app, None, thread(), durability=durability) == {"log": [*before, *before, "one", "two"]}
    assert found[0] == found[1]
