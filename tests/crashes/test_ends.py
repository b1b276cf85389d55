"""A run that is cancelled, drained or closed anywhere leaves nothing behind and can be taken up by either side."""

from __future__ import annotations

from typing import get_args

import pytest
from dropin.shapes.base import Shape
from dropin.watch import Durability

from crashes import without_saver
from crashes.ends import EndFindings, How, count_events, every_end, try_end
from crashes.points import MODES, WAYS, Case, Way, sample, undisturbed
from crashes.report import report
from crashes.shapes import CASES
from crashes.without_saver import Cancel

SEED = 2
SAMPLED = 1
"""Ends of each graph, kind, mode and way that every change must pass; a release passes all of them."""


def _most(case: Case, how: How, implementation: str, durability: Durability) -> int:
    """How many places there are for the end."""
    if how == "close":
        return count_events(case, implementation, durability, SEED)
    return undisturbed(case, implementation, durability, SEED).turns


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", get_args(How))
@pytest.mark.parametrize("shape", CASES, ids=str)
def test_a_run_that_is_ended_anywhere_leaves_nothing_behind_and_can_be_taken_up(
    shape: Shape, how: How, release: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    for durability in MODES:
        for way in WAYS:
            ends = list(every_end(shape.name, durability, way, SEED, how, _most(case, how, way.begins, durability)))
            if not release:
                ends = sample(ends, SAMPLED, f"{shape} {how} {durability} {way}")
            findings = EndFindings()
            for end in ends:
                findings.add(try_end(case, end, wanted))
            assert findings.ends == len(ends)
            if release:
                assert findings.early >= len(ends) * 0.8, "most ends must come while the run goes on"
                report(capsys, f"{shape} {how} {durability} {way}: {findings}")


def test_ends_of_the_sample_come_while_something_is_ahead_and_while_something_is_saved() -> None:
    """An end with nothing under way proves little: there must be enough of the others."""
    found = EndFindings()
    for name in ("four_hops", "ladders", "asks_far_ahead"):
        (shape,) = (item for item in CASES if item.name == name)
        case = Case(shape)
        wanted = undisturbed(case, "langgraph", "sync", SEED)
        turns = undisturbed(case, "alto", "async", SEED).turns
        for end in sample(every_end(name, "async", Way("alto", "alto"), SEED, "cancel", turns), 12, name):
            found.add(try_end(case, end, wanted))
    assert found.early >= found.ends * 3 // 4
    assert found.ahead >= found.ends // 4
    assert found.saving >= found.ends // 4


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shape", [shape for shape in CASES if not shape.resumes], ids=str)
def test_a_run_that_is_not_saved_can_be_cancelled_at_any_turn(shape: Shape, release: bool) -> None:
    app = without_saver.app_of(shape)
    most = without_saver.turns(app, shape, SEED)
    cancels = [Cancel(at, again_after) for at in range(1, most) for again_after in (0, 1, 4)]
    if not release:
        cancels = sample(cancels, 12, f"{shape} without a saver")
    struck = sum(without_saver.cancel(app, shape, SEED, when) for when in cancels)
    assert struck >= len(cancels) * 0.8
