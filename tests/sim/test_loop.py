"""The simulated loop: its clock, its schedules, and what it refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sim.loop import Deadlock, Leak, VirtualLoop, run


async def _two_sleepers() -> list[str]:
    said: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        said.append(name)

    await asyncio.gather(sleeper("late", 2.0), sleeper("early", 1.0))
    return said


def test_time_moves_exactly_to_the_next_timer() -> None:
    outcome = run(_two_sleepers)
    assert outcome.elapsed_s == 2.0
    assert outcome.result == ["early", "late"]


def test_the_same_seed_gives_the_same_trace() -> None:
    for seed in range(5):
        first = run(_busy, seed=seed, schedule="shuffle")
        assert first == run(_busy, seed=seed, schedule="shuffle")


async def _busy() -> list[int]:
    order: list[int] = []

    async def turn(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        order.append(number)

    await asyncio.gather(*(turn(number) for number in range(8)))
    return order


def test_shuffle_explores_many_orders_and_fifo_only_one() -> None:
    assert len({tuple(run(_busy, seed=seed).result) for seed in range(10)}) == 1
    assert len({tuple(run(_busy, seed=seed, schedule="shuffle").result) for seed in range(10)}) > 5


def test_the_order_of_a_set_of_futures_comes_from_the_seed() -> None:
    async def main() -> str:
        tasks = [asyncio.ensure_future(asyncio.sleep(1.0, number)) for number in range(6)]
        done, _ = await asyncio.wait(tasks)
        return "".join(str(task.result()) for task in done)

    orders = [run(main, seed=seed).result for seed in range(6)]
    assert orders == [run(main, seed=seed).result for seed in range(6)]
    assert len(set(orders)) > 1


def test_a_wait_that_cannot_end_names_the_waiting_task() -> None:
    async def main() -> None:
        await asyncio.ensure_future(_forever())

    with pytest.raises(Deadlock, match="_forever"):
        run(main)


async def _forever() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_task_left_behind_is_a_leak() -> None:
    kept: list[Any] = []

    async def main() -> None:
        kept.append(asyncio.ensure_future(asyncio.sleep(1.0)))

    with pytest.raises(Leak, match="sleep"):
        run(main)


def test_an_error_that_nobody_looks_at_is_a_leak() -> None:
    async def fail() -> None:
        raise ValueError("unseen")

    async def main() -> None:
        task = asyncio.ensure_future(fail())
        await asyncio.sleep(1.0)
        del task

    with pytest.raises(Leak, match="unseen"):
        run(main)


def test_the_error_of_the_program_passes_through_and_is_the_cause_of_a_leak() -> None:
    async def main() -> None:
        raise KeyError("mine")

    async def untidy() -> None:
        kept.append(asyncio.ensure_future(asyncio.sleep(1.0)))
        raise KeyError("mine")

    kept: list[Any] = []
    with pytest.raises(KeyError, match="mine"):
        run(main)
    with pytest.raises(Leak) as caught:
        run(untidy)
    assert isinstance(caught.value.__cause__, KeyError)


def test_work_for_a_thread_runs_inline_and_sees_no_running_loop() -> None:
    def work() -> str:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return "done"

    async def main() -> str:
        return await asyncio.to_thread(work)

    assert run(main).elapsed_s == 0.0
    later = run(main, seed=1)
    assert later.result == "done"
    assert 0.0 < later.elapsed_s <= 0.01


def test_callbacks_keep_their_order_under_shuffle() -> None:
    async def main() -> list[int]:
        heard: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(20):
            loop.call_soon_threadsafe(heard.append, number)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return heard

    for seed in range(5):
        assert run(main, seed=seed, schedule="shuffle").result == list(range(20))


def test_sockets_are_refused() -> None:
    loop = VirtualLoop()
    with pytest.raises(NotImplementedError):
        loop.add_reader(0, print)
    loop.close()
