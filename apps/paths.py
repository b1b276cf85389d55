"""The longest path through a request, from how long its pieces took. Pure.

Two ways to put the same pieces together: `Paths`, where each starts as soon as what it needs has ended, and
`in_steps_s`, where all of a step wait for its longest, as LangGraph runs a graph.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable


class Paths:
    """When each piece ends. Pieces are added after those that they need, so there can be no circle."""

    def __init__(self) -> None:
        self._ends_s: dict[Hashable, float] = {}

    def add(self, piece: Hashable, took_s: float, *needs: Hashable) -> None:
        """A piece that starts when all that it needs has ended; at 0 when it needs nothing."""
        if piece in self._ends_s:
            raise ValueError(f"piece {piece!r} was added before: give each piece a name of its own")
        self._ends_s[piece] = self.end_s(*needs) + took_s

    def end_s(self, *pieces: Hashable) -> float:
        """When the last of these has ended; 0 when there are none."""
        return max((self._ends_s[piece] for piece in pieces), default=0.0)


def in_steps_s(steps: Iterable[Iterable[float]]) -> float:
    """Seconds of steps one after the other, each as long as its longest task; a step without tasks takes no time."""
    return sum(max(tasks, default=0.0) for tasks in steps)
