"""The synthetic graphs do what their names say, and the benchmark refuses to time graphs that disagree."""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Callable
from typing import Any, cast

import pytest
import sim.loop
from langgraph.graph import START, StateGraph

import alto_lg
from alto_lg.comparisons.measure import Graph, early_work
from alto_lg.comparisons.shape_graphs import (
    CHAIN_NODES,
    HOPS,
    ITEMS,
    LONG_CHAIN,
    Builder,
    ChainState,
    Shape,
    Sleep,
    hop_times_s,
    timed_shapes,
)
from alto_lg.comparisons.shapes import (
    ASYNC,
    Colour,
    Run,
    Timing,
    UnequalStates,
    add_arguments,
    check_equal,
    cost_table,
    limits_table,
    run,
    time_shape,
)

SHAPES = (*timed_shapes(seed=0), LONG_CHAIN)


def names(shape: Shape) -> str:
    return "-".join([shape.build.__name__, *shape.options.values()])


every_shape = pytest.mark.parametrize("shape", SHAPES, ids=names)


async def ended(shape: Shape, graph: Graph) -> Any:
    """The final state of one run."""
    return await graph.ainvoke(dict(shape.given), {"recursion_limit": 200})


async def no_time(seconds: float) -> None:
    """In place of a sleep: gives way once, so that siblings do interleave."""
    await asyncio.sleep(0)


@every_shape
def test_every_shape_runs_to_its_end_on_plain_langgraph(shape: Shape) -> None:
    state = asyncio.run(shape.build(no_time).compile().ainvoke(dict(shape.given), {"recursion_limit": 200}))
    assert set(state) >= set(shape.given)
    assert len(state) > len(shape.given) or state != shape.given


@every_shape
def test_langgraph_takes_the_sum_of_its_steps(shape: Shape) -> None:
    outcome = sim.loop.run(lambda: ended(shape, shape.build(asyncio.sleep).compile()))
    assert outcome.elapsed_s == pytest.approx(shape.supersteps_s)


@every_shape
def test_an_accelerated_shape_takes_its_longest_path_and_ends_in_the_same_state(shape: Shape) -> None:
    plain = sim.loop.run(lambda: ended(shape, shape.build(asyncio.sleep).compile()))
    app = alto_lg.accelerate(shape.build(asyncio.sleep).compile(), **shape.options)

    outcome = sim.loop.run(lambda: ended(shape, app))

    assert outcome.result == plain.result
    assert outcome.elapsed_s == pytest.approx(shape.limit_s)
    assert early_work(app).dropped == 0


def test_the_first_streamed_item_is_worked_on_when_it_is_written() -> None:
    shape = next(shape for shape in SHAPES if shape.first_node is not None)
    app = alto_lg.accelerate(shape.build(asyncio.sleep).compile(), **shape.options)

    async def times_s() -> list[float]:
        clock = asyncio.get_running_loop().time
        return [clock() async for update in app.astream({}, stream_mode="updates") if shape.first_node in update]

    assert sim.loop.run(times_s).result[0] == pytest.approx(shape.first_limit_s)


def test_the_table_has_a_row_for_the_first_result_of_a_shape_that_has_one(render: Callable[[object], str]) -> None:
    shape = next(shape for shape in SHAPES if shape.first_node is not None)
    runs = (Run(2.02, 0.1, {}, 1.2),)
    rows = [line.split() for line in render(limits_table([Timing(shape, runs, runs, 10, 0)])).splitlines()]
    shown = [row[-6:-2] for row in rows if row and row[-1] == "0"]
    assert shown == [["2.000", "2.020", "2.020", "1.0"], ["1.100", "1.200", "1.200", "9.1"]]


def test_the_log_of_the_slow_sibling_is_in_the_order_of_steps() -> None:
    shape = SHAPES[0]
    state = asyncio.run(shape.build(no_time).compile().ainvoke(dict(shape.given)))
    assert state["log"] == ["fast", "slow", "after_fast"]


