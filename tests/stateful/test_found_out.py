"""A mistake in an implementation is found out by the lives that are drawn, and the line that is printed shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dropin.watch import App
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from langgraph.types import Command

from alto_lg.engine.rules import Rules
from stateful.differences import Differs, same
from stateful.graphs import WRITTEN
from stateful.machine import CutLives
from stateful.operations import Fork, Invoke
from stateful.pair import Pair, ours, replay
from stateful.test_lives import limits
from stateful.worlds import VirtualTime

LIVES = 60


def updates_as_anybody(graph: App) -> App:
    """Updates a state without asking whose update it is."""
    app = ours(graph)
    update = app.aupdate_state

    async def aupdate_state(config: Any, values: Any, as_node: str | None = None) -> Any:
        return await update(config, values, None)

    app.aupdate_state = aupdate_state
    return app


def answers_everybody(graph: App) -> App:
    """Gives the first answer to whoever asks."""
    app = ours(graph)
    invoke = app.ainvoke

    async def ainvoke(given: Any, config: Any, **rest: Any) -> Any:
        if isinstance(given, Command) and isinstance(given.resume, dict):
            first = next(iter(given.resume.values()))
            given = Command(resume=dict.fromkeys(given.resume, first))
        return await invoke(given, config, **rest)

    app.ainvoke = ainvoke
    return app


def stays_in_the_present(graph: App) -> App:
    """Goes on from the newest state, wherever it is asked to."""
    app = ours(graph)
    invoke = app.ainvoke

    async def ainvoke(given: Any, config: Any, **rest: Any) -> Any:
        here = {"configurable": {"thread_id": config["configurable"]["thread_id"]}}
        return await invoke(given, {**config, **here}, **rest)

    app.ainvoke = ainvoke
    return app


def drops_what_was_saved(graph: App) -> App:
    """Runs every task again that had ended when a run was cut."""
    app = ours(graph)
    stream = app.astream

    async def astream(given: Any, config: Any, **rest: Any) -> Any:
        if given is None:
            app.checkpointer.writes.clear()
        async for event in stream(given, config, **rest):
            yield event

    app.astream = astream
    return app


MISTAKES: dict[Callable[[App], App], tuple[str, ...]] = {
    updates_as_anybody: tuple(WRITTEN),
    answers_everybody: ("many questions",),
    stays_in_the_present: tuple(WRITTEN),
    drops_what_was_saved: tuple(WRITTEN),
}
"""With the graphs in which each can show."""


def faulty(accelerate: Callable[[App], App], lives: list[Pair]) -> Any:
    class Machine(CutLives):
        names = MISTAKES.get(accelerate, tuple(WRITTEN))

        def pair_of(self, name: str) -> Pair:
            lives.append(Pair(name, VirtualTime(), accelerate))
            return lives[-1]

    return seed(1)(Machine)


def first_failure(accelerate: Callable[[App], App]) -> tuple[Differs, Pair]:
    """The first difference that is found, and the life that it is found in."""
    lives: list[Pair] = []
    at_once = settings(limits(LIVES, phases=(Phase.generate,)), report_multiple_bugs=False, print_blob=False)
    with pytest.raises(Differs) as found:
        run_state_machine_as_test(faulty(accelerate, lives), settings=at_once)
    return found.value, lives[-1]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_what_a_caller_calls_is_found(mistake: Callable[[App], App]) -> None:
    _, lived = first_failure(mistake)
    with pytest.raises(Differs):
        replay(lived.name, lived.played, accelerate=mistake)


def test_an_early_start_with_a_stale_state_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rules, "_against_reading", lambda *_: None)
    first_failure(ours)


def test_a_failure_says_how_to_live_that_life_again() -> None:
    operations = [Invoke("1"), Fork("1", 2, 0, 4)]
    with pytest.raises(Differs) as found:
        replay("branches", operations, accelerate=updates_as_anybody)
    (line,) = (note for note in found.value.__notes__ if "replay" in note)
    assert "replay('branches', [Invoke(thread='1'" in line
    replay("branches", operations)


def test_a_difference_is_said_by_the_first_place_where_both_part() -> None:
    with pytest.raises(Differs, match=r"state\['a'\]\[1\]"):
        same("state", {"a": [1, 2]}, {"a": [1, 3]})
    same("state", {"a": [1, 2]}, {"a": [1, 2]})
