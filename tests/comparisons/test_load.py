"""Arrivals, the choice of requests, and whose turn it is."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from alto_lg.comparisons.load import blocks, poisson_arrivals_s, rotated, spread


def test_the_same_seed_draws_the_same_arrivals_and_another_seed_does_not() -> None:
    assert poisson_arrivals_s(2.0, 50, seed=7) == poisson_arrivals_s(2.0, 50, seed=7)
    assert poisson_arrivals_s(2.0, 50, seed=7) != poisson_arrivals_s(2.0, 50, seed=8)


def test_a_shorter_trace_is_the_beginning_of_a_longer_one() -> None:
    assert poisson_arrivals_s(2.0, 50, seed=7)[:20] == poisson_arrivals_s(2.0, 20, seed=7)


def test_gaps_between_arrivals_have_the_mean_and_the_spread_of_an_exponential() -> None:
    arrivals = poisson_arrivals_s(4.0, 20_001, seed=0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.25, rel=0.03)
    assert variance**0.5 == pytest.approx(mean, rel=0.03)


def test_arrivals_at_rate_0_are_refused() -> None:
    with pytest.raises(ValueError, match="rate must be above 0"):
        poisson_arrivals_s(0.0, 3, seed=0)


@given(total=some.integers(1, 200), wanted=some.integers(1, 200))
def test_a_choice_of_requests_is_in_order_and_repeats_none_before_all_are_used(total: int, wanted: int) -> None:
    chosen = spread(total, wanted)
    assert len(chosen) == wanted
    assert list(chosen[:total]) == sorted(set(chosen[:total]))
    assert all(0 <= position < total for position in chosen)


def test_a_small_choice_is_spread_over_the_whole_workload() -> None:
    assert spread(40, 4) == (0, 10, 20, 30)


@pytest.mark.parametrize(("total", "wanted"), [(0, 1), (1, 0)])
def test_a_choice_of_nothing_or_from_nothing_is_refused(total: int, wanted: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        spread(total, wanted)


def test_each_arm_is_first_in_its_turn_and_none_is_left_out() -> None:
    arms = ("a", "b", "c")
    assert [rotated(arms, turn)[0] for turn in range(6)] == ["a", "b", "c", "a", "b", "c"]
    assert all(sorted(rotated(arms, turn)) == ["a", "b", "c"] for turn in range(6))


@given(count=some.integers(0, 300), size=some.integers(1, 50))
def test_blocks_cover_every_position_once_and_none_is_too_long(count: int, size: int) -> None:
    made = blocks(count, size)
    assert [position for block in made for position in block] == list(range(count))
    assert all(1 <= len(block) <= size for block in made)


def test_a_block_of_no_requests_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 request"):
        blocks(10, 0)
