"""Batches on an event loop, on virtual time: when calls start, who is in them, who leaves, and what is left behind."""

from __future__ import annotations

import asyncio
import math
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim.loop import run

import alto_lg
from alto_lg.batching import batching_of

USER: ContextVar[str] = ContextVar("USER", default="nobody")


class Recorded:
    """A function of a list that takes its time and writes down when it was called with what."""

    def __init__(self, takes_s: float = 1.0) -> None:
        self.takes_s = takes_s
        self.calls: list[tuple[float, list[Any]]] = []
        self.cancelled: list[list[Any]] = []

    async def double(self, items: list[int]) -> list[int]:
        self.calls.append((asyncio.get_running_loop().time(), items))
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.cancelled.append(items)
            raise
        return [2 * item for item in items]


def _batched(recorded: Recorded, **limits: Any) -> Any:
    return alto_lg.batched(**{"max_size": 8, **limits})(recorded.double)


async def _at(when_s: float, function: Any, item: Any) -> Any:
    await asyncio.sleep(when_s)
    return await function(item)


def test_what_comes_in_one_turn_of_the_loop_goes_together_and_at_once() -> None:
    recorded = Recorded()
    one = _batched(recorded)

    async def main() -> list[int]:
        return await asyncio.gather(*map(one, range(5)))

    outcome = run(main)
    assert outcome.result == [0, 2, 4, 6, 8]
    assert recorded.calls == [(0.0, [0, 1, 2, 3, 4])]
    assert outcome.elapsed_s == 1.0


def test_what_comes_while_a_call_is_under_way_goes_when_it_ends() -> None:
    recorded = Recorded()
    one = _batched(recorded, max_wait_ms=math.inf)

    async def main() -> list[int]:
        return await asyncio.gather(one(0), _at(0.2, one, 1), _at(0.9, one, 2), _at(1.5, one, 3))

    assert run(main).result == [0, 2, 4, 6]
    assert recorded.calls == [(0.0, [0]), (1.0, [1, 2]), (2.0, [3])]


def test_an_item_waits_no_longer_than_it_was_said() -> None:
    recorded = Recorded(takes_s=10.0)
    one = _batched(recorded, max_wait_ms=250)

    async def main() -> list[int]:
        return await asyncio.gather(one(0), _at(0.5, one, 1), _at(0.625, one, 2), _at(1.0, one, 3))

    run(main)
    assert recorded.calls == [(0.0, [0]), (0.75, [1, 2]), (1.25, [3])]


def test_a_full_batch_goes_while_another_is_under_way() -> None:
    recorded = Recorded()
    one = _batched(recorded, max_size=2, max_wait_ms=math.inf)

    async def main() -> None:
        await asyncio.gather(one(0), _at(0.5, one, 1), _at(0.75, one, 2), _at(0.875, one, 3))

    run(main)
    assert recorded.calls == [(0.0, [0]), (0.75, [1, 2]), (1.75, [3])]


def test_no_more_calls_at_a_time_than_allowed() -> None:
    recorded = Recorded()
    one = _batched(recorded, max_size=2, max_calls=1, max_wait_ms=0)

    async def main() -> list[int]:
        return await asyncio.gather(*map(one, range(5)))

    assert run(main).result == [0, 2, 4, 6, 8]
    assert recorded.calls == [(0.0, [0, 1]), (1.0, [2, 3]), (2.0, [4])]


def test_a_plain_function_is_called_in_a_thread_one_call_at_a_time() -> None:
    calls: list[list[int]] = []

    @alto_lg.batched(max_size=2)
    def double(items: list[int]) -> list[int]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        calls.append(items)
        return [2 * item for item in items]

    one = batching_of(double)
    assert one is not None

    async def main() -> list[int]:
        return await asyncio.gather(*map(one.acall, range(5)))

    assert run(main, seed=3, schedule="shuffle").result == [0, 2, 4, 6, 8]
    assert [len(call) for call in calls] == [2, 2, 1]


# ── who leaves ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_cancelled_item_leaves_the_others_alone() -> None:
    recorded = Recorded()
    one = _batched(recorded)

    async def main() -> list[int]:
        tasks = [asyncio.create_task(one(item)) for item in range(3)]
        await asyncio.sleep(0.5)
        await _cancel(tasks[1])
        assert asyncio.get_running_loop().time() == 0.5, "the one that leaves does not wait for the others"
        return await asyncio.gather(tasks[0], tasks[2])

    assert run(main).result == [0, 4]
    assert recorded.cancelled == []


