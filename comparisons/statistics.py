"""Percentiles and bootstrap confidence intervals. Pure: the same values and seed give the same numbers.

Resampling is over requests, and paired: a ratio is always taken between the same requests of both sides,
because requests differ far more from each other than arms do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

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
    """The median and its percentile-bootstrap interval."""
    sample = _checked(values)
    draws = [np.median(sample[chosen], axis=1) for chosen in _resamples(len(sample), seed)]
    return _interval(float(np.median(sample)), np.concatenate(draws))


def ratio_of_medians(numerator: Sequence[float], denominator: Sequence[float], *, seed: int) -> Interval:
    """median(numerator) / median(denominator), requests resampled in pairs."""
    above, below = _checked(numerator), _checked(denominator)
    if len(above) != len(below):
        raise ValueError(f"a paired ratio needs equal lengths, got {len(above)} and {len(below)}")
    if np.any(below <= 0):
        raise ValueError("a ratio needs a denominator above 0 in every pair")
    draws = [
        np.median(above[chosen], axis=1) / np.median(below[chosen], axis=1) for chosen in _resamples(len(above), seed)
    ]
    return _interval(float(np.median(above) / np.median(below)), np.concatenate(draws))


def _checked(values: Sequence[float]) -> Values:
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0 or not np.all(np.isfinite(sample)):
        raise ValueError(f"needs at least one value and only finite ones, got {list(values)!r}")
    return sample


def _resamples(count: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    source = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _RESAMPLES_AT_ONCE):
        yield source.integers(0, count, size=(_RESAMPLES_AT_ONCE, count))


def _interval(value: float, draws: Values) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(value, float(low), float(high))
