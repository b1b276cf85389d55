"""In threads: batches of the items that threads bring, as the nodes of a sync run do.

There is no thread of ours: of those that wait, one makes the call for all of its batch, and the others wait for it.

Always true: the function is called without the lock, in an empty context; whoever changes the line wakes its head,
which is the one that looks at the clock.
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

    __slots__ = ("item", "news", "outcome")

    def __init__(self, item: Any, lock: threading.Lock) -> None:
        self.item = item
        self.news = threading.Condition(lock)
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
                        ticket.news.wait(self._patience_s())
            except BaseException:  # an interrupt of the main thread
                self._line.leave(ticket)
                self._wake_head()
                raise
            return ticket.outcome

    def _lead(self, batch: list[_Ticket]) -> None:
        self._wake_head()  # there is another one now
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
        self._wake_head()

    def _wake_head(self) -> None:
        head = self._line.head()
        if head is not None:
            head.news.notify()

    def _patience_s(self) -> float | None:
        due_s = self._line.due_s()
        return None if due_s is None or math.isinf(due_s) else max(0.0, due_s - time.monotonic())
