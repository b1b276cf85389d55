"""Verdict: is a ratio worse than the stored one, beyond noise? Pure.

A loss is: the lower end of the 95 % interval of the new ratio lies above 1.10 times the stored ratio (1.5 times, for
the processor time of cases that say so). A figure that is
exact has an interval of no width. A loss has to show again, in two longer measurements of their own, before it counts:
noise that fooled one interval of twenty is not likely to fool three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from alto_lg.comparisons.statistics import Interval

WORSE_MAX = 1.10
UNLIKE_WORSE_MAX = 1.5
"""Of processor time, where the sides are code of different kinds: a busy machine slows one down more than the other."""
TRIES = 3
LONGER = 3

STEADY = 0.06

Outcome = Literal["same", "loss", "gain", "new"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one ratio beside the stored one."""

    outcome: Outcome
    ratio: Interval
    stored: float | None


def judge(ratio: Interval, stored: float | None, worse_max: float = WORSE_MAX) -> Verdict:
    """One measurement beside what was stored."""
    if stored is None:
        return Verdict("new", ratio, None)
    if ratio.low > worse_max * stored:
        return Verdict("loss", ratio, stored)
    return Verdict("gain" if ratio.high * worse_max < stored else "same", ratio, stored)


def settle(
    first: Interval, stored: float | None, again: Callable[[int], Interval], worse_max: float = WORSE_MAX
) -> Verdict:
    """The verdict after as many tries as it needs; `again(times)` measures anew, so many times as long."""
    verdict = judge(first, stored, worse_max)
    for _ in range(TRIES - 1):
        if verdict.outcome != "loss":
            break
        verdict = judge(again(LONGER), stored, worse_max)
    return verdict


def steady(first: Interval, again: Callable[[int], Interval]) -> Interval:
    """A ratio to keep: the narrowest interval of as many tries as it takes to find one that is narrow."""
    found = [first]
    while len(found) < TRIES and min(map(_width, found)) > STEADY:
        found.append(again(LONGER))
    return min(found, key=_width)


def _width(ratio: Interval) -> float:
    return (ratio.high - ratio.low) / ratio.value
