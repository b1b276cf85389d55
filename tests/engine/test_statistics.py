"""Statistics: what a tally of a run adds up to."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from alto_lg.engine.statistics import RunStatistics, Tally


def test_a_run_in_which_nothing_happened_has_no_figures() -> None:
    assert Tally().result() == RunStatistics()


def test_time_saved_is_the_longest_firing_of_each_step_less_the_time_it_took() -> None:
    tally = Tally()
    tally.step_began(10.0)
    tally.ran(1, 10.0, 11.0)
    tally.ran(1, 10.0, 14.0)
    tally.ran(2, 11.0, 14.0)
    tally.step_began(14.0)
    result = tally.result()
    assert (result.steps, result.wall_s, result.time_saved_s) == (2, 4.0, 3.0)


def test_a_run_without_overlap_has_saved_nothing() -> None:
    tally = Tally()
    tally.step_began(0.0)
    tally.ran(1, 0.0, 1.0)
    tally.ran(2, 1.5, 2.0)
    assert tally.result().time_saved_s == 0.0


def test_the_clock_starts_with_the_first_step_and_ends_with_the_last_firing() -> None:
    tally = Tally()
    tally.step_began(5.0)
    tally.ran(2, 6.0, 9.0)
    tally.step_began(20.0)
    tally.ran(1, 5.0, 7.0)
    assert tally.result().wall_s == 4.0


def test_dropped_firings_are_counted_by_reason() -> None:
    tally = Tally()
    for why in ("late", "wrong", "late"):
        tally.dropped(why)
    result = tally.result()
    assert result.dropped == 3
    assert dict(result.dropped_why) == {"late": 2, "wrong": 1}


def test_counts_of_firings_are_passed_on() -> None:
    tally = Tally()
    tally.firings, tally.early_starts = 5, 2
    result = tally.result()
    assert (result.firings, result.early_starts) == (5, 2)


def test_a_run_of_a_subgraph_counts_as_part_of_its_caller() -> None:
    tally = Tally()
    tally.firings = 1
    tally.dropped("late")
    tally.include(RunStatistics(firings=4, early_starts=2, dropped=2, dropped_why={"late": 1, "wrong": 1}, steps=9))
    result = tally.result()
    assert (result.firings, result.early_starts, result.dropped, result.steps) == (5, 2, 3, 0)
    assert dict(result.dropped_why) == {"late": 2, "wrong": 1}


def test_a_result_is_not_changed_by_what_happens_later() -> None:
    tally = Tally()
    tally.dropped("late")
    before = tally.result()
    tally.dropped("late")
    assert dict(before.dropped_why) == {"late": 1}
    with pytest.raises(FrozenInstanceError):
        before.firings = 9  # type: ignore[misc]
