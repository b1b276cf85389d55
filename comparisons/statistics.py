"""Percentiles and bootstrap confidence intervals. Pure: the same values and seed give the same numbers.

What is drawn, with replacement, is a block: requests that overlapped are one, because each made the others wait; a
request that was alone is one by itself. And draws are paired: a ratio is always taken between the same blocks of both
sides, because requests differ far more from each other than arms do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

Blocks = Sequence[Values]
"""Values by the block in which they were measured."""

RESAMPLES = 4000
_RESAMPLES_AT_ONCE = 250
"""Bounds the memory of one draw: 250 resamples of 10,000 requests are 20 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return float(np.median(_checked(values)))


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear interpolation between the two nearest values, as NumPy's default."""
    return float(np.percentile(_checked(values), percent))


def median_interval(values: Sequence[float], *, seed: int) -> Interval:
    """The median of values that are independent, and its percentile-bootstrap interval."""
    return percentile_interval(each_alone(values), 50, seed=seed)


def ratio_of_medians(numerator: Sequence[float], denominator: Sequence[float], *, seed: int) -> Interval:
    """median(numerator) / median(denominator) of independent values, resampled in pairs."""
    return ratio_of_percentiles(each_alone(numerator), each_alone(denominator), 50, seed=seed)


def each_alone(values: Sequence[float]) -> Blocks:
    """Every value in a block of its own."""
    return list(_checked(values).reshape(-1, 1))


def percentile_interval(blocks: Blocks, percent: float, *, seed: int) -> Interval:
    """A percentile of all values, and its percentile-bootstrap interval over blocks."""
    sample = _checked(np.concatenate(blocks))
    draws = [np.percentile(sample[chosen], percent, axis=1) for chosen in _resamples(_sizes(blocks), seed)]
    return _interval(float(np.percentile(sample, percent)), np.concatenate(draws))


def ratio_of_percentiles(numerator: Blocks, denominator: Blocks, percent: float, *, seed: int) -> Interval:
    """The percentile of one side over that of the other, blocks resampled in pairs."""
    above, below = _checked(np.concatenate(numerator)), _checked(np.concatenate(denominator))
    sizes = _sizes(numerator)
    if sizes != _sizes(denominator):
        raise ValueError(f"a paired ratio needs equal lengths, got {len(above)} and {len(below)}, in equal blocks")
    if np.any(below <= 0):
        raise ValueError("a ratio needs a denominator above 0 in every pair")
    draws = [
        np.percentile(above[chosen], percent, axis=1) / np.percentile(below[chosen], percent, axis=1)
        for chosen in _resamples(sizes, seed)
    ]
    value = np.percentile(above, percent) / np.percentile(below, percent)
    return _interval(float(value), np.concatenate(draws))


def chosen_blocks(source: np.random.Generator, count: int) -> Sequence[int]:
    """One draw of as many blocks as there are."""
    return [int(place) for place in source.integers(0, count, size=count)]


def _checked(values: Sequence[float] | Values) -> Values:
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0 or not np.all(np.isfinite(sample)):
        raise ValueError(f"needs at least one value and only finite ones, got {list(values)!r}")
    return sample


def _sizes(blocks: Blocks) -> list[int]:
    return [len(block) for block in blocks]


def _resamples(sizes: Sequence[int], seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of positions in all values, each row a draw."""
    source = np.random.default_rng(seed)
    ends = np.cumsum(sizes)
    of_block = [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    for _ in range(RESAMPLES // _RESAMPLES_AT_ONCE):
        chosen = source.integers(0, len(sizes), size=(_RESAMPLES_AT_ONCE, len(sizes)))
        if len(set(sizes)) == 1:
            yield np.stack(of_block)[chosen].reshape(_RESAMPLES_AT_ONCE, -1)
        else:
            yield from (np.concatenate([of_block[place] for place in row]).reshape(1, -1) for row in chosen)


def _interval(value: float, draws: Values) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(value, float(low), float(high))