def test_an_item_that_leaves_the_line_is_never_called_with() -> None:
    recorded = Recorded()
    one = _batched(recorded, max_wait_ms=math.inf)

    async def main() -> None:
        first = asyncio.create_task(one(0))
        await asyncio.sleep(0.5)
        second = asyncio.create_task(one(1))
        await asyncio.sleep(0.25)
        await _cancel(second)
        await first

    assert run(main).elapsed_s == 1.0
    assert recorded.calls == [(0.0, [0])]


def test_when_all_have_left_the_call_is_cancelled_and_has_ended() -> None:
    """`run` raises `Leak` if a task is left behind."""
    recorded = Recorded()
    one = _batched(recorded)

    async def main() -> None:
        tasks = [asyncio.create_task(one(item)) for item in range(3)]
        await asyncio.sleep(0.5)
        for task in tasks:
            await _cancel(task)
        assert recorded.cancelled == [[0, 1, 2]]

    assert run(main).elapsed_s == 0.5


def test_a_call_that_is_cancelled_before_it_began_gives_its_place_back() -> None:
    recorded = Recorded()
    one = _batched(recorded, max_calls=1)

    async def main() -> int:
        for turns in range(6):
            task = asyncio.create_task(one(0))
            for _ in range(turns):
                await asyncio.sleep(0)
            await _cancel(task)
        return await asyncio.wait_for(one(7), 5)  # type: ignore[no-any-return]

    assert run(main).result == 14


def test_the_last_to_leave_waits_for_a_call_that_cleans_up() -> None:
    log: list[str] = []

    @alto_lg.batched(max_size=2)
    async def slow_to_stop(items: list[int]) -> list[int]:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            log.append("cleaned up")
        return items

    async def main() -> None:
        task = asyncio.create_task(slow_to_stop(1))
        await asyncio.sleep(0.5)
        await _cancel(task)
        log.append("cancelled")

    assert run(main).elapsed_s == 1.5
    assert log == ["cleaned up", "cancelled"]


def test_a_second_cancel_reaches_a_call_that_cleans_up() -> None:
    @alto_lg.batched(max_size=2)
    async def slow_to_stop(items: list[int]) -> list[int]:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(50)
        return items

    async def main() -> None:
        task = asyncio.create_task(slow_to_stop(1))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.sleep(0.5)
        await _cancel(task)

    assert run(main).elapsed_s == 1.0


def test_a_closed_coroutine_leaves() -> None:
    recorded = Recorded()
    one = _batched(recorded)

    async def main() -> None:
        coroutine = one(1)

        async def first_steps() -> None:
            coroutine.send(None)
            await asyncio.sleep(0.5)
            coroutine.close()
            await asyncio.sleep(0)

        await first_steps()
        await asyncio.sleep(0.25)

    run(main)
    assert recorded.cancelled == [[1]]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 3), st.none() | st.floats(0, 3)), min_size=1, max_size=25),
    st.integers(1, 5),
    st.sampled_from([0.0, 200.0, math.inf]),
    st.sampled_from([None, 1, 2]),
    st.integers(0, 5),
)
def test_whoever_stays_is_answered_and_nobody_else_is_disturbed(
    comes: list[tuple[float, float | None]], max_size: int, max_wait_ms: float, max_calls: int | None, seed: int
) -> None:
    """Any arrivals and cancels: right answers, calls within the limits, nothing left behind."""
    recorded = Recorded()
    under_way = 0

    async def double(items: list[int]) -> list[int]:
        nonlocal under_way
        under_way += 1
        assert max_calls is None or under_way <= max_calls
        try:
            return await recorded.double(items)
        finally:
            under_way -= 1

    one = alto_lg.batched(max_size=max_size, max_wait_ms=max_wait_ms, max_calls=max_calls)(double)

    async def life(item: int, comes_s: float, stays_s: float | None) -> int | None:
        await asyncio.sleep(comes_s)
        try:
            async with asyncio.timeout(stays_s):
                return await one(item)
        except TimeoutError:
            return None

    async def main() -> list[int | None]:
        return await asyncio.gather(*(life(item, *when) for item, when in enumerate(comes)))

    results = run(main, seed=seed, schedule="shuffle").result
    for item, (result, (_, stays_s)) in enumerate(zip(results, comes, strict=True)):
        assert result == 2 * item or (result is None and stays_s is not None)
    assert all(0 < len(items) <= max_size for _, items in recorded.calls)
    called = [item for _, items in recorded.calls for item in items]
    assert len(called) == len(set(called)), "nobody is in two calls"
    assert under_way == 0


# ── what fails ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _settled(function: Any, items: list[Any]) -> list[Any]:
    return await asyncio.gather(*map(function, items), return_exceptions=True)


