"""A thread has the same life on plain LangGraph and on ours, whatever is done to it and whoever does it."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from stateful import operations
from stateful.graphs import WRITTEN, drawn
from stateful.machine import CutLives
from stateful.operations import Invoke, Together
from stateful.pair import Pair, pair

OPERATIONS = 30
LIVES = 70
PARTS = 4
"""A change must pass `PARTS * LIVES` lives."""
PARTS_OF_A_RELEASE = 40
LIVES_OF_A_RELEASE = 250

GRAPHS = 40
LIVELY = 0.75
"""Share of the drawn graphs in which something starts early in a run that nothing happens to."""


def limits(lives: int, count: int = OPERATIONS, phases: tuple[Phase, ...] = tuple(Phase)) -> Any:
    """Nothing of an earlier run counts, so that a change is judged by what it changes."""
    return settings(
        max_examples=lives,
        stateful_step_count=count,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


@functools.lru_cache(maxsize=8)
def names(part: int) -> tuple[str, ...]:
    """Some graphs of each kind: written by hand, drawn ones that overlap, and drawn ones that do not."""
    lively: list[str] = []
    calm: list[str] = []
    for name in drawn(20 * GRAPHS, first=10_000 * part):
        chosen = lively if starts_early(name) else calm
        chosen.append(name)
        if len(lively) >= GRAPHS * LIVELY and len(calm) >= GRAPHS * (1 - LIVELY):
            break
    return (*WRITTEN, *lively[: round(GRAPHS * LIVELY)], *calm[: round(GRAPHS * (1 - LIVELY))])


def starts_early(name: str) -> bool:
    """Whether anything does, in one run with nothing around it."""
    lived = pair(name)
    lived.reborn()
    lived.sides[1].play(Invoke("1"), 1)
    return lived.early > 0


@dataclass
class Tally:
    """What all lives together were."""

    lives: int = 0
    lively: int = 0
    early: int = 0
    played: Counter[str] = field(default_factory=Counter)

    def count(self, lived: Pair) -> None:
        self.lives += 1
        self.lively += lived.early > 0
        self.early += lived.early
        for operation in lived.played:
            parts = (operation.first, operation.second) if isinstance(operation, Together) else (operation,)
            self.played.update(type(part).__name__ for part in parts)

    def __str__(self) -> str:
        return f"{self.lives} lives, {self.lively} with early starts ({self.early}), {self.played.total()} operations"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "part" in metafunc.fixturenames:
        metafunc.parametrize("part", range(PARTS_OF_A_RELEASE if metafunc.config.getoption("--release") else PARTS))


@pytest.mark.timeout(3600)
def test_both_sides_live_the_same_life(part: int, release: bool, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()

    class Machine(CutLives):
        names = names(part)

        def ended(self, lived: Pair) -> None:
            tally.count(lived)

    run_state_machine_as_test(seed(part)(Machine), settings=limits(LIVES_OF_A_RELEASE if release else LIVES))
    if release:
        with capsys.disabled():
            print(f"\npart {part}: {tally}", end="")
    assert tally.lively >= tally.lives // 2, f"too little started early to prove anything: {tally}"
    kinds = {kind.__name__ for kind in (*get_args(operations.Calm), *get_args(operations.Cut), operations.HandOver)}
    assert {kind for kind in kinds if tally.played[kind] < tally.lives // 20} == set(), tally.played
