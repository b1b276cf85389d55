"""Percentiles and intervals, against known values and against a direct computation."""

from __future__ import annotations

import numpy as np
import pytest

from alto_lg.comparisons.statistics import (
    each_alone,
    median,
    median_interval,
    percentile,
    percentile_interval,
    ratio_of_medians,
    ratio_of_percentiles,
)


def test_percentiles_of_0_to_100_are_their_own_rank() -> None:
    values = [float(value) for value in range(101)]
    assert median(values) == 50.0
    assert percentile(values, 90) == 90.0
    assert percentile(values, 99) == 99.0


def test_a_median_interval_holds_the_median_of_the_sample() -> None:
    values = np.random.default_rng(1).lognormal(size=60).tolist()
    found = median_interval(values, seed=3)
    assert found.low <= found.value <= found.high
    assert found.value == float(np.median(values))


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [1.0, 2.0, 4.0, 8.0, 16.0]
    assert median_interval(values, seed=5) == median_interval(values, seed=5)


def test_intervals_of_medians_cover_the_true_median_about_19_times_in_20() -> None:
    source = np.random.default_rng(11)
    samples = source.normal(10.0, 2.0, size=(200, 40))
    found = [median_interval(sample.tolist(), seed=1) for sample in samples]
    covered = sum(one.low <= 10.0 <= one.high for one in found)
    assert 180 <= covered <= 200


def test_an_exact_ratio_in_every_pair_has_an_interval_of_no_width() -> None:
    below = [1.0, 5.0, 2.0, 9.0, 3.0]
    above = [2.0 * value for value in below]
    found = ratio_of_medians(above, below, seed=0)
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_a_ratio_resamples_pairs_and_not_sides() -> None:
    source = np.random.default_rng(2)
    below = source.lognormal(0.0, 1.0, size=80)
    above = below * source.normal(1.5, 0.01, size=80)
    paired = ratio_of_medians(above.tolist(), below.tolist(), seed=4)
    shuffled = ratio_of_medians(source.permutation(above).tolist(), below.tolist(), seed=4)
    assert paired.high - paired.low < 0.2 * (shuffled.high - shuffled.low)


def test_a_ratio_agrees_with_resampling_one_at_a_time() -> None:
    above, below = np.array([3.0, 4.0, 8.0, 5.0]), np.array([1.0, 2.0, 2.0, 4.0])
    source = np.random.default_rng(9)
    draws = []
    for _ in range(4000):
        chosen = source.integers(0, 4, size=4)
        draws.append(np.median(above[chosen]) / np.median(below[chosen]))
    low, high = np.percentile(draws, [2.5, 97.5])
    found = ratio_of_medians(above.tolist(), below.tolist(), seed=1)
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.1)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_nothing_and_what_is_not_finite_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        median(values)


def test_a_ratio_of_unequal_lengths_or_by_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="equal lengths, got 2 and 1"):
        ratio_of_medians([1.0, 2.0], [1.0], seed=0)
    with pytest.raises(ValueError, match="above 0"):
        ratio_of_medians([1.0], [0.0], seed=0)


def test_intervals_over_blocks_cover_where_those_over_single_values_do_not() -> None:
    source = np.random.default_rng(12)
    of_block = source.normal(10.0, 2.0, size=(200, 12, 1))
    traces = of_block + source.normal(0.0, 0.3, size=(200, 12, 20))
    by_block = [percentile_interval(list(trace), 50, seed=1) for trace in traces]
    by_value = [percentile_interval(each_alone(trace.ravel().tolist()), 50, seed=1) for trace in traces]
    assert sum(one.low <= 10.0 <= one.high for one in by_block) >= 170
    assert sum(one.low <= 10.0 <= one.high for one in by_value) <= 120


def test_blocks_of_different_lengths_are_drawn_whole() -> None:
    blocks = [np.array([1.0, 1.0, 1.0]), np.array([5.0])]
    found = percentile_interval(blocks, 50, seed=0)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 5.0)
    doubled = ratio_of_percentiles([2 * block for block in blocks], blocks, 99, seed=0)
    assert (doubled.value, doubled.low, doubled.high) == pytest.approx((2.0, 2.0, 2.0))


def test_a_ratio_of_blocks_that_do_not_match_is_refused() -> None:
    with pytest.raises(ValueError, match="in equal blocks"):
        ratio_of_percentiles([np.array([1.0, 2.0])], [np.array([1.0]), np.array([2.0])], 50, seed=0)