def test_items_come_out_in_the_order_in_which_they_were_sent() -> None:
    shape = next(shape for shape in SHAPES if "hops_s" in shape.given)
    state = asyncio.run(shape.build(no_time).compile().ainvoke(dict(shape.given)))
    assert state["results"] == list(range(ITEMS))


def test_the_long_chain_counts_every_node() -> None:
    state = asyncio.run(LONG_CHAIN.build(no_time).compile().ainvoke({"count": 0}, {"recursion_limit": 200}))
    assert state == {"count": CHAIN_NODES}


def test_the_limit_of_the_send_chain_is_its_longest_item() -> None:
    shape = next(shape for shape in SHAPES if "hops_s" in shape.given)
    assert shape.limit_s == max(sum(hops) for hops in shape.given["hops_s"])


def test_hop_times_are_seeded_and_have_the_mean_and_variation_asked_for() -> None:
    assert hop_times_s(mean=0.2, variation=0.5, seed=1) == hop_times_s(mean=0.2, variation=0.5, seed=1)
    drawn = [time for seed in range(200) for item in hop_times_s(mean=0.2, variation=0.5, seed=seed) for time in item]
    assert len(drawn) == 200 * ITEMS * HOPS
    assert statistics.mean(drawn) == pytest.approx(0.2, rel=0.03)
    assert statistics.stdev(drawn) / statistics.mean(drawn) == pytest.approx(0.5, rel=0.05)


def timing(shape: Shape, wall_s: float) -> Timing:
    runs = tuple(Run(wall_s * factor, 0.01 * factor, {}) for factor in (1.0, 1.01, 1.02))
    return Timing(shape, runs, runs, 3, 0)


@pytest.mark.parametrize(("wall_s", "said"), [(1.2, "yes"), (1.3, "no")])
def test_the_table_says_whether_a_shape_is_within_its_limit(
    wall_s: float, said: str, render: Callable[[object], str]
) -> None:
    (line,) = [line for line in render(limits_table([timing(SHAPES[0], wall_s)])).splitlines() if "1.200" in line]
    assert line.split()[-2:] == [said, "0"]


def test_the_cost_table_has_the_ratio_with_its_interval(render: Callable[[object], str]) -> None:
    text = render(cost_table(timing(LONG_CHAIN, 0.1), seed=0))
    assert text.count("1.000 [") == 2 and text.count("yes") == 2


def test_states_that_differ_are_refused_with_the_place() -> None:
    with pytest.raises(UnequalStates, match=r"differ at \$\.log\[1\]: LangGraph \"b\", accelerated \"c\""):
        check_equal(SHAPES[0], Run(1, 1, {"log": ["a", "b"]}), Run(1, 1, {"log": ["a", "c"]}))


def test_a_shape_is_run_as_often_as_asked_by_both_sides_and_ends_alike() -> None:
    timed = time_shape(SHAPES[0], 3, Colour(no_time, ASYNC.opened))
    assert len(timed.plain) == len(timed.accelerated) == 3
    assert {tuple(run.state["log"]) for run in (*timed.plain, *timed.accelerated)} == {("fast", "slow", "after_fast")}
    assert timed.dropped == 0


def test_sides_that_disagree_give_no_timing() -> None:
    given = iter(["LangGraph's", "another"])

    def build(sleep: Sleep) -> Builder:
        said = next(given)

        async def node(state: ChainState) -> dict[str, str]:
            return {"a": said}

        return cast(Builder, StateGraph(ChainState)).add_node("node", node).add_edge(START, "node")

    with pytest.raises(UnequalStates, match=r"two-faced: the final states differ at \$\.a"):
        time_shape(Shape("two-faced", build, {"question": "?"}, 0.0, 0.0), 1, ASYNC)


@pytest.mark.parametrize("option", ["--repeats", "--chain-repeats", "--bound-repeats"])
def test_a_count_below_one_is_refused_by_name(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args(["--sync", option, "0"])) == 2
    assert capsys.readouterr().err == f"{option} must be at least 1\n"
