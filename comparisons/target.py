"""How many requests a second an arm bears while its latency stays under a target. Pure.

The target is 4 s, or a multiple of the unloaded median of the first arm where that is longer: an application that takes
6 s by itself can meet no target of 4 s at any rate. It applies to the 90th percentile first: a target is a promise to
nearly everybody, half of the users over it is none, and the 99th percentile of a trace of this length is the second or
third slowest request. The figure for the median is given beside it, because others report that.

Always true: between two measured rates latency is taken to grow in a straight line; nothing is said of rates above the
highest that was measured but that the target was still met there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from alto_lg.comparisons.statistics import Blocks, Interval, Values, chosen_blocks

TARGET_S = 4.0
TARGET_FACTOR = 2.0
PERCENTS = (90.0, 50.0)
RESAMPLES = 1000

Trace = Mapping[float, Blocks]
"""Rate → what was measured at it; rate 0 is one at a time."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests a second at the target. at_least: it was still met at the highest rate that was measured."""

    rate: float
    at_least: bool


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """Of one arm and one percentile.

    ratio: to the first arm; None where that may miss the target even by itself.
    ratio_is_cut_off: one of the two still met the target at the highest rate, so the true ratio is not known.
    """

    percent: float
    throughput: Throughput
    ratio: Interval | None
    ratio_is_cut_off: bool


def target_s(unloaded_median_s: float, least_s: float, factor: float) -> float:
    """The latency that is not to be exceeded."""
    return max(least_s, factor * unloaded_median_s)


def throughput(latencies_s: Mapping[float, float], target: float) -> Throughput:
    """The rate at which latency first reaches the target; `latencies_s` is rate → latency, and holds rate 0."""
    points = sorted(latencies_s.items())
    if points[0][1] > target:
        return Throughput(0.0, at_least=False)
    for (low, below_s), (high, above_s) in pairwise(points):
        if above_s > target:
            return Throughput(low + (high - low) * (target - below_s) / (above_s - below_s), at_least=False)
    return Throughput(points[-1][0], at_least=True)


def target_figures(of_arm: Trace, of_first: Trace, target: float, percent: float, *, seed: int) -> TargetFigures:
    """Both arms' blocks at each rate are drawn in pairs, because they had the same arrivals."""
    ours, theirs = _at(of_arm, None, target, percent), _at(of_first, None, target, percent)
    draws = [
        (_at(of_arm, chosen, target, percent).rate, _at(of_first, chosen, target, percent).rate)
        for chosen in _resamples(of_arm, of_first, seed)
    ]
    ratio = None
    if theirs.rate > 0 and all(below > 0 for _, below in draws):
        low, high = np.percentile([above / below for above, below in draws], [2.5, 97.5])
        ratio = Interval(ours.rate / theirs.rate, float(low), float(high))
    return TargetFigures(percent, ours, ratio, ours.at_least or theirs.at_least)


def _resamples(of_arm: Trace, of_first: Trace, seed: int) -> list[dict[float, Sequence[int]]]:
    if any(len(of_arm[rate]) != len(of_first[rate]) for rate in of_first):
        raise ValueError("both arms need the same number of blocks at every rate")
    source = np.random.default_rng(seed)
    return [{rate: chosen_blocks(source, len(blocks)) for rate, blocks in of_first.items()} for _ in range(RESAMPLES)]


def _at(trace: Trace, chosen: Mapping[float, Sequence[int]] | None, target: float, percent: float) -> Throughput:
    def pooled(rate: float, blocks: Blocks) -> Values:
        return np.concatenate(blocks if chosen is None else [blocks[place] for place in chosen[rate]])

    return throughput({rate: float(np.percentile(pooled(rate, one), percent)) for rate, one in trace.items()}, target)
