"""On the loop: batches of the items that come to one event loop.

Always true:
  items that come in one turn of the loop can go together, and nothing waits for longer than `Line` says;
  a call runs in a task of its own, in an empty context, so that no run's context variables reach another run's items;
  an item that is cancelled leaves alone; when all of a batch have left, its call is cancelled, and the last of them
  waits for its end, as whoever cancels an ordinary node does.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any

from alto_lg.batching._outcomes import Outcomes, for_all
from alto_lg.engine.batching import BatchLimits, Line

Call = Callable[[list[Any]], Coroutine[Any, Any, Outcomes]]


@dataclass(eq=False, slots=True)
class _Ticket:
    """One item on its way."""

    item: Any
    outcome: asyncio.Future[Any]
    batch: _Batch | None = None


@dataclass(eq=False, slots=True)
class _Batch:
    tickets: list[_Ticket]
    call: asyncio.Task[Outcomes]
    left: int = 0


class LoopBatches:
    """Forms the batches of one function on one event loop."""

    def __init__(self, call: Call, name: str, limits: BatchLimits) -> None:
        self._call = call
        self._name = name
        self._line: Line[_Ticket] = Line(limits)
        self._batches = set[_Batch]()
        self._will_look = False
        self._timer: asyncio.TimerHandle | None = None

    async def outcome(self, item: Any) -> Any:
        """What the function's call gave for this item: its output, or an exception to raise."""
        loop = asyncio.get_running_loop()
        ticket = _Ticket(item, loop.create_future())
        self._line.join(ticket, loop.time())
        if not self._will_look:  # at the end of this turn: others may come in it
            self._will_look = True
            loop.call_soon(self._look)
        try:
            return await ticket.outcome
        except asyncio.CancelledError:
            unwanted = self._leave(ticket)
            while unwanted is not None and not unwanted.done():
                try:
                    await asyncio.wait([unwanted])
                except asyncio.CancelledError:
                    unwanted.cancel()
            raise
        except GeneratorExit:  # the coroutine is closed: nothing can be awaited
            self._leave(ticket)
            raise

    def _leave(self, ticket: _Ticket) -> asyncio.Task[Outcomes] | None:
        """The call that nobody wants any more, if the ticket was the last one in it; it has been cancelled."""
        batch = ticket.batch
        if batch is None:
            self._line.leave(ticket)
            return None
        batch.left += 1
        if batch.left < len(batch.tickets):
            return None
        batch.call.cancel()
        return batch.call

    def _look(self) -> None:
        """Send what is due."""
        self._will_look = False
        loop = asyncio.get_running_loop()
        while tickets := self._line.take(loop.time()):
            items = [ticket.item for ticket in tickets]
            call = loop.create_task(self._call(items), name=f"batch of {self._name}", context=Context())
            batch = _Batch(tickets, call)
            for ticket in tickets:
                ticket.batch = batch
            self._batches.add(batch)  # the loop itself holds a task weakly
            call.add_done_callback(partial(self._ended, batch))
        self._set_timer()

    def _ended(self, batch: _Batch, call: asyncio.Task[Outcomes]) -> None:
        self._batches.discard(batch)
        self._line.ended()
        error = asyncio.CancelledError() if call.cancelled() else call.exception()
        outcomes = call.result() if error is None else for_all(error, len(batch.tickets))
        for ticket, outcome in zip(batch.tickets, outcomes, strict=True):
            if not ticket.outcome.done():
                ticket.outcome.set_result(outcome)
        self._look()

    def _set_timer(self) -> None:
        """Look again when the next batch is due, if nothing happens before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._line.due_s()
        if due_s is not None and not math.isinf(due_s) and not self._will_look:
            self._timer = asyncio.get_running_loop().call_at(due_s, self._look)
