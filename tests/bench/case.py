"""Case: one piece of work that both sides do, and which of its figures are kept.

Owns the words of the benchmarks. Always true: a figure is a ratio, accelerated by LangGraph (or by another yardstick
of the same process), so less is better and it holds on another machine; both sides of a case give equal results.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from alto_lg.comparisons.answers import first_difference

Figure = Literal["cpu", "calls", "memory", "latency"]
"""cpu: seconds of processor time, measured in pairs; kept of every case. calls: functions called. memory: the most
bytes at a time. latency: seconds on the virtual clock. The last three hardly differ between runs of the same code."""

Side = Callable[[], Any]
"""Does the work once and gives what both sides must agree on."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a case, ready to run as often as is asked for."""

    plain: Side
    ours: Side


@dataclass(frozen=True, slots=True)
class Exact:
    """One side under counting: what it gave, and figures that are the same each time."""

    result: Any
    calls: int
    memory_bytes: int
    latency_s: float


class Case(Protocol):
    """What can be measured."""

    @property
    def name(self) -> str:
        """Names the case in the table, in the stored ratios and to `--only`."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures that are kept of it."""

    @property
    def cpu_worse_max(self) -> float:
        """How many times the stored ratio of processor time is still no loss."""

    def opened(self) -> AbstractContextManager[Sides]:
        """Both sides, for processor time."""

    def counted(self) -> tuple[Exact, Exact]:
        """One run of each side under counting, LangGraph first; only asked of a case that has such figures."""


class UnequalResults(AssertionError):
    """The two sides disagree, so that no figure of theirs means anything."""

    def __init__(self, case: str, place: str) -> None:
        super().__init__(
            f"{case}: the sides give different results, so no figure is kept: {place}. "
            f"Make them agree first; the tests in tests/dropin are for that."
        )


def check_equal(case: str, expected: Any, found: Any) -> None:
    """`UnequalResults` when the two sides disagree."""
    if expected == found:
        return
    place = first_difference(_as_json(expected), _as_json(found))
    if place is None:
        raise UnequalResults(case, f"LangGraph {expected!r:.100}, accelerated {found!r:.100}")
    raise UnequalResults(case, f"at {place.path}, LangGraph {place.expected}, accelerated {place.found}")


def _as_json(result: Any) -> Any:
    return json.loads(json.dumps(result, default=repr))
