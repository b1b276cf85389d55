"""Batches among threads: one of those that wait makes the call for all. Real threads, and no clock decides anything."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

import alto_lg
from alto_lg.batching import batching_of

USER: ContextVar[str] = ContextVar("USER", default="nobody")
PATIENCE_S = 30


class Gated:
    """A plain function of a list whose first call waits until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.may_end = threading.Event()
        self.calls: list[list[Any]] = []
        self.under_way = 0

    def double(self, items: list[int]) -> list[int]:
        self.under_way += 1
        assert self.under_way == 1, "two calls at a time"
        self.calls.append(items)
        self.began.set()
        assert self.may_end.wait(PATIENCE_S)
        self.under_way -= 1
        return [2 * item for item in items]


@contextmanager
def _threads(count: int) -> Any:
    with ThreadPoolExecutor(count) as pool:
        yield pool


def _until_waiting(function: Callable[..., Any], count: int) -> None:
    """Until so many inputs wait in line: what follows would otherwise depend on who is faster."""
    batching = batching_of(function)
    assert batching is not None
    waits = batching._in_threads
    patience = threading.Event()
    for _ in range(PATIENCE_S * 1000):
        if len(waits._line) == count:
            return
        patience.wait(0.001)
    raise AssertionError(f"{len(waits._line)} inputs wait, and not {count}")


def test_what_comes_while_a_call_is_under_way_shares_the_next() -> None:
    gated = Gated()
    one = alto_lg.batched(max_size=8)(gated.double)
    with _threads(6) as pool:
        first = pool.submit(one, 0)
        assert gated.began.wait(PATIENCE_S)
        others = [pool.submit(one, item) for item in range(1, 6)]
        _until_waiting(one, 5)
        gated.may_end.set()
        assert [future.result(PATIENCE_S) for future in (first, *others)] == [0, 2, 4, 6, 8, 10]
    assert gated.calls[0] == [0]
    assert sorted(gated.calls[1]) == [1, 2, 3, 4, 5]
    assert len(gated.calls) == 2


def test_more_than_fit_go_one_call_after_another() -> None:
    gated = Gated()
    one = alto_lg.batched(max_size=2)(gated.double)
    with _threads(6) as pool:
        first = pool.submit(one, 0)
        assert gated.began.wait(PATIENCE_S)
        others = [pool.submit(one, item) for item in range(1, 6)]
        _until_waiting(one, 5)
        gated.may_end.set()
        assert [future.result(PATIENCE_S) for future in (first, *others)] == [0, 2, 4, 6, 8, 10]
    assert [len(call) for call in gated.calls] == [1, 2, 2, 1]


def test_an_input_that_has_waited_long_enough_goes_beside_the_call_under_way() -> None:
    """The first call ends only when the second has begun."""
    second_began = threading.Event()

    @alto_lg.batched(max_size=8, max_wait_ms=1, max_calls=2)
    def double(items: list[int]) -> list[int]:
        if items == [0]:
            first_began.set()
            assert second_began.wait(PATIENCE_S)
        else:
            second_began.set()
        return [2 * item for item in items]

    first_began = threading.Event()
    with _threads(2) as pool:
        first = pool.submit(double, 0)
        assert first_began.wait(PATIENCE_S)
        assert pool.submit(double, 1).result(PATIENCE_S) == 2
        assert first.result(PATIENCE_S) == 0


@pytest.mark.parametrize("max_calls", [1, 2, 4, 1000])
@pytest.mark.parametrize("max_wait_ms", [0, 1, math.inf])
def test_many_threads_get_their_own_answers(max_calls: int, max_wait_ms: float) -> None:
    under_way, lock, most = 0, threading.Lock(), 0

    def double(items: list[int]) -> list[int]:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        answers = [2 * item for item in items]
        with lock:
            under_way -= 1
        return answers

    one = alto_lg.batched(max_size=5, max_wait_ms=max_wait_ms, max_calls=max_calls)(double)
    with _threads(32) as pool:
        assert list(pool.map(one, range(600), timeout=PATIENCE_S)) == [2 * item for item in range(600)]
    statistics = alto_lg.batch_statistics(one)
    assert statistics.inputs == 600
    assert statistics.largest <= 5
    assert most <= max_calls


def test_a_call_that_raises_fails_for_all_its_inputs_and_not_for_the_next() -> None:
    gated = Gated()

    def refuse_three(items: list[int]) -> list[int]:
        gated.double(items)
        if 3 in items:
            raise ValueError("three")
        return items

    one = alto_lg.batched(max_size=2)(refuse_three)
    with _threads(4) as pool:
        futures: list[Future[int]] = [pool.submit(one, 0)]
        assert gated.began.wait(PATIENCE_S)
        for waiting, item in enumerate((3, 4, 5), 1):
            futures.append(pool.submit(one, item))
            _until_waiting(one, waiting)
        gated.may_end.set()
        errors = [future.exception(PATIENCE_S) for future in futures]
    assert [str(error) for error in errors] == ["None", "three", "three", "None"]
    assert errors[1] is not errors[2]


def test_no_input_meets_the_context_of_another() -> None:
    seen: list[str] = []

    @alto_lg.batched(max_size=8)
    def who(items: list[int]) -> list[int]:
        seen.append(USER.get())
        USER.set("the batch")
        return items

    token = USER.set("user 1")
    try:
        assert who(1) == 1
        assert USER.get() == "user 1"
    finally:
        USER.reset(token)
    assert seen == ["nobody"]


def test_an_interrupted_wait_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C in the main thread does."""
    gated = Gated()
    one = alto_lg.batched(max_size=8)(gated.double)
    batching = batching_of(one)
    assert batching is not None
    with _threads(1) as pool:
        first = pool.submit(one, 0)
        assert gated.began.wait(PATIENCE_S)

        def interrupted() -> float | None:
            raise KeyboardInterrupt

        monkeypatch.setattr(batching._in_threads, "_patience_s", interrupted)
        with pytest.raises(KeyboardInterrupt):
            one(1)
        assert len(batching._in_threads._line) == 0
        gated.may_end.set()
        assert first.result(PATIENCE_S) == 0
    assert gated.calls == [[0]]


def test_threads_and_an_event_loop_never_call_it_at_the_same_time() -> None:
    """Their inputs do not mix; that no more than `max_calls` are under way holds for the process."""
    gated = Gated()
    one = alto_lg.batched(max_size=8)(gated.double)
    batching = batching_of(one)
    assert batching is not None
    with _threads(1) as pool:
        in_thread = pool.submit(one, 1)
        assert gated.began.wait(PATIENCE_S)

        async def main() -> list[int]:
            both = [asyncio.create_task(batching.acall(item)) for item in (2, 3)]
            await asyncio.sleep(0.01)
            assert gated.calls == [[1]]
            gated.may_end.set()
            return await asyncio.gather(*both)

        assert asyncio.run(main()) == [4, 6]
        assert in_thread.result(PATIENCE_S) == 2
    assert gated.calls == [[1], [2, 3]]
