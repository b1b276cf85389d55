"""`python -m alto_lg.comparisons.shapes`: the synthetic graphs, plain and accelerated, against their limits.

With `--sync` they are graphs of plain functions that block, run by `invoke`; and a fan-out of 1,000 says what it costs
to let so many nodes run at once. Always true: both sides' final states are equal, or no time is printed; the two sides
take turns within one process and, where they are coroutines, one event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from rich import box
from rich.table import Table

from alto_lg import accelerate
from alto_lg.comparisons.answers import Place, first_difference
from alto_lg.comparisons.machine import made_with
from alto_lg.comparisons.measure import Graph, Outcome, early_work, follow, follow_in_thread
from alto_lg.comparisons.shape_graphs import LONG_CHAIN, Shape, timed_shapes
from alto_lg.comparisons.statistics import Interval, median, ratio_of_medians
from alto_lg.comparisons.sync_shape_graphs import (
    NODES_AT_ONCE_DEFAULT,
    SYNC_LONG_CHAIN,
    fan_out_shape,
    pool_threads,
    step_s,
    sync_shapes,
)
from alto_lg.comparisons.table import interval, number, output_console

_WITHIN_PERCENT = 3.0
_COST_AT_MOST = 1.10
_STEPS_MAX = 200
_NODES_AT_ONCE = (6, 32, 64, NODES_AT_ONCE_DEFAULT, 1000)
_WIDE = fan_out_shape(1000, 0.1)

Call = Callable[[Graph, Shape, RunnableConfig], Outcome]
"""One run of a shape's graph to its end, as a caller of one of LangGraph's two APIs makes it."""


@dataclass(frozen=True, slots=True)
class Colour:
    """Which of LangGraph's two APIs runs the graphs.

    sleep: what nodes of this colour wait with.
    opened: holds what the runs of a shape share.
    """

    sleep: Callable[[float], Any]
    opened: Callable[[], AbstractContextManager[Call]]


@contextmanager
def _one_event_loop() -> Iterator[Call]:
    with asyncio.Runner() as runner:
        yield lambda graph, shape, config: runner.run(_ended(graph, shape, config))


async def _ended(graph: Graph, shape: Shape, config: RunnableConfig) -> Outcome:
    if shape.first_node is not None:
        return await follow(graph, shape.first_node, shape.given)
    return Outcome(await graph.ainvoke(dict(shape.given), config), None)


@contextmanager
def _thread_of_caller() -> Iterator[Call]:
    yield _ended_in_thread


def _ended_in_thread(graph: Graph, shape: Shape, config: RunnableConfig) -> Outcome:
    if shape.first_node is not None:
        return follow_in_thread(graph, shape.first_node, shape.given)
    return Outcome(graph.invoke(dict(shape.given), config), None)


ASYNC = Colour(asyncio.sleep, _one_event_loop)
SYNC = Colour(time.sleep, _thread_of_caller)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side. first_s: until the first result, of a shape that has one."""

    wall_s: float
    cpu_s: float
    state: Any
    first_s: float | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """All runs of one shape: both sides, in pairs, and the early results dropped in all of them."""

    shape: Shape
    plain: tuple[Run, ...]
    accelerated: tuple[Run, ...]
    early_starts: int
    dropped: int

    def of_first_results(self) -> Timing | None:
        """The same of the times to the first result, if the shape has one."""
        if self.shape.first_node is None:
            return None
        name = f"  its first result, of {self.shape.first_node}"
        shape = replace(self.shape, name=name, limit_s=self.shape.first_limit_s, first_node=None)
        plain, accelerated = (tuple(map(_until_first, runs)) for runs in (self.plain, self.accelerated))
        return Timing(shape, plain, accelerated, self.early_starts, self.dropped)

    @property
    def above_limit_percent(self) -> float:
        """How much longer than the limit the accelerated side takes, by its median."""
        return 100 * (median([run.wall_s for run in self.accelerated]) / self.shape.limit_s - 1)


def _until_first(run: Run) -> Run:
    assert run.first_s is not None, "the node of the first result had no update"
    return replace(run, wall_s=run.first_s)


class UnequalStates(Exception):
    """The two sides ended in different states, so their times mean nothing."""

    def __init__(self, shape: str, place: Place) -> None:
        super().__init__(
            f"{shape}: the final states differ at {place.path}: LangGraph {place.expected}, "
            f"accelerated {place.found}; no time is printed."
        )


