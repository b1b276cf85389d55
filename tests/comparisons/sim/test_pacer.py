"""The pacer on an event loop whose time the test owns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from alto_lg.comparisons.sim.batching import BatchModel, Job, Progress
from alto_lg.comparisons.sim.pacer import Pacer
from alto_lg.comparisons.sim.profiles import Profile

PROFILE = Profile(name="plain", summary="", inter_token_s=1.0, slots=1, prefill_base_s=10.0)


class HandMovedLoop(asyncio.SelectorEventLoop):
    """Holds one timer, and fires it as late as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 5.0
        self.timer: asyncio.TimerHandle | None = None

    def time(self) -> float:
        return self.now_s

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        self.timer = asyncio.TimerHandle(when, callback, args, self)
        return self.timer

    def fire(self, late_s: float) -> None:
        timer = self.timer
        assert timer is not None and not timer.cancelled()
        self.timer = None
        self.now_s = timer.when() + late_s
        timer._run()


@pytest.fixture
def loop() -> Any:
    loop = HandMovedLoop()
    yield loop
    loop.close()


def job(tokens: int) -> Job:
    return Job((), ("x",) * tokens, (1.0,) * (tokens - 1))


def test_a_late_wake_up_delays_nothing_after_it(loop: HandMovedLoop) -> None:
    pacer = Pacer(BatchModel(PROFILE), 1.0, loop)
    pacer.start(job(5), lambda progress: None)
    fired = []
    while loop.timer is not None:
        fired.append(loop.timer.when())
        loop.fire(late_s=0.3)
    assert fired == pytest.approx([15.0, 16.0, 17.0, 18.0, 19.0])


def test_what_fell_due_during_a_long_delay_arrives_together(loop: HandMovedLoop) -> None:
    pacer = Pacer(BatchModel(PROFILE), 1.0, loop)
    gained: list[Progress] = []
    pacer.start(job(5), gained.append)
    loop.fire(late_s=2.5)
    assert [progress.tokens for progress in gained] == [3]
    loop.fire(late_s=0.0)
    assert gained[-1].tokens == 1


def test_the_time_scale_multiplies_every_wait(loop: HandMovedLoop) -> None:
    pacer = Pacer(BatchModel(PROFILE), 0.1, loop)
    pacer.start(job(1), lambda progress: None)
    assert loop.timer is not None
    assert loop.timer.when() == pytest.approx(6.0)


def test_wake_ups_are_at_least_a_millisecond_apart(loop: HandMovedLoop) -> None:
    pacer = Pacer(BatchModel(PROFILE), 1e-4, loop)
    pacer.start(job(50), lambda progress: None)
    loop.fire(late_s=0.0)
    woke_at = loop.now_s
    assert loop.timer is not None
    assert loop.timer.when() == pytest.approx(woke_at + 0.001)


def test_a_cancelled_stream_is_told_nothing_and_leaves_no_timer(loop: HandMovedLoop) -> None:
    pacer = Pacer(BatchModel(PROFILE), 1.0, loop)
    gained: list[Progress] = []
    stream = pacer.start(job(5), gained.append)
    pacer.cancel(stream)
    pacer.cancel(stream)
    assert gained == []
    assert loop.timer is not None and loop.timer.cancelled()
