"""A queue of work that all proceeds at one speed, where the speed may change at any time.

Owns one virtual clock: its *position* grows by `rate` a second. An entry falls due at a fixed position, so a change
of speed moves every due time at once without touching an entry, and rounding cannot accumulate over tokens.
Always true: time never runs backwards, and entries at the same position come out in the order they went in.
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class PacedQueue(Generic[T]):
    """Entries ordered by the position at which they fall due."""

    __slots__ = ("_as_of", "_heap", "_position", "_rate", "_sequence")

    def __init__(self, now: float, rate: float = 1.0) -> None:
        self._as_of = now
        self._position = 0.0
        self._rate = rate
        self._heap: list[tuple[float, int, T]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._heap)

    def set_rate(self, rate: float, now: float) -> None:
        """From `now` on, positions grow by `rate` a second."""
        self._position = self._position_at(now)
        self._as_of = now
        self._rate = rate

    def add(self, work: float, entry: T, now: float) -> None:
        """Put in an entry that falls due `work` positions from `now`."""
        self._sequence += 1
        heapq.heappush(self._heap, (self._position_at(now) + work, self._sequence, entry))

    def due(self) -> float | None:
        """When the first entry falls due if the speed stays as it is."""
        if not self._heap:
            return None
        return max(self._as_of, self._as_of + (self._heap[0][0] - self._position) / self._rate)

    def pop(self) -> T:
        return heapq.heappop(self._heap)[2]

    def discard(self, entry: T) -> None:
        """Take out an entry before it is due, if it is there. Linear in the queue: for rare events."""
        kept = [item for item in self._heap if item[2] is not entry]
        if len(kept) < len(self._heap):
            heapq.heapify(kept)
            self._heap = kept

    def _position_at(self, now: float) -> float:
        return self._position + (now - self._as_of) * self._rate