@dataclass(frozen=True, slots=True)
class Bound:
    """How many nodes a run of the wide fan-out may have under way.

    max_concurrency: what the caller sets; None for nothing.
    nodes: how many that are.
    """

    side: str
    accelerated: bool
    max_concurrency: int | None
    nodes: int


@dataclass(frozen=True, slots=True)
class BoundTiming:
    """All runs under one bound, and the most threads that any of them had made."""

    bound: Bound
    runs: tuple[Run, ...]
    threads_max: int


class CountingSleep:
    """`time.sleep` that notes how many threads are alive: those of a pool live until its run ends."""

    def __init__(self) -> None:
        self._alive: list[int] = []
        self._before = threading.active_count()

    def __call__(self, seconds: float) -> None:
        self._alive.append(threading.active_count())
        time.sleep(seconds)

    def threads_max(self) -> int:
        """The most beside those that were alive before; counting starts again."""
        alive, self._alive = self._alive, []
        return max(alive) - self._before


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--sync", action="store_true", help="graphs of plain functions that block, run by `invoke`")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each side of a timed shape (default 5)")
    parser.add_argument("--chain-repeats", type=int, default=200, help="the same for the long chain (default 200)")
    parser.add_argument(
        "--bound-repeats",
        type=int,
        default=3,
        help="with --sync: runs of the fan-out of 1,000 under each bound on the nodes at once (default 3)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of hop times and resampling (default 0)")


def run(options: argparse.Namespace) -> int:
    """0 with all tables; 1 when the sides' states differ; 2 for a count that is none."""
    for name in ("repeats", "chain_repeats", "bound_repeats"):
        if getattr(options, name) < 1:
            print(f"--{name.replace('_', '-')} must be at least 1", file=sys.stderr)
            return 2
    try:
        tables = _sync_tables(options) if options.sync else _async_tables(options)
    except UnequalStates as unequal:
        print(unequal, file=sys.stderr)
        return 1
    console = output_console()
    for table in tables:
        console.print(table)
    console.print(f"Final states were equal in every run. {made_with()}")
    return 0


def _async_tables(options: argparse.Namespace) -> list[Table]:
    timed = [time_shape(shape, options.repeats, ASYNC) for shape in timed_shapes(options.seed)]
    chain = time_shape(LONG_CHAIN, options.chain_repeats, ASYNC)
    return [limits_table(timed), cost_table(chain, options.seed)]


def _sync_tables(options: argparse.Namespace) -> list[Table]:
    timed = [time_shape(shape, options.repeats, SYNC) for shape in sync_shapes(options.seed)]
    chain = time_shape(SYNC_LONG_CHAIN, options.chain_repeats, SYNC)
    bounds = time_bounds(_WIDE, bounds_to_time(_NODES_AT_ONCE), options.bound_repeats)
    return [limits_table(timed), cost_table(chain, options.seed), bounds_table(_WIDE, bounds)]


def time_shape(shape: Shape, repeats: int, colour: Colour) -> Timing:
    """Both sides of a shape, taking turns at being first, after one run of each that is not counted."""
    plain = shape.build(colour.sleep).compile()
    accelerated = accelerate(shape.build(colour.sleep).compile(), **shape.options)
    runs: dict[bool, list[Run]] = {False: [], True: []}
    early_starts = dropped = 0
    with colour.opened() as call:
        for turn in range(-1, repeats):
            ended: dict[bool, Run] = {}
            for early in (turn % 2 == 0, turn % 2 == 1):
                ended[early] = run_once(accelerated if early else plain, shape, call)
            told = early_work(accelerated)
            early_starts, dropped = early_starts + told.early_starts, dropped + told.dropped
            check_equal(shape, ended[False], ended[True])
            if turn >= 0:
                for early in ended:
                    runs[early].append(ended[early])
    return Timing(shape, tuple(runs[False]), tuple(runs[True]), early_starts, dropped)


def run_once(graph: Graph, shape: Shape, call: Call, settings: Mapping[str, Any] | None = None) -> Run:
    """One run, with the garbage of the one before collected first."""
    config = cast(RunnableConfig, {"recursion_limit": _STEPS_MAX, **(settings or {})})
    gc.collect()
    wall, cpu = time.monotonic(), time.process_time()
    outcome = call(graph, shape, config)
    first_s = None if outcome.first_result_at is None else outcome.first_result_at - wall
    return Run(time.monotonic() - wall, time.process_time() - cpu, outcome.state, first_s)


