"""Slots: `max_concurrency`, with the earliest ancestry first.

LangGraph bounds a run's tasks with a semaphore, first come, first served. With early firings that would let work of
a later step pass work of an earlier one, so whoever waits here is served in the order in which it will commit.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
from types import TracebackType
from typing import Any

from alto_lg.engine.ancestry import Order

_turn: contextvars.ContextVar[tuple[OrderedSlots, Order] | None] = contextvars.ContextVar("alto_lg_turn", default=None)


class OrderedSlots:
    """A bounded number of slots, used as LangGraph uses an `asyncio.Semaphore`."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._arrival = itertools.count()
        self._waiting: list[tuple[Any, int, asyncio.Future[None]]] = []

    async def __aenter__(self) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        turn = _turn.get()
        # LangGraph's own tasks, and its saving of checkpoints, belong to the step that is being committed.
        rank = (1, turn[1]) if turn is not None and turn[0] is self else (0,)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._arrival), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.release()  # the slot was given just before the cancellation
            raise

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def take_turn(self, order: Order) -> None:
        """Called in the context that an early firing is submitted in: it is served by this order."""
        _turn.set((self, order))

    def release(self) -> None:
        """Give a slot back."""
        self._free += 1
        self._serve()

    def reclaim(self) -> None:
        """Take back, without waiting, the slot that was lent with `release`."""
        self._free -= 1

    def _serve(self) -> None:
        while self._free > 0 and self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self._free -= 1
                place.set_result(None)
