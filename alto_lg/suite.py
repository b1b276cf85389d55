"""Suite: what happened to the graphs of a test suite that ran accelerated, and how that is told.

Owns the counts of one process, which add up over processes. Always true: a count names the tests that it comes from.
Knows nothing of pytest.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alto_lg.engine.statistics import RunStatistics

OUTSIDE = "outside any test"
"""Where what happens while the suite is collected is said to have happened."""

RUN_ENDED = "the run ended"
"""How the reason of a drop begins that the contract asks for: what ran ahead of a failure is thrown away."""

_TESTS_SHOWN = 3


@dataclass(slots=True)
class Cases:
    """How often each thing was said, and in which tests."""

    counts: dict[str, int] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=dict)

    def add(self, text: str, test: str, count: int = 1) -> None:
        self.counts[text] = self.counts.get(text, 0) + count
        tests = self.tests.setdefault(text, [])
        if test not in tests[-1:]:  # what one test does comes in one piece
            tests.append(test)

    def total(self) -> int:
        return sum(self.counts.values())

    def include(self, other: Cases) -> None:
        for text, count in other.counts.items():
            self.counts[text] = self.counts.get(text, 0) + count
            self.tests.setdefault(text, []).extend(other.tests[text])

    def lines(self) -> Iterator[str]:
        """The most frequent first; each with the first few of its tests."""
        for text, count in sorted(self.counts.items(), key=lambda entry: (-entry[1], entry[0])):
            yield f"{count:>6}  {text}"
            tests = self.tests[text]
            yield from (f"          {test}" for test in tests[:_TESTS_SHOWN])
            if len(tests) > _TESTS_SHOWN:
                yield f"          and {len(tests) - _TESTS_SHOWN} more"


@dataclass(slots=True)
class SuiteCounts:
    """What is told at the end.

    graphs: that were accelerated. by_hand: that were made as `Pregel(...)`, and so cannot be, by the tests making them.
    firings: those of runs that were not left to LangGraph's steps. saved_s: the sum of what each run estimates to have
        saved, in seconds.
    """

    graphs: int = 0
    by_hand: Cases = field(default_factory=Cases)
    runs: int = 0
    firings: int = 0
    early_starts: int = 0
    saved_s: float = 0.0
    stepwise: Cases = field(default_factory=Cases)
    plain: Cases = field(default_factory=Cases)
    dropped: Cases = field(default_factory=Cases)
    warned: Cases = field(default_factory=Cases)

    def include(self, other: SuiteCounts) -> None:
        """Add the counts of another process."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Cases):
                mine.include(theirs)
            else:
                setattr(self, name, mine + theirs)

    def to_plain(self) -> dict[str, Any]:
        """As dictionaries, lists, text and numbers, to be sent to another process."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: [value.counts, value.tests] if isinstance(value, Cases) else value for name, value in values.items()
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SuiteCounts:
        values: dict[str, Any] = {}
        for name, value in plain.items():
            values[name] = Cases(*value) if isinstance(value, list) else value
        return cls(**values)

    def lines(self) -> Iterator[str]:
        """The summary."""
        yield f"graphs accelerated: {self.graphs}"
        yield f"graphs built by hand as Pregel(...), which cannot be: {self.by_hand.total()}"
        yield (
            f"runs: {self.runs}, of which {self.stepwise.total()} kept step by step as the suite asks, "
            f"{self.plain.total()} fell back to plain LangGraph"
        )
        share = self.early_starts / self.firings if self.firings else 0.0
        yield (
            f"firings of the other runs: {self.firings}, started early: {self.early_starts} ({share:.0%}), "
            f"saved: {self.saved_s:.2f} s"
        )
        yield from _section("runs kept step by step, because the suite asks for it", self.stepwise)
        yield from _section("runs that fell back to plain LangGraph", self.plain)
        yield from _section("results dropped", self.dropped)
        yield from _section("AltoWarnings", self.warned)


def _section(title: str, cases: Cases) -> Iterator[str]:
    yield f"{title}: {cases.total()}"
    yield from cases.lines()


class Recorder:
    """Counts what happens in this process, on any thread, under the test that is running.

    incidents: what happened since `take_incidents`, in words, that keeps a run from being accelerated in full.
    """

    def __init__(self) -> None:
        self.counts = SuiteCounts()
        self.test: str | None = None
        self._incidents: list[str] = []
        self._lock = threading.Lock()

    def graph_made(self) -> None:
        with self._lock:
            self.counts.graphs += 1

    def built_by_hand(self, kind: str) -> None:
        with self._lock:
            self.counts.by_hand.add(kind, self._where())

    def run_ended(self, name: str, run: RunStatistics) -> None:
        """A run of the graph of that name has ended."""
        with self._lock:
            where, counts = self._where(), self.counts
            counts.runs += 1
            if run.stepwise is not None:
                counts.stepwise.add(run.stepwise, where)
            if run.plain is not None:
                counts.plain.add(run.plain, where)
                self._incidents.append(f"a run of graph {name!r} fell back to plain LangGraph: {run.plain}")
            if run.nested:
                return  # the run around it has its figures
            counts.firings += run.firings
            counts.early_starts += run.early_starts
            counts.saved_s += run.time_saved_s
            for why, count in run.dropped_why.items():
                counts.dropped.add(why, where, count)
                if not why.startswith(RUN_ENDED):
                    self._incidents.append(f"a run of graph {name!r} dropped {count} early result(s): {why}")

    def warned(self, text: str) -> None:
        """An AltoWarning was given."""
        with self._lock:
            self.counts.warned.add(text, self._where())
            self._incidents.append(f"AltoWarning: {text}")

    def take_incidents(self) -> list[str]:
        with self._lock:
            taken, self._incidents = self._incidents, []
        return taken

    def _where(self) -> str:
        return self.test or OUTSIDE
