"""From due times to wake-ups: runs a `BatchModel` against the clock of an event loop.

Owns the only timer of the server. Every stream's tokens come through it, so however many streams there are, one
wake-up serves all that is due. Always true: the timer is set to a due time of the model, never to "now plus a bit",
so a late wake-up delays what it delivers and nothing after it; two wake-ups are at least `tick_s` apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from alto_lg.comparisons.sim.batching import BatchModel, Job, Progress

Sink: TypeAlias = Callable[[Progress], None]
MakePacer: TypeAlias = Callable[[BatchModel, float, asyncio.AbstractEventLoop], "Pacer"]


class Pacer:
    """A model in real time. Use it from one event loop."""

    tick_s = 0.001
    """The event loop waits in whole milliseconds (epoll), so waking more often gains nothing; tokens that fall due in
    between go out together."""

    def __init__(self, model: BatchModel, time_scale: float, loop: asyncio.AbstractEventLoop) -> None:
        self.model = model
        self._time_scale = time_scale
        self._loop = loop
        self._origin = loop.time()
        self._sinks: dict[int, Sink] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._woke_at = self._origin

    def now(self) -> float:
        """Seconds of model time since the start."""
        return (self._loop.time() - self._origin) / self._time_scale

    def start(self, job: Job, sink: Sink) -> int:
        """A request arrives now; `sink` is called with each progress of its stream, on the loop."""
        stream = self.model.submit(job, self.now())
        self._sinks[stream] = sink
        self._arm()
        return stream

    def cancel(self, stream: int) -> None:
        """Free the stream's slot now. Harmless after its end."""
        if self._sinks.pop(stream, None) is not None:
            self.model.cancel(stream, self.now())
            self._arm()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._timer = None
        self._woke_at = self._loop.time()
        for progress in self.model.advance(self.now()):
            sink = self._sinks.pop(progress.stream) if progress.ended else self._sinks[progress.stream]
            sink(progress)
        self._arm()

    def _arm(self) -> None:
        due = 0.0 if self.model.has_undelivered else self.model.due()
        if due is None:
            self.close()
            return
        at = max(self._origin + due * self._time_scale, self._woke_at + self.tick_s)
        if self._timer is not None:
            if self._timer_at == at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)
        self._timer_at = at
