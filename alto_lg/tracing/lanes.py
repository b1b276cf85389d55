"""Lanes: pieces of work side by side, so that no two in one lane overlap. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush


def lanes(times: Sequence[tuple[float, float]]) -> list[int]:
    """The lane of each (start, end), as few lanes as there is work at once; the lowest that is free."""
    chosen = [0] * len(times)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for index in sorted(range(len(times)), key=lambda index: times[index]):
        started, ended = times[index]
        while busy and busy[0][0] <= started:
            heappush(free, heappop(busy)[1])
        chosen[index] = heappop(free) if free else len(busy)
        heappush(busy, (ended, chosen[index]))
    return chosen
