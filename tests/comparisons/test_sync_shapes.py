"""The synchronous graphs: the same graphs as the asynchronous ones, overlapped on threads, and LangGraph's own pool.

Orders are forced by waits of one node for another: where nodes that should run side by side do not, a wait runs out.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

import alto_lg
from alto_lg.adapters.langgraph.threads import NODES_AT_ONCE_MAX
from alto_lg.comparisons import shape_graphs
from alto_lg.comparisons.measure import Graph, early_work
from alto_lg.comparisons.shape_graphs import CHAIN_NODES, ITEMS, Shape
from alto_lg.comparisons.shapes import (
    SYNC,
    Bound,
    BoundTiming,
    Colour,
    CountingSleep,
    Run,
    bounds_table,
    bounds_to_time,
    time_bounds,
    time_shape,
)
from alto_lg.comparisons.sync_shape_graphs import (
    NODES_AT_ONCE_DEFAULT,
    SYNC_LONG_CHAIN,
    fan_out_shape,
    pool_threads,
    step_s,
    sync_shapes,
)

PATIENCE_S = 5
SIBLING, JOIN, HOPS, CHAIN, FAN_OUT_21, FAN_OUT_200, STREAMED = sync_shapes(seed=0)
SHAPES = (SIBLING, JOIN, HOPS, CHAIN, FAN_OUT_21, FAN_OUT_200, STREAMED, SYNC_LONG_CHAIN)
TWINS = {shape.build.__name__: shape for shape in (*shape_graphs.timed_shapes(seed=0), shape_graphs.LONG_CHAIN)}
TWINS["needless_chain"] = next(shape for shape in shape_graphs.timed_shapes(seed=0) if shape.options)
TWINS["sync_streamed_items"] = TWINS["streamed_items"]


def names(value: object) -> str:
    return value.build.__name__ if isinstance(value, Shape) else str(value)


every_shape = pytest.mark.parametrize("shape", SHAPES, ids=names)
every_twin = pytest.mark.parametrize("shape", [one for one in SHAPES if one.build.__name__ in TWINS], ids=names)
every_fan_out = pytest.mark.parametrize(("shape", "width"), [(FAN_OUT_21, 21), (FAN_OUT_200, 200)], ids=names)


def no_time(seconds: float) -> None:
    """In place of a sleep."""


def ended(shape: Shape, graph: Graph, **settings: Any) -> Any:
    """The final state of one run."""
    return graph.invoke(dict(shape.given), {"recursion_limit": 200, **settings})


def accelerated(shape: Shape, sleep: Callable[[float], Any]) -> Graph:
    return alto_lg.accelerate(shape.build(sleep).compile(), **shape.options)


def in_langgraph(shape: Shape) -> Any:
    """The final state of a plain run."""
    return ended(shape, shape.build(no_time).compile())


class Ended:
    """So many ends of sleeps, which one node waits for."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._ends = threading.Semaphore(0)

    def add(self) -> None:
        self._ends.release()

    def wait(self) -> None:
        for _ in range(self._count):
            if not self._ends.acquire(timeout=PATIENCE_S):
                raise TimeoutError("the nodes that should run beside this one did not")


# ── the same graphs ─────────────────────────────────────────────────────────────────────────────────────────────────


@every_twin
def test_a_synchronous_shape_has_the_nodes_edges_and_limit_of_its_asynchronous_twin(shape: Shape) -> None:
    twin = TWINS[shape.build.__name__]
    ours, theirs = (one.build(no_time).compile().get_graph() for one in (shape, twin))
    assert (list(ours.nodes), ours.edges) == (list(theirs.nodes), theirs.edges)
    assert (shape.given, shape.limit_s, shape.options) == (twin.given, twin.limit_s, twin.options)


