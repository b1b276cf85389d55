"""Loops: a run on an event loop, a run on threads, and the runner of both."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any

from alto_lg.adapters.langgraph import gathering
from alto_lg.adapters.langgraph.coroutines import CoroutineFiring
from alto_lg.adapters.langgraph.early import Handover
from alto_lg.adapters.langgraph.internals import (
    AsyncPregelLoop,
    PregelExecutableTask,
    PregelRunner,
    SyncPregelLoop,
    with_names,
)
from alto_lg.adapters.langgraph.run import AcceleratedRun
from alto_lg.adapters.langgraph.slots import OrderedSlots, SlottedTasks
from alto_lg.adapters.langgraph.strides import Stride, arun, run
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


class AltoRunner(PregelRunner):
    """LangGraph's runner, which knows how nodes are to be run.

    LangGraph runs the only task of a step itself, beside those that it may run at once.
    """

    _tick = with_names(PregelRunner.tick, run_with_retry=run, **gathering.IN_THREADS)
    _atick = with_names(PregelRunner.atick, arun_with_retry=arun, **gathering.ON_LOOP)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        loop = kwargs["put_writes"]().__self__
        loop.use_astream = self.use_astream
        self._loop = weakref.ref(loop)
        self._may_stride = not kwargs.get("node_finished") and not kwargs.get("node_error_handler_map")
        self._threads: NodeThreads | None = getattr(loop, "threads", None)
        self._slots: OrderedSlots | None = getattr(loop, "slots", None)

    def tick(
        self, tasks: Iterable[PregelExecutableTask], *, timeout: float | None = None, get_waiter: Any = None, **kw: Any
    ) -> Iterator[None]:
        tasks = self._in_stride(tuple(tasks), timeout, get_waiter)
        ticking: Iterator[None] = self._tick(tasks, timeout=timeout, get_waiter=get_waiter, **kw)
        if self._threads is None:
            return ticking
        places = sum(not isinstance(task.proc, Handover) for task in tasks)
        if not _is_alone(tasks, timeout, get_waiter):
            self._threads.expect(places)
            return ticking
        counted = bool(places) and self._threads.is_exact
        self._threads.expect(1 if counted else 0)
        return _ticking_in(self._threads.uncounted(), ticking) if counted else ticking

    def atick(
        self, tasks: Iterable[PregelExecutableTask], *, timeout: float | None = None, get_waiter: Any = None, **kw: Any
    ) -> AsyncIterator[None]:
        tasks = self._in_stride(tuple(tasks), timeout, get_waiter)
        ticking: AsyncIterator[None] = self._atick(tasks, timeout=timeout, get_waiter=get_waiter, **kw)
        slots = self._slots
        if slots is None:
            return ticking
        if not _is_alone(tasks, timeout, get_waiter):
            slots.expect(len(tasks))
            return ticking
        adopted = isinstance(tasks[0].proc, Handover)
        slots.expect(0 if adopted else 1)
        return _aticking_in(slots.taken() if adopted else slots.uncounted(), ticking)

    def commit(self, task: PregelExecutableTask, exception: BaseException | None) -> None:
        super().commit(task.proc.task if isinstance(task.proc, Stride) else task, exception)

    def _in_stride(
        self, tasks: Sequence[PregelExecutableTask], timeout: float | None, get_waiter: Any
    ) -> Sequence[PregelExecutableTask]:
        """The only task of a step stands for those of all steps that follow it at once."""
        loop = self._loop()
        if not self._may_stride or loop is None or not _is_alone(tasks, timeout, get_waiter):
            return tasks
        stride = loop.stride(tasks[0])
        return tasks if stride is None else (dataclasses.replace(tasks[0], proc=stride),)


def _is_alone(tasks: Sequence[PregelExecutableTask], timeout: float | None, get_waiter: Any) -> bool:
    return len(tasks) == 1 and timeout is None and get_waiter is None


def _ticking_in(place: AbstractContextManager[None], ticking: Iterator[None]) -> Iterator[None]:
    with place:
        yield from ticking


async def _aticking_in(place: AbstractAsyncContextManager[None], ticking: AsyncIterator[None]) -> AsyncIterator[None]:
    async with place:
        async for _ in ticking:
            yield
