"""Calling: a firing has one answer, whatever happens to the workers that had it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from placement.fakes import FakeHost, FakeWorker, caller

from alto_lg.adapters.placement.calling import Answer, Item
from alto_lg.adapters.placement.leases import Group
from alto_lg.adapters.placement.workers import CannotStart, Closed, Died, StateLost

ANSWER = Answer(0.0, (), "end")


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def started(calling: Coroutine[Any, Any, Any], host: FakeHost, calls: int = 1) -> asyncio.Task[Any]:
    """A firing that is at its worker."""
    task = asyncio.create_task(calling)
    while len(host.calls) < calls:  # noqa: ASYNC110 -- the workers start on a thread
        await asyncio.sleep(0.001)
    return task


async def test_a_firing_that_may_not_repeat_is_lost_with_its_worker() -> None:
    host = FakeHost()
    calling, workers = caller(host)
    task = await started(calling.acall("one", plain=False), host)
    host.workers[0].stop()
    with pytest.raises(Died):
        await task
    assert len(host.alive) == 1, "another worker has taken the place of the one that died"
    assert workers.costs.statistics.lost_workers == 1


async def test_a_firing_that_may_repeat_runs_again_elsewhere_and_has_one_answer() -> None:
    host = FakeHost()
    calling, workers = caller(host, repeatable=True)
    task = await started(calling.acall("one", plain=False), host)
    host.workers[0].calls[0].die()
    await turns()
    first, second = host.calls
    assert second.sent == "one"
    second.answer("second")
    assert (await task).value == "second"
    first.answer("late")  # it ran, though the error came
    await turns()
    assert (await task).value == "second"
    assert (workers.costs.statistics.again, workers.costs.statistics.firings) == (1, 1)


async def test_a_firing_that_kills_every_worker_is_given_up() -> None:
    host = FakeHost()
    calling, workers = caller(host, repeatable=True, attempts=3)
    task = await started(calling.acall("poison", plain=False), host)
    for attempt in range(3):
        host.calls[attempt].die()
        await turns()
    with pytest.raises(Died) as died:
        await task
    assert died.value.attempts == 3
    assert len(host.calls) == 3
    assert len(host.alive) == 1
    assert workers.costs.statistics.lost_workers == 3


async def test_a_worker_that_two_firings_find_dead_is_replaced_once() -> None:
    host = FakeHost()
    calling, workers = caller(host, in_flight=2)
    one = await started(calling.acall("one", plain=False), host)
    two = await started(calling.acall("two", plain=False), host, calls=2)
    host.workers[0].stop()
    with pytest.raises(Died):
        await one
    with pytest.raises(Died):
        await two
    assert len(host.workers) == 2
    assert workers.costs.statistics.lost_workers == 1


async def test_no_more_than_may_be_are_at_a_worker_and_the_rest_waits_here() -> None:
    host = FakeHost()
    calling, _ = caller(host, workers=2, in_flight=2)
    tasks = [asyncio.create_task(calling.acall(number, plain=False)) for number in range(7)]
    done = 0
    while done < 7:
        await asyncio.sleep(0.001)
        open_ = [[call for call in worker.calls if not call.future.done()] for worker in host.workers]
        assert all(len(calls) <= 2 for calls in open_)
        for calls in open_:
            for call in calls:
                call.answer(call.sent)
                done += 1
    assert [(await task).value for task in tasks] == list(range(7))
    assert [call.sent for call in sorted(host.calls, key=lambda call: call.sent)] == list(range(7))


async def test_a_cancelled_firing_keeps_its_place_until_it_has_left_its_worker() -> None:
    host = FakeHost()
    calling, _ = caller(host)
    first = await started(calling.acall("first", plain=False), host)
    second = asyncio.create_task(calling.acall("second", plain=False))
    first.cancel()
    await turns()
    assert first.cancelled()
    assert len(host.calls) == 1, "the worker is still busy with what was cancelled"
    then = host.calls[0].then
    assert then is not None
    then()
    await turns()
    host.calls[1].answer("done")
    assert (await second).value == "done"


async def test_one_that_is_cancelled_while_it_waits_takes_nobodys_place() -> None:
    host = FakeHost()
    calling, _ = caller(host)
    first = await started(calling.acall("first", plain=False), host)
    waits = asyncio.create_task(calling.acall("waits", plain=False))
    third = asyncio.create_task(calling.acall("third", plain=False))
    await turns()
    waits.cancel()
    await turns()
    host.calls[0].answer(1)
    await turns()
    assert host.calls[1].sent == "third"
    host.calls[1].answer(3)
    assert [(await first).value, (await third).value] == [1, 3]


async def test_a_cancel_that_crosses_with_a_grant_gives_the_worker_back() -> None:
    host = FakeHost()
    calling, _ = caller(host)
    first = await started(calling.acall("first", plain=False), host)
    waits = asyncio.create_task(calling.acall("waits", plain=False))
    await turns()
    host.calls[0].answer(1)
    await first  # the lease is given to the one that waits, which has not run since
    waits.cancel()
    await turns()
    again = await started(calling.acall("again", plain=False), host, calls=2)
    host.calls[-1].answer(2)
    assert (await again).value == 2


async def test_close_ends_what_runs_and_what_waits() -> None:
    host = FakeHost()
    calling, workers = caller(host, repeatable=True)
    runs = await started(calling.acall("runs", plain=False), host)
    waits = asyncio.create_task(calling.acall("waits", plain=False))
    await turns()
    workers.close()
    for task in (runs, waits):
        with pytest.raises(Closed):
            await task
    assert host.alive == []
    assert not host.is_open
    with pytest.raises(Closed):
        await calling.acall("late", plain=False)
    workers.close()


def test_a_stage_whose_workers_fail_to_start_says_so() -> None:
    host = FakeHost([ValueError("no module named x")] * 3)
    calling, _ = caller(host)
    with pytest.raises(CannotStart, match="no module named x"):
        calling.call("one", plain=True)
    assert len(host.workers) == 3


def test_a_worker_that_fails_to_start_once_is_started_again() -> None:
    host = FakeHost([ValueError("out of ports")])
    _, workers = caller(host)
    workers.start()
    assert len(host.alive) == 1


async def test_a_call_that_cannot_be_sent_gives_its_place_back() -> None:
    host = FakeHost()
    calling, workers = caller(host)
    workers.start()

    def refuse(sent: Any, *, plain: bool) -> Any:
        raise TypeError("cannot pickle")

    call, host.workers[0].call = host.workers[0].call, refuse  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="cannot pickle"):
        await calling.acall("lock", plain=False)
    host.workers[0].call = call  # type: ignore[method-assign]
    task = await started(calling.acall("text", plain=False), host)
    host.calls[0].answer(1)
    assert (await task).value == 1


async def answered(calling: Coroutine[Any, Any, Any], host: FakeHost) -> Any:
    """A firing that its worker answers at once: the worker, for the test to kill."""
    task = await started(calling, host, calls=len(host.calls) + 1)
    (worker,) = [one for one in host.workers if one.calls and not one.calls[-1].future.done()]
    worker.calls[-1].answer("done")
    assert (await task).value == "done"
    return worker


def at_home(host: FakeHost) -> FakeWorker:
    """The worker that has the only group there is."""
    (worker,) = [one for one in host.workers if one.calls]
    return worker


A, B = Group("run", "a"), Group("run", "b")


async def test_firings_of_a_group_go_to_one_worker_and_those_of_another_group_to_another() -> None:
    host = FakeHost()
    calling, _ = caller(host, workers=2, by_group=True)
    homes = [await answered(calling.acall("x", plain=False, group=group), host) for group in (A, B, A, A, B)]
    assert homes == [homes[0], homes[1], homes[0], homes[0], homes[1]]
    assert homes[0] is not homes[1]


async def test_what_was_kept_for_a_group_is_lost_with_its_worker_also_if_that_was_idle() -> None:
    """The firing that was there has ended well, and the next one would count on what it left."""
    host = FakeHost()
    calling, workers = caller(host, workers=2, by_group=True)
    home = await answered(calling.acall("first", plain=False, group=A), host)
    other = await answered(calling.acall("other", plain=False, group=B), host)
    home.stop()
    workers.lost(home)
    with pytest.raises(StateLost) as lost:
        await calling.acall("second", plain=False, group=A)
    assert lost.value.attempts == 0
    with pytest.raises(StateLost):
        calling.call("third", plain=True, group=A)
    assert await answered(calling.acall("other", plain=False, group=B), host) is other
    workers.forget("run")
    await answered(calling.acall("again", plain=False, group=A), host)


async def test_one_that_waits_for_a_worker_that_dies_is_told_that_its_state_is_lost() -> None:
    host = FakeHost()
    calling, _ = caller(host, workers=2, by_group=True)
    runs = await started(calling.acall("runs", plain=False, group=A), host)
    waits = asyncio.create_task(calling.acall("waits", plain=False, group=A))
    await turns()
    at_home(host).stop()
    with pytest.raises(Died):
        await runs
    with pytest.raises(StateLost):
        await waits
    assert len(host.calls) == 1


async def test_all_of_a_group_that_can_do_without_its_state_goes_on_at_one_other_worker() -> None:
    host = FakeHost()
    calling, workers = caller(host, workers=3, in_flight=2, by_group=True, repeatable=True)
    runs = await started(calling.acall(0, plain=False, group=A), host)
    others = [asyncio.create_task(calling.acall(number, plain=False, group=A)) for number in (1, 2, 3)]
    await turns()
    at_home(host).stop()
    while not all(task.done() for task in (runs, *others)):
        await asyncio.sleep(0.001)
        for call in host.calls:
            call.answer(call.sent)
    assert [(await task).value for task in (runs, *others)] == [0, 1, 2, 3]
    assert sum(bool(worker.calls) for worker in host.workers) == 2, "the home that died, and the new one"
    assert workers.costs.statistics.again == 2


def items(*numbers: int) -> list[Item]:
    return [Item((), number) for number in numbers]


async def streamed(scripts: list[list[Any]], *, repeatable: bool) -> list[Any]:
    calling, _ = caller(FakeHost(), repeatable=repeatable)
    on_loop = [message async for message in calling.astream([*scripts])]
    in_thread = list(caller(FakeHost(), repeatable=repeatable)[0].stream([*scripts]))
    assert on_loop == in_thread
    return on_loop


async def test_a_stream_that_is_run_again_says_nothing_twice() -> None:
    scripts = [[*items(1, 2), Died("killed")], [*items(1), Died("killed")], [*items(1, 2, 3), ANSWER]]
    assert await streamed(scripts, repeatable=True) == [*items(1, 2, 3), ANSWER]


async def test_a_stream_that_yields_something_else_when_it_is_run_again_is_lost() -> None:
    scripts = [[*items(1, 2), Died("killed")], [*items(1, 9), ANSWER], [*items(1, 2), ANSWER]]
    with pytest.raises(Died, match="yielded something else") as died:
        await streamed(scripts, repeatable=True)
    assert died.value.attempts == 2


async def test_a_stream_that_may_not_repeat_is_lost_with_its_worker() -> None:
    with pytest.raises(Died, match="killed"):
        await streamed([[*items(1), Died("killed")]], repeatable=False)


async def test_a_stream_that_nobody_reads_on_gives_its_worker_back() -> None:
    calling, _ = caller(FakeHost())
    stream = calling.astream([[*items(1, 2), ANSWER]])
    assert await anext(stream) == items(1)[0]
    await stream.aclose()
    assert [message async for message in calling.astream([[ANSWER]])] == [ANSWER]
