"""`python -m alto_lg.comparisons.shapes`: the synthetic graphs, plain and accelerated, against their limits.

Always true: both sides' final states are equal, or no time is printed; the two sides take turns within one
process and one event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from alto_lg import accelerate
from alto_lg.comparisons.answers import Place, first_difference
from alto_lg.comparisons.machine import machine, versions
from alto_lg.comparisons.measure import Graph, early_work
from alto_lg.comparisons.shape_graphs import LONG_CHAIN, Shape, timed_shapes
from alto_lg.comparisons.statistics import Interval, median, ratio_of_medians
from alto_lg.comparisons.table import interval, number, output_console

_WITHIN_PERCENT = 3.0
_COST_AT_MOST = 1.10
_STEPS_MAX = 200


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side."""

    wall_s: float
    cpu_s: float
    state: Any


@dataclass(frozen=True, slots=True)
class Timing:
    """All runs of one shape: both sides, in pairs, and the early results dropped in all of them."""

    shape: Shape
    plain: tuple[Run, ...]
    accelerated: tuple[Run, ...]
    early_starts: int
    dropped: int

    @property
    def above_limit_percent(self) -> float:
        """How much longer than the limit the accelerated side takes, by its median."""
        return 100 * (median([run.wall_s for run in self.accelerated]) / self.shape.limit_s - 1)


class UnequalStates(Exception):
    """The two sides ended in different states, so their times mean nothing."""

    def __init__(self, shape: str, place: Place) -> None:
        super().__init__(
            f"{shape}: the final states differ at {place.path}: LangGraph {place.expected}, "
            f"accelerated {place.found}; no time is printed."
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--repeats", type=int, default=5, help="runs of each side of a timed shape (default 5)")
    parser.add_argument("--chain-repeats", type=int, default=200, help="the same for the long chain (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of hop times and resampling (default 0)")


def run(options: argparse.Namespace) -> int:
    """0 with both tables; 1 when the sides' states differ."""
    for name in ("repeats", "chain_repeats"):
        if getattr(options, name) < 1:
            print(f"--{name.replace('_', '-')} must be at least 1", file=sys.stderr)
            return 2
    try:
        timed = [asyncio.run(time_shape(shape, options.repeats)) for shape in timed_shapes(options.seed)]
        chain = asyncio.run(time_shape(LONG_CHAIN, options.chain_repeats))
    except UnequalStates as unequal:
        print(unequal, file=sys.stderr)
        return 1
    console = output_console()
    console.print(limits_table(timed))
    console.print(cost_table(chain, options.seed))
    console.print(f"Final states were equal in every run. {_made_with()}")
    return 0


def _made_with() -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in versions().items())
    computer = machine()
    return f"{libraries}; {computer['cpus']} cpus, {computer['processor']}."


async def time_shape(shape: Shape, repeats: int) -> Timing:
    """Both sides of a shape, taking turns at being first, after one run of each that is not counted."""
    plain = shape.build(asyncio.sleep).compile()
    accelerated = accelerate(shape.build(asyncio.sleep).compile(), **shape.options)
    runs: dict[bool, list[Run]] = {False: [], True: []}
    early_starts = dropped = 0
    for turn in range(-1, repeats):
        for early in (turn % 2 == 0, turn % 2 == 1):
            ended = await run_once(accelerated if early else plain, shape)
            if early:
                told = early_work(accelerated)
                early_starts, dropped = early_starts + told.early_starts, dropped + told.dropped
            if turn >= 0:
                runs[early].append(ended)
        check_equal(shape, runs[False][-1:], runs[True][-1:])
    return Timing(shape, tuple(runs[False]), tuple(runs[True]), early_starts, dropped)


async def run_once(graph: Graph, shape: Shape) -> Run:
    """One run, with the garbage of the one before collected first."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    state = await graph.ainvoke(dict(shape.given), {"recursion_limit": _STEPS_MAX})
    return Run(time.perf_counter() - wall, time.process_time() - cpu, state)


def check_equal(shape: Shape, plain: Sequence[Run], accelerated: Sequence[Run]) -> None:
    """`UnequalStates` when a pair of runs ended differently."""
    for one, other in zip(plain, accelerated, strict=True):
        place = first_difference(one.state, other.state)
        if place is not None:
            raise UnequalStates(shape.name, place)


def limits_table(timed: Sequence[Timing]) -> Table:
    """How close each shape comes to its longest path."""
    title = f"Median seconds of {len(timed[0].plain)} runs against the longest true path"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("shape", no_wrap=True)
    for name in ("limit", "LangGraph", "accelerated", "above limit (%)", f"≤ {_WITHIN_PERCENT:g} %", "dropped"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in timed:
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


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.shapes`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.shapes", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
