"""The sync methods, on real threads, lead a thread through the same life as plain LangGraph's."""

from __future__ import annotations

import pytest
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from stateful.machine import Lives
from stateful.pair import Pair, pair
from stateful.test_lives import Tally, limits, names
from stateful.worlds import Threads

LIVES, LIVES_OF_A_RELEASE = 20, 500
OPERATIONS = 12


@pytest.mark.timeout(3600)
def test_both_sides_live_the_same_life_on_threads(release: bool, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()

    class Machine(Lives):
        names = names(0)

        def pair_of(self, name: str) -> Pair:
            return pair(name, Threads)

        def ended(self, lived: Pair) -> None:
            tally.count(lived)

    lives = LIVES_OF_A_RELEASE if release else LIVES
    run_state_machine_as_test(seed(1)(Machine), settings=limits(lives, OPERATIONS))
    if release:
        with capsys.disabled():
            print(f"\non threads: {tally}", end="")
    assert tally.lively >= tally.lives // 4, f"too little started early to prove anything: {tally}"
