"""Slots: `max_concurrency`, with the earliest ancestry first.

LangGraph bounds a run's tasks with a semaphore, first come, first served. With early firings that would let work of
a later step pass work of an earlier one, so whoever waits here is served in the order in which it will commit.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

from alto_lg.adapters.langgraph.internals import AsyncBackgroundExecutor
from alto_lg.adapters.langgraph.strides import is_attempt
from alto_lg.engine.ancestry import Order

_turn: contextvars.ContextVar[tuple[OrderedSlots, Order] | None] = contextvars.ContextVar("alto_lg_turn", default=None)


class OrderedSlots:
    """A bounded number of slots, used as LangGraph uses an `asyncio.Semaphore`."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._arrival = itertools.count()
        self._waiting: list[tuple[Any, int, asyncio.Future[None]]] = []
        self._uncounted = 0
        self._expected = 0
        self._held = False

    def hold(self) -> None:
        """A step begins: no early firing is served until it is known how many of its tasks want a slot."""
        self._held = True

    def expect(self, tasks: int) -> None:
        """So many tasks of the step that begins are about to come: their slots are not given to early firings."""
        self._held = False
        self._expected = tasks
        self._serve()

    async def __aenter__(self) -> None:
        turn = _turn.get()
        # LangGraph's own tasks belong to the step that is being committed.
        rank = (1, turn[1]) if turn is not None and turn[0] is self else (0,)
        if not rank[0]:
            self._expected = max(self._expected - 1, 0)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._arrival), place))
        self._serve()
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

    async def take_again(self) -> None:
        """Take back, in its turn, the slot that was lent with `release`; who is cancelled meanwhile has it again."""
        try:
            await self.__aenter__()
        except asyncio.CancelledError:
            self.reclaim()
            raise

    @asynccontextmanager
    async def uncounted(self) -> AsyncIterator[None]:
        """For the only task of a step, which LangGraph runs beside its slots: all of them are for what it calls.

        Early firings, though, do count it, so that with them no more nodes run at once than without.
        """
        await self.__aenter__()
        self._uncounted += 1
        self.release()
        try:
            yield
        finally:
            self._uncounted -= 1
            self._serve()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """For the hand-over of an early firing that has a slot of its own: one slot, without waiting."""
        self.reclaim()
        try:
            yield
        finally:
            self.release()

    def _has_free(self, rank: Any) -> bool:
        if not rank[0]:
            return self._free > 0
        return not self._held and self._free > self._uncounted + self._expected

    def _serve(self) -> None:
        while self._waiting and self._has_free(self._waiting[0][0]):
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self._free -= 1
                place.set_result(None)


class SlottedTasks:
    """LangGraph's background tasks in one run, of which only nodes take a slot: no save waits for a node."""

    def __init__(self, background: AsyncBackgroundExecutor, slots: OrderedSlots) -> None:
        background.semaphore = None
        self.background = background
        self.slots = slots

    def submit(self, function: Any, *arguments: Any, **options: Any) -> asyncio.Future[Any]:
        """What LangGraph's loop and runner call."""
        if not is_attempt(function):
            return self.background.submit(function, *arguments, **options)

        async def in_a_slot(*arguments: Any, **options: Any) -> Any:
            async with self.slots:
                return await function(*arguments, **options)

        return self.background.submit(in_a_slot, *arguments, **options)
