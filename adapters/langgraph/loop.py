"""Loops: a run on an event loop, and a run on threads."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any

from alto_lg.adapters.langgraph.coroutines import CoroutineFiring
from alto_lg.adapters.langgraph.internals import (
    AsyncPregelLoop,
    SyncPregelLoop,
)
from alto_lg.adapters.langgraph.run import AcceleratedRun
from alto_lg.adapters.langgraph.slots import OrderedSlots, SlottedTasks
from alto_lg.adapters.langgraph.threaded import ThreadedFiring
from alto_lg.adapters.langgraph.threads import NodeThreads
from alto_lg.engine.firing import Firing


class AltoLoop(AcceleratedRun, AsyncPregelLoop):
    """One run of an accelerated graph, each early firing an asyncio task."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slots: OrderedSlots | None = None
        self._tasks: SlottedTasks | None = None  # held here: LangGraph's runner has a weak reference to what submits

    @property
    def places(self) -> OrderedSlots | None:
        return self.slots

    async def __aenter__(self) -> AltoLoop:
        await super().__aenter__()
        try:
            if self.allows_lookahead():
                await self._begin()
        except BaseException:
            await super().__aexit__(*sys.exc_info())
            raise
        return self

    async def _begin(self) -> None:
        acceleration = self.acceleration
        try:
            if not acceleration.is_planned:  # reads the source of every node: not on the event loop
                await asyncio.get_running_loop().run_in_executor(None, acceleration.plan)
            wired = acceleration.wired
        except Exception as error:
            self.cannot_plan(error)
            return
        self.plan(wired)
        slots = self.config.get("max_concurrency")
        if slots:
            self.slots = OrderedSlots(slots)
            self._tasks = SlottedTasks(self._executor, self.slots)
            self.submit = self._tasks.submit  # type: ignore[assignment]

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self.finish(exc_type)
        unwinding = self._unwind(exc_type, exc_value, traceback)
        try:
            # Where nothing is saved and nothing failed, nothing is left that a cancel could leave behind.
            is_over = exc_type is None and self.checkpointer is None
            handled = await (unwinding if is_over else self._to_the_end(unwinding, exc_value))
        except BaseException as error:
            self.left(error)
            raise
        self.left(None if handled else exc_value)
        return handled

    async def _to_the_end(self, unwind: Coroutine[Any, Any, bool | None], error: BaseException | None) -> bool | None:
        """Wait for all that is left of the run, also if that is cancelled.

        LangGraph 1.2.22 gives up its own unwinding on a cancel, so that nodes and saves go on after the run. Here a
        cancel waits for the saves that are under way, and another one cancels them: a saver may hang.
        """
        unwinding = asyncio.ensure_future(unwind)
        cancelled = isinstance(error, asyncio.CancelledError)
        again: asyncio.CancelledError | None = None
        while not unwinding.done():
            try:
                await asyncio.wait([unwinding])
            except asyncio.CancelledError as another:
                again = another
                if cancelled:
                    for task in self._executor.tasks:
                        task.cancel()
                cancelled = True
        if again is None:
            return unwinding.result()
        if not unwinding.cancelled():
            unwinding.exception()  # looked at, so that nobody reports it: the cancel is what the caller asked for
        raise again

    async def _unwind(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            if exc_type is None and self.checkpointer is None and not self._executor.tasks:
                # LangGraph unwinds in a task of its own, which outlives a cancel: here nothing is waited for.
                return await self.stack.__aexit__(None, None, None)
            return await super().__aexit__(exc_type, exc_value, traceback)
        finally:  # LangGraph saves the errors of the tasks that it cancelled, and does not wait for that
            while left := [task for task in self._executor.tasks if not task.done()]:
                await asyncio.wait(left)

    @property
    def _executor(self) -> Any:
        return self.submit.__self__ if self._tasks is None else self._tasks.background  # type: ignore[attr-defined]

    def early_firing(self, firing: Firing) -> CoroutineFiring:
        return CoroutineFiring(firing)

    def clock(self) -> Callable[[], float]:
        return asyncio.get_running_loop().time


class AltoThreadedLoop(AcceleratedRun, SyncPregelLoop):
    """One run of an accelerated graph by the synchronous API, each early firing on a thread.

    Conditional edges of an early firing are settled before it starts: a thread that waited for them would be held.
    """

    holds_firings = False
    on_event_loop = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lock = threading.RLock()
        self.threads: NodeThreads | None = None

    @property
    def places(self) -> NodeThreads | None:
        return self.threads

    def __enter__(self) -> AltoThreadedLoop:
        super().__enter__()
        try:
            if self.allows_lookahead():
                self._begin()
        except BaseException:
            super().__exit__(*sys.exc_info())
            raise
        return self

    def _begin(self) -> None:
        try:
            wired = self.acceleration.wired
        except Exception as error:
            self.cannot_plan(error)
            return
        background = self.submit.__self__  # type: ignore[attr-defined]
        self.threads = NodeThreads(background, self.config.get("max_concurrency"))
        self.submit = self.threads.submit  # type: ignore[assignment]
        self.plan(wired)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self.finish(exc_type)
        try:
            handled = super().__exit__(exc_type, exc_value, traceback)
        except BaseException as error:
            self.left(error)
            raise
        self.left(None if handled else exc_value)
        return handled

    def tick(self) -> bool:
        with self.lock:
            return super().tick()

    def after_tick(self) -> None:
        with self.lock:
            super().after_tick()

    def put_writes(self, task_id: str, writes: Sequence[tuple[str, Any]], **cached: bool) -> None:
        with self.lock:
            super().put_writes(task_id, writes, **cached)

    def early_firing(self, firing: Firing) -> ThreadedFiring:
        return ThreadedFiring(firing)

    def clock(self) -> Callable[[], float]:
        return time.monotonic
