"""In threads: batches of the items that threads bring, as the nodes of a sync run do.

There is no thread of ours: of those that wait, one makes the call for all of its batch, and the others wait for it.

Always true: the function is called without the lock, in an empty context; whoever changes the line wakes the first that
sleeps in it, which sends what is due or looks at the clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

from alto_lg.batching._outcomes import Outcomes, for_all
from alto_lg.engine.batching import BatchLimits, Line

Call = Callable[[list[Any]], Outcomes]

_NOTHING_YET = object()


class _Ticket:
    """One item on its way, and what its thread waits on."""

    __slots__ = ("item", "news", "outcome", "sleeps")

    def __init__(self, item: Any, lock: threading.Lock) -> None:
        self.item = item
        self.news = threading.Condition(lock)
        self.sleeps = False  # it does not while its thread makes the call for others
        self.outcome: Any = _NOTHING_YET


class ThreadBatches:
    """Forms the batches of one function among all threads of the process that call it."""

    def __init__(self, call: Call, limits: BatchLimits) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._line: Line[_Ticket] = Line(limits)

    def outcome(self, item: Any) -> Any:
        """What the function's call gave for this item: its output, or an exception to raise."""
        with self._lock:
            ticket = _Ticket(item, self._lock)
            self._line.join(ticket, time.monotonic())
            try:
                while ticket.outcome is _NOTHING_YET:
                    batch = self._line.take(time.monotonic())
                    if batch:
                        self._lead(batch)
                    else:
                        ticket.sleeps = True
                        ticket.news.wait(self._patience_s())
                        ticket.sleeps = False
            except BaseException:  # an interrupt of the main thread
                self._line.leave(ticket)
                self._wake_first()
                raise
            return ticket.outcome

    def _lead(self, batch: list[_Ticket]) -> None:
        self._wake_first()  # to look at the clock for those that are left
        self._lock.release()
        try:
            outcomes = Context().run(self._call, [ticket.item for ticket in batch])
        except BaseException as error:
            outcomes = for_all(error, len(batch))
        finally:
            self._lock.acquire()
        self._line.ended()
        for ticket, outcome in zip(batch, outcomes, strict=True):
            ticket.outcome = outcome
            ticket.news.notify()
        self._wake_first()

    def _wake_first(self) -> None:
        for ticket in self._line:
            if ticket.sleeps:
                ticket.news.notify()
                return

    def _patience_s(self) -> float | None:
        due_s = self._line.due_s()
        return None if due_s is None or math.isinf(due_s) else max(0.0, due_s - time.monotonic())
