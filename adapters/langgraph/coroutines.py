"""Coroutines: early firings on an event loop.

Always true: each is one of LangGraph's background tasks, so that whatever ends the run cancels and awaits it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt

from alto_lg.adapters.langgraph.attempts import arun
from alto_lg.adapters.langgraph.early import EarlyFiring
from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_CALL, PregelExecutableTask
from alto_lg.adapters.langgraph.slots import OrderedSlots
from alto_lg.engine.firing import Firing

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead


class CoroutineFiring(EarlyFiring):
    """An early firing that is an asyncio task."""

    def __init__(self, firing: Firing) -> None:
        super().__init__(firing)
        self.future: asyncio.Future[Any]
        self._lookahead: Lookahead
        self._slots: OrderedSlots | None = None
        self._lent = False
        self._routes = asyncio.Event()
        self._official: asyncio.Future[RunnableConfig] | None = asyncio.get_running_loop().create_future()

    def start(self, lookahead: Lookahead, task: PregelExecutableTask, context: contextvars.Context) -> None:
        loop: Any = lookahead.loop
        self.task = task
        self._lookahead = lookahead
        self._slots = loop.slots
        if self._slots is not None:
            context.run(self._slots.take_turn, self.firing.ancestry.order)
        self.future = context.run(
            loop.submit,
            arun,
            task,
            None,
            stream=loop.use_astream,
            configurable={CONFIG_KEY_CALL: self._call},
            __name__=task.name,
            __cancel_on_exit__=True,
            __reraise_on_exit__=False,
        )
        self.future.add_done_callback(partial(lookahead.early_ended, self), context=context)

    def gate(self) -> Callable[..., Any] | None:
        return self._routes_settled

    async def _routes_settled(self) -> None:
        if not self._routes.is_set():
            self._lookahead.body_ended(self.firing)
            await self._routes.wait()

    def release(self, settled: frozenset[str]) -> None:
        super().release(settled)
        self._routes.set()

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[None]:
        official = self._official
        if official is not None:
            self._lend(official)
        try:
            yield
        except BaseException:
            self._take_back()
            raise
        if self._slots is not None and self._lent:
            self._lent = False
            await self._slots.take_again()

    def cancel(self) -> None:
        self.future.cancel()
        if self._official is not None and not self._official.done():
            self._official.cancel()
        self._take_back()

    async def deliver(self, writes: deque[tuple[str, Any]], config: RunnableConfig) -> Any:
        if self._official is not None and not self._official.done():
            self._official.set_result(config)
        self._take_back()
        if self._slots is not None:
            self._slots.release()  # it has a slot of its own, or waits for one
        try:
            result = await self.future
            save = self._lookahead.save_to_await()
            if save is not None:
                await asyncio.wait([save])
            return result
        except GraphInterrupt as interrupt:
            raise self.readdressed(interrupt, config) from interrupt.__cause__
        except Exception as error:
            self.forget_note(error)
            raise
        finally:
            if self._slots is not None:
                self._slots.reclaim()
            writes.extend(self.task.writes)
            self._official = None  # its config leads to the loop, which holds this: no cycle is left for the collector

    def _call(self, function: Any, arguments: Any, **options: Any) -> Any:
        """A `@task` called from the node: LangGraph files it under the official task, so it waits for that one."""
        running = self.future.get_loop()
        try:
            in_loop = asyncio.current_task() is not None
        except RuntimeError:
            in_loop = False

        official = self._official
        assert official is not None, f"{self.firing} called a task after it had ended"

        async def call_officially() -> Any:
            self._lend(official)
            config = await asyncio.shield(official)
            return await config[CONF][CONFIG_KEY_CALL](function, arguments, **options)

        if in_loop:
            return running.create_task(call_officially())
        future: concurrent.futures.Future[Any] = asyncio.run_coroutine_threadsafe(call_officially(), running)
        return future

    def _lend(self, official: asyncio.Future[RunnableConfig]) -> None:
        """Give the slot to others while it waits for its adoption: what must come before that may need it."""
        if self._slots is not None and not self._lent and not official.done():
            self._lent = True
            self._slots.release()

    def _take_back(self) -> None:
        if self._slots is not None and self._lent:
            self._lent = False
            self._slots.reclaim()