@every_twin
def test_a_synchronous_shape_sleeps_and_ends_as_its_asynchronous_twin(shape: Shape) -> None:
    twin = TWINS[shape.build.__name__]
    ours: list[float] = []
    theirs: list[float] = []

    async def sleep(seconds: float) -> None:
        theirs.append(seconds)

    state = ended(shape, shape.build(ours.append).compile())
    assert state == asyncio.run(twin.build(sleep).compile().ainvoke(dict(twin.given), {"recursion_limit": 200}))
    assert sorted(ours) == sorted(theirs)


@every_shape
def test_an_accelerated_shape_ends_in_the_state_of_langgraph(shape: Shape) -> None:
    app = accelerated(shape, no_time)
    assert ended(shape, app) == in_langgraph(shape)
    work = early_work(app)
    assert (work.plain, work.dropped) == (None, 0)


def test_results_come_out_in_the_order_in_which_they_were_sent() -> None:
    assert in_langgraph(HOPS)["results"] == list(range(ITEMS))
    assert in_langgraph(FAN_OUT_200)["results"] == list(range(200))
    assert in_langgraph(SYNC_LONG_CHAIN) == {"count": CHAIN_NODES}


# ── what overlaps ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("shape", "long_s"), [(SIBLING, 1.2), (JOIN, 0.5)], ids=names)
def test_two_nodes_in_a_row_run_beside_a_long_one(shape: Shape, long_s: float) -> None:
    short = Ended(2)

    def sleep(seconds: float) -> None:
        short.wait() if seconds == long_s else short.add()

    app = accelerated(shape, sleep)
    assert ended(shape, app) == in_langgraph(shape)
    work = early_work(app)
    assert (work.early_starts, work.dropped) == (1, 0)


def test_an_item_goes_through_all_hops_beside_the_longest_first_hop() -> None:
    first_s, _, third_s = zip(*HOPS.given["hops_s"], strict=True)
    through = Ended(ITEMS - 1)

    def sleep(seconds: float) -> None:
        if seconds == max(first_s):
            through.wait()
        elif seconds in third_s:
            through.add()

    app = accelerated(HOPS, sleep)
    assert ended(HOPS, app) == in_langgraph(HOPS)
    work = early_work(app)
    assert (work.early_starts, work.dropped) == (2 * (ITEMS - 1), 0)


def test_a_node_that_does_not_need_the_one_before_runs_beside_it() -> None:
    arrivals, both = itertools.count(), threading.Barrier(2)

    def sleep(seconds: float) -> None:
        if next(arrivals) < both.parties:
            both.wait(PATIENCE_S)

    app = accelerated(CHAIN, sleep)
    assert ended(CHAIN, app) == in_langgraph(CHAIN)
    assert early_work(app).dropped == 0


@every_fan_out
def test_an_accelerated_fan_out_runs_all_its_packets_at_once(shape: Shape, width: int) -> None:
    everyone = threading.Barrier(width)
    assert ended(shape, accelerated(shape, lambda seconds: everyone.wait(PATIENCE_S))) == in_langgraph(shape)


# ── LangGraph's pool ────────────────────────────────────────────────────────────────────────────────────────────────


def test_langgraph_runs_as_many_nodes_at_once_as_is_said_of_its_pool() -> None:
    threads = pool_threads()
    shape = fan_out_shape(3 * threads, 0.1)
    at_once, lock, running, most = threading.Barrier(threads), threading.Lock(), 0, 0

    def sleep(seconds: float) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        at_once.wait(PATIENCE_S)
        with lock:
            running -= 1

    ended(shape, shape.build(sleep).compile())
    assert most == threads


@pytest.mark.parametrize(
    ("lengths_s", "threads", "expected_s"),
    [
        ([0.2] * 21, 16, 0.4),
        ([0.2] * 21, 32, 0.2),
        ([0.1] * 200, 6, 3.4),
        ([0.1] * 1000, 256, 0.4),
        ([0.5, 0.1, 0.1, 0.1], 2, 0.5),
        ([0.1, 0.1, 0.5], 2, 0.6),
        ([0.3], 8, 0.3),
    ],
)
def test_a_step_takes_what_its_threads_take_in_turn(lengths_s: list[float], threads: int, expected_s: float) -> None:
    assert step_s(lengths_s, threads) == pytest.approx(expected_s)