def bounds_to_time(nodes_at_once: Sequence[int]) -> tuple[Bound, ...]:
    """Both sides as they are, then accelerated with each number of nodes at once as `max_concurrency`."""
    return (
        Bound("LangGraph, nothing set", False, None, pool_threads()),
        Bound("accelerated, nothing set", True, None, NODES_AT_ONCE_DEFAULT),
        *(Bound(f"accelerated, max_concurrency={nodes}", True, nodes, nodes) for nodes in nodes_at_once),
    )


def time_bounds(shape: Shape, bounds: Sequence[Bound], repeats: int) -> list[BoundTiming]:
    """The runs of one shape, the bounds taking turns, after one run of each side that is not counted."""
    sleep = CountingSleep()
    colour = Colour(sleep, SYNC.opened)
    plain, accelerated = shape.build(colour.sleep).compile(), shape.build(colour.sleep).compile()
    graphs = {False: plain, True: accelerate(accelerated, **shape.options)}
    runs: dict[Bound, list[Run]] = {bound: [] for bound in bounds}
    threads: dict[Bound, list[int]] = {bound: [] for bound in bounds}
    with colour.opened() as call:
        widest = {"max_concurrency": max(bound.nodes for bound in bounds)}
        expected, first = (run_once(graph, shape, call, widest) for graph in graphs.values())
        check_equal(shape, expected, first)
        sleep.threads_max()
        for bound in tuple(bounds) * repeats:
            settings = {} if bound.max_concurrency is None else {"max_concurrency": bound.max_concurrency}
            ended = run_once(graphs[bound.accelerated], shape, call, settings)
            check_equal(shape, expected, ended)
            runs[bound].append(ended)
            threads[bound].append(sleep.threads_max())
    return [BoundTiming(bound, tuple(runs[bound]), max(threads[bound])) for bound in bounds]


def check_equal(shape: Shape, plain: Run, accelerated: Run) -> None:
    """`UnequalStates` when the two runs ended differently."""
    place = first_difference(plain.state, accelerated.state)
    if place is not None:
        raise UnequalStates(shape.name, place)


def limits_table(timed: Sequence[Timing]) -> Table:
    """How close each shape comes to its longest path."""
    title = f"Median seconds of {len(timed[0].plain)} run(s) against the longest true path"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("shape", no_wrap=True)
    for name in ("limit", "LangGraph", "accelerated", "above limit (%)", f"≤ {_WITHIN_PERCENT:g} %", "dropped"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in (part for whole in timed for part in (whole, whole.of_first_results()) if part is not None):
        above = one.above_limit_percent
        table.add_row(
            one.shape.name,
            number(one.shape.limit_s),
            number(median([run.wall_s for run in one.plain])),
            number(median([run.wall_s for run in one.accelerated])),
            number(above, digits=1),
            "yes" if above <= _WITHIN_PERCENT else "no",
            str(one.dropped),
        )
    return table


def cost_table(chain: Timing, seed: int) -> Table:
    """What acceleration costs where there is nothing to overlap."""
    title = f"{chain.shape.name}: medians of {len(chain.plain)} runs, ratio [95 % CI]"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("time", "LangGraph (ms)", "accelerated (ms)", "ratio", f"≤ {_COST_AT_MOST:.2f}", "dropped"):
        table.add_column(name, justify="left" if name == "time" else "right", no_wrap=True)
    for name in ("wall", "cpu"):
        plain = [getattr(run, f"{name}_s") for run in chain.plain]
        accelerated = [getattr(run, f"{name}_s") for run in chain.accelerated]
        ratio: Interval = ratio_of_medians(accelerated, plain, seed=seed)
        table.add_row(
            "wall clock" if name == "wall" else "processor",
            number(1e3 * median(plain), digits=1),
            number(1e3 * median(accelerated), digits=1),
            interval(ratio),
            "yes" if ratio.value <= _COST_AT_MOST else "no",
            str(chain.dropped),
        )
    return table


def bounds_table(shape: Shape, timed: Sequence[BoundTiming]) -> Table:
    """What it takes and costs to let so many nodes run at once."""
    title = f"{shape.name}: medians of {len(timed[0].runs)} run(s), by the nodes that may run at once"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("nodes at once", "limit (s)", "wall clock (s)", "processor (s)", "threads"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in timed:
        table.add_row(
            one.bound.side,
            str(one.bound.nodes),
            number(step_s(shape.given["lengths_s"], one.bound.nodes)),
            number(median([run.wall_s for run in one.runs])),
            number(median([run.cpu_s for run in one.runs])),
            str(one.threads_max),
        )
    return table


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.shapes`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.shapes", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
