"""Statistics of one run: what overlapped, what it saved, what was thrown away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """What one run did; complete when the run has ended. Runs of subgraphs count in, but for the times.

    firings: executions of nodes that were committed.
    early_starts: executions that began before their step, committed or not.
    dropped: early executions whose result was not used.
    dropped_why: number of them by reason.
    unpromised: partial updates on which a conditional edge raised, and predictions of replayed nodes that did not hold,
        so that nothing was started.
    early_tools: tools that began while the model was still writing, in their step's stead or for nothing.
    dropped_tools: those of them whose result was not used. dropped_tools_why: number of them by reason.
    steps: steps that were committed.
    wall_s: seconds from the first step to the last commit.
    time_saved_s: seconds that the same firings would have taken longer in supersteps: the sum over the steps of the
        longest firing of each, less `wall_s`; an estimate from this run alone, never below zero.
    nested: whether it ran inside a run that counts its firings already.
    plain: why the run fell back to plain LangGraph, or None.
    stepwise: why the run kept LangGraph's steps apart because its caller asked for that, or None.
    """

    firings: int = 0
    early_starts: int = 0
    dropped: int = 0
    dropped_why: Mapping[str, int] = field(default_factory=dict)
    unpromised: int = 0
    early_tools: int = 0
    dropped_tools: int = 0
    dropped_tools_why: Mapping[str, int] = field(default_factory=dict)
    steps: int = 0
    wall_s: float = 0.0
    time_saved_s: float = 0.0
    nested: bool = False
    plain: str | None = None
    stepwise: str | None = None


class Tally:
    """Counts of a run that is going on."""

    def __init__(self) -> None:
        self.firings = 0
        self.early_starts = 0
        self.unpromised = 0
        self.early_tools = 0
        self._dropped_why: Counter[str] = Counter()
        self._dropped_tools_why: Counter[str] = Counter()
        self._longest_s: defaultdict[int, float] = defaultdict(float)
        self._inner: list[RunStatistics] = []
        self._started: float | None = None
        self._ended = 0.0

    def step_began(self, now: float) -> None:
        if self._started is None:
            self._started = now

    def ran(self, step: int, started: float, ended: float) -> None:
        """A firing of `step` ran from `started` to `ended`, on any clock that only goes forward."""
        self._longest_s[step] = max(self._longest_s[step], ended - started)
        self._ended = max(self._ended, ended)

    def dropped(self, why: str) -> None:
        self._dropped_why[why] += 1

    def tools(self, started: int, dropped_why: Mapping[str, int]) -> None:
        """So many tools began early; those that were for nothing, by reason."""
        self.early_tools += started
        self._dropped_tools_why.update(dropped_why)

    def include(self, inner: RunStatistics) -> None:
        """A run of a subgraph, inside this run, has ended; on any thread."""
        self._inner.append(inner)

    def result(self) -> RunStatistics:
        wall_s = 0.0 if self._started is None else max(0.0, self._ended - self._started)
        dropped_why = sum((Counter(inner.dropped_why) for inner in self._inner), self._dropped_why)
        tools_why = sum((Counter(inner.dropped_tools_why) for inner in self._inner), self._dropped_tools_why)
        return RunStatistics(
            firings=self.firings + sum(inner.firings for inner in self._inner),
            early_starts=self.early_starts + sum(inner.early_starts for inner in self._inner),
            unpromised=self.unpromised + sum(inner.unpromised for inner in self._inner),
            early_tools=self.early_tools + sum(inner.early_tools for inner in self._inner),
            dropped_tools=tools_why.total(),
            dropped_tools_why=dict(tools_why),
            dropped=dropped_why.total(),
            dropped_why=dict(dropped_why),
            steps=len(self._longest_s),
            wall_s=wall_s,
            time_saved_s=max(0.0, sum(self._longest_s.values()) - wall_s),
        )
