"""What counts as a loss, and that it takes three measurements."""

from __future__ import annotations

import pytest

from alto_lg.comparisons.statistics import Interval
from bench.verdict import LONGER, UNLIKE_WORSE_MAX, judge, settle, steady

CLEAN = Interval(1.05, 1.00, 1.12)
WORSE = Interval(1.30, 1.25, 1.35)


@pytest.mark.parametrize(
    ("low", "outcome"), [(1.19, "same"), (1.21, "same"), (1.3201, "loss"), (1.32, "same"), (0.8, "same")]
)
def test_a_loss_is_an_interval_that_lies_wholly_above_the_limit(low: float, outcome: str) -> None:
    assert judge(Interval(1.4, low, 1.5), 1.2).outcome == outcome


def test_a_case_may_have_a_limit_of_its_own() -> None:
    assert judge(WORSE, 1.0, UNLIKE_WORSE_MAX).outcome == "same"
    assert settle(WORSE, 0.8, lambda times: WORSE, UNLIKE_WORSE_MAX).outcome == "loss"


def test_a_gain_is_an_interval_that_lies_wholly_below_the_limit() -> None:
    assert judge(Interval(0.9, 0.85, 0.95), 1.2).outcome == "gain"
    assert judge(Interval(1.1, 1.0, 1.15), 1.2).outcome == "same"


def test_what_was_never_stored_is_new_and_neither_loss_nor_gain() -> None:
    assert judge(WORSE, None).outcome == "new"


def test_a_measurement_within_the_limit_is_not_repeated() -> None:
    def again(times: int) -> Interval:
        raise AssertionError("nothing has to be measured again")

    assert settle(CLEAN, 1.05, again).outcome == "same"
    assert settle(WORSE, None, again).outcome == "new"


@pytest.mark.parametrize(("next_ones", "outcome"), [([CLEAN], "same"), ([WORSE, CLEAN], "same"), ([WORSE] * 2, "loss")])
def test_a_loss_counts_when_two_longer_measurements_show_it_too(next_ones: list[Interval], outcome: str) -> None:
    lengths: list[int] = []

    def again(times: int) -> Interval:
        lengths.append(times)
        return next_ones[len(lengths) - 1]

    assert settle(WORSE, 1.05, again).outcome == outcome
    assert lengths == [LONGER] * len(next_ones)


def test_of_a_ratio_to_keep_the_narrowest_measurement_is_taken_and_none_more_than_needed() -> None:
    wide, middle, narrow = Interval(1.3, 1.1, 1.5), Interval(1.2, 1.1, 1.3), Interval(1.1, 1.09, 1.11)
    tries = iter([middle, narrow, wide])
    assert steady(wide, lambda times: next(tries)) == narrow
    assert next(tries) == wide
    assert steady(narrow, lambda times: next(iter(()))) == narrow
    tries = iter([middle, wide])
    assert steady(wide, lambda times: next(tries)) == middle
