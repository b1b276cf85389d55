"""A run that is stopped at any turn of the event loop ends, once it is taken up, as if nothing had happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from dropin.shapes.base import Shape

from crashes.points import (
    CONTROL,
    MODES,
    WAYS,
    Case,
    Findings,
    every_point,
    sample,
    try_point,
    undisturbed,
)
from crashes.report import report
from crashes.saver import SimulatedSaver
from crashes.shapes import CASES

SEED = 1
SAMPLED = 4
"""Points of each graph, mode and way that every change must pass; a release passes all of them."""

every_case = pytest.mark.parametrize("shape", CASES, ids=str)


@every_case
def test_without_a_crash_each_task_runs_as_often_as_in_langgraph(shape: Shape) -> None:
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    for durability in MODES:
        for implementation in ("langgraph", "alto"):
            seen = undisturbed(case, implementation, durability, SEED)
            assert seen.state == wanted.state
            assert seen.starts == wanted.starts
            if durability != "exit":
                assert seen.promises == wanted.promises


@every_case
@pytest.mark.timeout(600)
def test_a_run_stopped_at_any_turn_is_taken_up_as_if_nothing_had_happened(
    shape: Shape, release: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    for durability in MODES:
        for way in (*WAYS, CONTROL) if release and durability == "async" else WAYS:
            turns = undisturbed(case, way.begins, durability, SEED).turns
            points = list(every_point(shape.name, durability, way, SEED, turns))
            if not release:
                points = sample(points, SAMPLED, f"{shape.name} {durability} {way}")
            findings = Findings()
            for point in points:
                findings.add(try_point(case, point, wanted))
            assert findings.points == len(points)
            assert findings.crashes >= len(points), "every point must be a crash"
            if release:
                report(capsys, f"{shape} {durability} {way}: {findings}")


def test_most_crashes_of_the_sample_hit_what_they_are_meant_to_hit() -> None:
    """A crash with nothing ahead, or with nothing being saved, proves little: there must be enough of the others."""
    found = Findings()
    for name in ("four_hops", "ladders", "asks_far_ahead"):
        (shape,) = (item for item in CASES if item.name == name)
        case = Case(shape)
        wanted = undisturbed(case, "langgraph", "sync", SEED)
        turns = undisturbed(case, "alto", "async", SEED).turns
        points = sample(every_point(name, "async", WAYS[0], SEED, turns), 15, name)
        for point in points:
            found.add(try_point(case, point, wanted))
    assert found.ahead >= found.crashes // 3
    assert found.saving >= found.crashes // 3


class Forgetful(SimulatedSaver):
    """Promises a task's writes and does not keep them."""

    def put_writes(self, *args: Any, **settings: Any) -> None:
        """Nothing is kept."""


class Careless(SimulatedSaver):
    """Keeps of a task's writes only where it goes, not what it says."""

    def put_writes(self, config: Any, writes: Sequence[tuple[str, Any]], *args: Any, **settings: Any) -> None:
        super().put_writes(config, [(key, value) for key, value in writes if key != "log"], *args, **settings)


@pytest.mark.parametrize(
    ("saver", "objection"),
    [(Forgetful(), "was promised"), (Careless(), "the state is not that of an undisturbed run")],
    ids=["forgetful", "careless"],
)
def test_a_saver_that_loses_writes_is_found_out(saver: SimulatedSaver, objection: str) -> None:
    (shape,) = (item for item in CASES if item.name == "four_hops")
    case = Case(shape, saver)
    wanted = undisturbed(Case(shape), "langgraph", "sync", SEED)
    points = sample(every_point(shape.name, "sync", CONTROL, SEED, wanted.turns), 20, "lost")
    with pytest.raises(AssertionError, match=objection):
        for point in points:
            try_point(case, point, wanted)
