"""Pairs: both sides of a case run in turns, A B B A, and their processor time and wall time are noted.

Owns the samples of one measurement. Always true: each sample of one side has one of the other beside it, taken within
the same moment, so that a machine that slows down slows both; results are equal in every pair, or it ends there.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.case import Case, Side, Sides, check_equal

PAIRS_MIN = 9
PAIRS_MAX = 400

Drive = Callable[["Pairs", int], None]
"""Runs so many pairs. That of pytest-benchmark lets it note our side as well."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one side."""

    cpu_s: float
    wall_s: float


@dataclass(slots=True)
class Pairs:
    """The runs so far. A pair is `begin`, `run_ours`, `end`: LangGraph's run is in the first or the last of them."""

    case: str
    sides: Sides
    plain: list[Sample] = field(default_factory=list)
    ours: list[Sample] = field(default_factory=list)
    _expected: Any = None
    _found: Any = None

    def begin(self) -> None:
        if len(self.ours) % 2 == 0:
            self._run_plain()
        gc.collect()  # of what was made since the freeze: what one side leaves behind must not cost the other

    def run_ours(self) -> None:
        sample, self._found = _timed(self.sides.ours)
        self.ours.append(sample)

    def end(self) -> None:
        if len(self.ours) % 2 == 0:
            self._run_plain()
        check_equal(self.case, self._expected, self._found)

    def _run_plain(self) -> None:
        gc.collect()
        sample, self._expected = _timed(self.sides.plain)
        self.plain.append(sample)


def drive(pairs: Pairs, count: int) -> None:
    """By a plain loop."""
    for _ in range(count):
        pairs.begin()
        pairs.run_ours()
        pairs.end()


def measure(case: Case, seconds: float, driver: Drive = drive) -> Pairs:
    """As many pairs as fit into so many seconds, within bounds, after two that are not counted."""
    with case.opened() as sides, _small_heap():
        drive(Pairs(case.name, sides), 1)  # the first run of a graph does what is done once
        started = time.perf_counter()
        drive(Pairs(case.name, sides), 1)
        pair_s = time.perf_counter() - started
        pairs = Pairs(case.name, sides)
        driver(pairs, max(PAIRS_MIN, min(PAIRS_MAX, round(seconds / pair_s))))
    return pairs


@contextmanager
def _small_heap() -> Iterator[None]:
    """What exists already is left out of every collection: walking it would hide the work of a short run."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _timed(side: Side) -> tuple[Sample, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = side()
    return Sample(time.process_time() - cpu, time.perf_counter() - wall), result