def test_an_exception_in_the_list_is_raised_for_its_item_alone() -> None:
    @alto_lg.batched(max_size=8)
    async def half(items: list[int]) -> list[float | Exception]:
        return [item / 2 if item != 3 else ValueError("no half of 3") for item in items]

    found = run(lambda: _settled(half, [1, 2, 3, 4])).result
    assert [found[0], found[1], found[3]] == [0.5, 1.0, 2.0]
    assert repr(found[2]) == "ValueError('no half of 3')"


class Refused(Exception):
    """With an `__init__` of its own, as most have."""

    def __init__(self, item: int) -> None:
        self.item = item
        super().__init__(f"refused {item}")


def test_a_call_that_raises_fails_for_all_with_an_exception_of_their_own() -> None:
    @alto_lg.batched(max_size=8)
    async def refuse(items: list[int]) -> list[int]:
        raise Refused(2)

    found = run(lambda: _settled(refuse, [1, 2, 3])).result
    assert [(type(error), str(error), error.item) for error in found] == [(Refused, "refused 2", 2)] * 3
    assert len({id(error) for error in found}) == 3
    found[0].add_note("of one run")
    assert not hasattr(found[1], "__notes__")


def test_a_repeatable_function_that_raises_fails_for_the_bad_item_alone() -> None:
    calls: list[list[int]] = []

    @alto_lg.batched(max_size=8)
    @alto_lg.repeatable
    async def refuse_three(items: list[int]) -> list[int]:
        calls.append(items)
        if 3 in items:
            raise Refused(3)
        return [2 * item for item in items]

    found = run(lambda: _settled(refuse_three, [0, 1, 2, 3, 4])).result
    assert found[:3] + found[4:] == [0, 2, 4, 8]
    assert isinstance(found[3], Refused)
    assert calls == [[0, 1, 2, 3, 4], [0, 1], [2, 3, 4], [2], [3, 4], [3], [4]]


@pytest.mark.parametrize(
    ("returned", "said"), [([1], "1 outputs"), ([1, 2, 3], "3 outputs"), ({1: 1, 2: 2}, "a dict"), (None, "a NoneType")]
)
def test_another_number_of_outputs_is_an_error_that_names_the_function(returned: Any, said: str) -> None:
    @alto_lg.batched(max_size=8)
    async def embed(items: list[int]) -> list[int]:
        return returned  # type: ignore[no-any-return]

    found = run(lambda: _settled(embed, [1, 2])).result
    for error in found:
        assert isinstance(error, alto_lg.BatchMismatch)
        assert str(error).startswith(f"embed() got 2 inputs and returned {said}. A batched function returns a list")


def test_a_function_that_ends_by_a_cancel_of_its_own_cancels_its_callers() -> None:
    """As an ordinary node's would."""

    @alto_lg.batched(max_size=8)
    async def gives_up(items: list[int]) -> list[int]:
        raise asyncio.CancelledError

    found = run(lambda: _settled(gives_up, [1, 2])).result
    assert [type(error) for error in found] == [asyncio.CancelledError] * 2


# ── whose context ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [1, 3])
def test_no_item_meets_the_context_of_another(count: int) -> None:
    seen: list[str] = []

    @alto_lg.batched(max_size=8)
    async def who(items: list[int]) -> list[int]:
        seen.append(USER.get())
        USER.set("the batch")
        return items

    async def as_user(item: int) -> str:
        USER.set(f"user {item}")
        await who(item)
        return USER.get()

    async def main() -> list[str]:
        return await asyncio.gather(*(asyncio.create_task(as_user(item)) for item in range(count)))

    assert run(main).result == [f"user {item}" for item in range(count)]
    assert seen == ["nobody"]


def test_a_plain_function_does_not_meet_it_either() -> None:
    seen: list[str] = []

    @alto_lg.batched(max_size=8)
    def who(items: list[int]) -> list[int]:
        seen.append(USER.get())
        return items

    batching = batching_of(who)
    assert batching is not None

    async def main() -> int:
        USER.set("user 1")
        return await batching.acall(1)  # type: ignore[no-any-return]

    assert run(main).result == 1
    assert seen == ["nobody"]


def test_each_event_loop_has_batches_of_its_own() -> None:
    recorded = Recorded()
    one = _batched(recorded)

    async def main() -> list[int]:
        return await asyncio.gather(one(1), one(2))

    for _ in range(3):
        assert run(main).result == [2, 4]
    assert recorded.calls == [(0.0, [1, 2])] * 3


def test_what_it_was_called_with_is_counted() -> None:
    one = _batched(Recorded(), max_size=3)

    async def main() -> None:
        await asyncio.gather(*map(one, range(7)))

    run(main)
    assert alto_lg.batch_statistics(one) == alto_lg.BatchStatistics(calls=3, inputs=7, largest=3)
