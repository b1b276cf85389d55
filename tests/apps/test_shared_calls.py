"""Calls that a run shares: each made once, by whoever asks first, and by the next where that one gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sim.loop import run

from alto_lg.apps.shared_calls import SharedCalls


class Model:
    """Takes a second for each call, and counts them."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[str] = []
        self._failures = failures

    def __call__(self, question: str) -> Callable[[], Awaitable[str]]:
        async def make() -> str:
            self.asked.append(question)
            await asyncio.sleep(1)
            if len(self.asked) <= self._failures:
                raise ConnectionError(f"call {len(self.asked)}")
            return f"{question}!"

        return make


def test_equal_calls_at_one_time_are_made_once() -> None:
    shared, model = SharedCalls[str](), Model()

    async def ask_three() -> list[tuple[int, str]]:
        return await asyncio.gather(*(shared.ask("run", key, model(key)) for key in ("a", "b", "a")))

    outcome = run(ask_three)
    assert outcome.result == [(0, "a!"), (1, "b!"), (0, "a!")]
    assert sorted(model.asked) == ["a", "b"]
    assert outcome.elapsed_s == pytest.approx(1)


def test_what_a_run_has_asked_is_known_to_the_end_of_it() -> None:
    shared, model = SharedCalls[str](), Model()

    async def ask_again() -> None:
        await shared.ask("run", "a", model("a"))
        await shared.ask("run", "a", model("a"))
        assert model.asked == ["a"]
        shared.forget("run")
        await shared.ask("run", "a", model("a"))
        assert model.asked == ["a", "a"]

    run(ask_again)


def test_runs_know_nothing_of_each_other() -> None:
    shared, model = SharedCalls[str](), Model()

    async def ask_two() -> None:
        await asyncio.gather(shared.ask("one", "a", model("a")), shared.ask("other", "a", model("a")))

    run(ask_two)
    assert model.asked == ["a", "a"]


def test_an_error_is_that_of_the_call_that_failed_and_the_next_who_waits_asks_again() -> None:
    shared, model = SharedCalls[str](), Model(failures=1)

    async def ask_three() -> list[tuple[int, str] | BaseException]:
        asked = (shared.ask("run", "a", model("a")) for _ in range(3))
        return await asyncio.gather(*asked, return_exceptions=True)

    outcome = run(ask_three)
    assert isinstance(outcome.result[0], ConnectionError)
    assert outcome.result[1:] == [(0, "a!"), (0, "a!")]
    assert len(model.asked) == 2


def test_when_the_first_to_ask_is_cancelled_the_next_makes_the_call() -> None:
    shared, model = SharedCalls[str](), Model()

    async def ask_and_cancel() -> tuple[int, str]:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(shared.ask("run", "a", model("a")))
            await asyncio.sleep(0.5)
            second = group.create_task(shared.ask("run", "a", model("a")))
            await asyncio.sleep(0.25)
            first.cancel()
        return second.result()

    outcome = run(ask_and_cancel)
    assert outcome.result == (0, "a!")
    assert outcome.elapsed_s == pytest.approx(1.75)
    assert outcome.tasks_left == ()


def test_one_who_waits_may_go_and_the_call_goes_on() -> None:
    shared, model = SharedCalls[str](), Model()

    async def wait_and_go() -> tuple[int, str]:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(shared.ask("run", "a", model("a")))
            await asyncio.sleep(0.5)
            second = group.create_task(shared.ask("run", "a", model("a")))
            await asyncio.sleep(0.25)
            second.cancel()
        return first.result()

    assert run(wait_and_go).result == (0, "a!")
    assert model.asked == ["a"]


def test_runs_that_broke_off_are_forgotten_at_last() -> None:
    shared, model = SharedCalls[str](runs_max=3), Model()

    async def ask_many() -> None:
        for number in range(10):
            await shared.ask(f"run {number}", "a", model("a"))

    run(ask_many)
    assert shared.runs == 3


def test_a_run_that_is_under_way_is_not_the_first_to_be_forgotten() -> None:
    shared, model = SharedCalls[str](runs_max=2), Model()

    async def ask_in_turn() -> None:
        for name in ("old", "other", "old", "new", "old"):
            await shared.ask(name, "a", model(name))

    run(ask_in_turn)
    assert model.asked == ["old", "other", "new"]
