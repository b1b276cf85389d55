"""Slots: the earliest ancestry is served first, and no slot is ever lost."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable

import pytest
from sim.loop import run

from alto_lg.adapters.langgraph.slots import OrderedSlots
from alto_lg.engine.ancestry import Order

Program = Callable[[OrderedSlots], Awaitable[list[str]]]


def _submit(slots: OrderedSlots, order: Order | None, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Start a task as the runner does: with its turn in its context, or as LangGraph's own, without one."""

    async def in_a_slot() -> None:
        async with slots:
            await work()

    context = contextvars.copy_context()
    if order is not None:
        context.run(slots.take_turn, order)
    return asyncio.get_running_loop().create_task(in_a_slot(), context=context)


def _speak(said: list[str], word: str, seconds: float = 1.0) -> Callable[[], Awaitable[None]]:
    async def speak() -> None:
        said.append(word)
        await asyncio.sleep(seconds)

    return speak


def test_whoever_commits_first_is_served_first() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()
        orders = [(3, 0, "c"), (2, 1, (1, 0, "a"), 1), (2, 1, (1, 0, "a"), 0), (2, 0, "b")]
        tasks = [_submit(slots, (0,), _speak(said, "first"))]
        await asyncio.sleep(0)
        tasks += [_submit(slots, order, _speak(said, str(order))) for order in orders]
        await asyncio.gather(*tasks)
        assert said[1:] == [str(order) for order in sorted(orders)]
        return said

    assert run(main).result[0] == "first"


def test_langgraphs_own_tasks_go_before_early_ones_in_the_order_of_arrival() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()
        tasks = [_submit(slots, None, _speak(said, "running"))]
        await asyncio.sleep(0)
        tasks.append(_submit(slots, (1, 0, "a"), _speak(said, "early")))
        tasks += [_submit(slots, None, _speak(said, word)) for word in ("one", "two", "three")]
        await asyncio.gather(*tasks)
        return said

    assert run(main).result == ["running", "one", "two", "three", "early"]


def test_a_turn_taken_at_other_slots_does_not_count() -> None:
    async def main() -> list[str]:
        slots, other, said = OrderedSlots(1), OrderedSlots(1), list[str]()
        other.take_turn((0,))
        tasks = [_submit(slots, (9,), _speak(said, "running"))]
        await asyncio.sleep(0)
        tasks.append(_submit(slots, (1,), _speak(said, "early")))
        tasks.append(_submit(slots, None, _speak(said, "with another turn")))
        await asyncio.gather(*tasks)
        return said

    assert run(main).result == ["running", "with another turn", "early"]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_never_more_than_the_limit_run_at_once(limit: int) -> None:
    async def main() -> int:
        slots, running, most = OrderedSlots(limit), 0, 0

        async def work() -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(1.0)
            running -= 1

        await asyncio.gather(*(_submit(slots, (number,), work) for number in range(12)))
        return most

    assert run(main).result == limit


def test_as_many_as_the_limit_allows_run_at_once() -> None:
    async def main() -> None:
        slots = OrderedSlots(3)
        await asyncio.gather(*(_submit(slots, (number,), _speak([], "")) for number in range(6)))

    assert run(main).elapsed_s == 2.0


def test_one_that_is_cancelled_while_it_waits_leaves_its_place_to_the_next() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()
        tasks = [_submit(slots, (number,), _speak(said, str(number))) for number in range(3)]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return said

    outcome = run(main)
    assert outcome.result == ["0", "2"]
    assert outcome.elapsed_s == 2.0


def test_one_that_is_cancelled_as_it_is_served_gives_its_slot_back() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()
        holder = _submit(slots, (0,), _speak(said, "holder"))
        await asyncio.sleep(0.5)
        served = _submit(slots, (1,), _speak(said, "cancelled"))
        last = _submit(slots, (2,), _speak(said, "last"))
        await asyncio.sleep(0)
        slots.release()  # `served` has the slot now, and has not run yet
        served.cancel()
        slots.reclaim()
        await asyncio.gather(holder, served, last, return_exceptions=True)
        return said

    assert run(main).result == ["holder", "last"]


def test_a_slot_that_is_lent_and_reclaimed_is_counted_once() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()

        async def hand_over() -> None:
            slots.release()  # the adopted firing has, or waits for, a slot of its own
            await early
            slots.reclaim()
            said.append("adopted")

        blocker = _submit(slots, (0,), _speak(said, "blocker"))
        await asyncio.sleep(0)
        early = _submit(slots, (5,), _speak(said, "early"))
        official = _submit(slots, None, hand_over)
        after = _submit(slots, (9,), _speak(said, "after"))
        await asyncio.gather(blocker, early, official, after)
        assert slots._free == 1
        return said

    result = run(main).result
    assert result[:2] == ["blocker", "early"], "the early one must not wait for the one that waits for it"
    assert sorted(result[2:]) == ["adopted", "after"]


@pytest.mark.parametrize("seed", range(20))
def test_no_slot_is_lost_or_made_by_random_cancellations(seed: int) -> None:
    async def main() -> int:
        draw, slots = random.Random(seed), OrderedSlots(3)
        tasks = [
            _submit(slots, None if draw.random() < 0.3 else (draw.randrange(5),), _speak([], "", draw.random()))
            for _ in range(30)
        ]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(draw.random() / 2)
            if draw.random() < 0.7:
                draw.choice(tasks).cancel()
        return slots._free

    assert run(main, seed=seed, schedule="shuffle").result == 3


def test_a_slot_is_given_back_when_the_work_fails() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()

        async def fail() -> None:
            raise ValueError("no")

        failing = _submit(slots, (0,), fail)
        after = _submit(slots, (1,), _speak(said, "after"))
        assert isinstance((await asyncio.gather(failing, after, return_exceptions=True))[0], ValueError)
        return said

    assert run(main).result == ["after"]


def test_the_only_task_of_a_step_counts_for_early_ones_and_not_for_those_that_it_calls() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()

        async def alone() -> None:
            async with slots.uncounted():
                early = _submit(slots, (5,), _speak(said, "early"))
                await asyncio.sleep(0)
                await _submit(slots, None, _speak(said, "called"))
                said.append("ended")
            await early

        await alone()
        assert slots._free == 1
        return said

    assert run(main).result == ["called", "ended", "early"]


def test_the_only_task_of_a_step_waits_for_early_ones_that_hold_all_slots() -> None:
    async def main() -> list[str]:
        slots, said = OrderedSlots(1), list[str]()
        early = _submit(slots, (5,), _speak(said, "early"))
        await asyncio.sleep(0)
        async with slots.uncounted():
            said.append(f"alone, early ended: {early.done()}")
        await early
        return said

    assert run(main).result == ["early", "alone, early ended: True"]
