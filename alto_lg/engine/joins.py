"""Joins: list edges, which fire their target once, in the step after the last of their sources.

Owns who has arrived at which join, ahead of the committed step. Always true: a completion is told only when no source
may still fire earlier, because that one would complete the join, and so fire the target, at another step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from alto_lg.engine.frontier import Frontier
from alto_lg.engine.plan import Join, Plan


class Joins:
    """The joins of one run."""

    def __init__(self, plan: Plan) -> None:
        self._joins = {join.channel: join for join in plan.joins}
        self._seen: dict[str, frozenset[str]] = {}
        self._arrivals: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))

    def begin(self, step: int, seen: Mapping[str, frozenset[str]]) -> None:
        """Everything before `step` is committed, and the joins have seen these."""
        self._seen = {
            channel: frozenset() if arrived == self._joins[channel].sources else arrived
            for channel, arrived in seen.items()
        }
        for arrivals in self._arrivals.values():
            for earlier in [at for at in arrivals if at < step]:
                del arrivals[earlier]

    def arrive(self, channel: str, step: int, source: str) -> None:
        """A firing of `source` at `step` reached a join."""
        self._arrivals[channel][step].add(source)

    def completed(self, frontier: Frontier) -> Iterator[tuple[str, int]]:
        """The targets of completed joins, each with the step in which it fires."""
        for channel, arrivals in self._arrivals.items():
            join = self._joins[channel]
            for step in self._completed_at(join, arrivals):
                if frontier.may_fire(join.sources, step):
                    break
                yield join.target, step + 1

    def _completed_at(self, join: Join, arrivals: Mapping[int, set[str]]) -> Iterator[int]:
        """The steps in which the join is completed; LangGraph empties it each time."""
        seen = set(self._seen.get(join.channel, frozenset()))
        for step in sorted(arrivals):
            seen |= arrivals[step]
            if seen >= join.sources:
                yield step
                seen = set()