@every_shape
def test_supersteps_take_at_least_the_longest_path(shape: Shape) -> None:
    assert shape.supersteps_s >= shape.limit_s


def test_supersteps_of_the_hops_take_at_least_what_they_take_without_a_pool() -> None:
    twin = TWINS["send_chain"]
    assert HOPS.supersteps_s >= twin.supersteps_s
    steps = zip(*HOPS.given["hops_s"], strict=True)
    assert sum(step_s(step, ITEMS) for step in steps) == pytest.approx(twin.supersteps_s)


# ── the table of nodes at once ──────────────────────────────────────────────────────────────────────────────────────


def test_the_default_that_the_table_names_is_the_one_that_threads_have() -> None:
    assert NODES_AT_ONCE_DEFAULT == NODES_AT_ONCE_MAX


def test_a_run_without_a_limit_of_its_own_keeps_to_the_default() -> None:
    shape = fan_out_shape(NODES_AT_ONCE_DEFAULT + 40, 0.1)
    first_ones, lock, running, most = threading.Barrier(NODES_AT_ONCE_DEFAULT), threading.Lock(), 0, 0
    arrivals = itertools.count()

    def sleep(seconds: float) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if next(arrivals) < first_ones.parties:
            first_ones.wait(PATIENCE_S)
        with lock:
            running -= 1

    assert ended(shape, accelerated(shape, sleep)) == in_langgraph(shape)
    assert most == NODES_AT_ONCE_DEFAULT


def test_a_counting_sleep_counts_the_threads_beside_those_before_it() -> None:
    sleep = CountingSleep()
    all_alive = threading.Barrier(3)

    def live() -> None:
        all_alive.wait(PATIENCE_S)
        sleep(0.0)
        all_alive.wait(PATIENCE_S)

    threads = [threading.Thread(target=live) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sleep.threads_max() == 3
    sleep(0.0)
    assert sleep.threads_max() == 0


def test_the_bounds_are_those_of_both_sides_as_they_are_and_then_each_limit() -> None:
    found = [(bound.accelerated, bound.max_concurrency, bound.nodes) for bound in bounds_to_time((6, 32))]
    assert found == [(False, None, pool_threads()), (True, None, NODES_AT_ONCE_MAX), (True, 6, 6), (True, 32, 32)]


def test_each_bound_is_run_as_often_as_asked() -> None:
    bounds = bounds_to_time((2,))
    timed = time_bounds(fan_out_shape(5, 0.0), bounds, 2)
    assert [one.bound for one in timed] == list(bounds)
    assert all(len(one.runs) == 2 and one.threads_max >= 1 for one in timed)
    assert {tuple(run.state["results"]) for one in timed for run in one.runs} == {(0, 1, 2, 3, 4)}


def test_a_synchronous_shape_is_run_as_often_as_asked_by_both_sides() -> None:
    timed = time_shape(HOPS, 2, Colour(no_time, SYNC.opened))
    assert len(timed.plain) == len(timed.accelerated) == 2
    assert timed.dropped == 0


def test_the_first_result_of_a_synchronous_stream_is_timed() -> None:
    timed = time_shape(STREAMED, 1, Colour(no_time, SYNC.opened))
    first = timed.of_first_results()
    assert first is not None
    assert 0 < first.accelerated[0].wall_s <= timed.accelerated[0].wall_s


def test_the_table_of_bounds_has_limit_times_and_threads(render: Callable[[object], str]) -> None:
    runs = tuple(Run(wall_s, wall_s / 10, {}) for wall_s in (0.5, 0.7, 0.6))
    one = BoundTiming(Bound("accelerated, max_concurrency=6", True, 6, 6), runs, 7)
    (line,) = [line for line in render(bounds_table(fan_out_shape(20, 0.1), [one])).splitlines() if "max_con" in line]
    assert line.split()[-5:] == ["6", "0.400", "0.600", "0.060", "7"]
