"""Runner: how LangGraph's runner runs the tasks of a step, or of a stride.

Always true: the only task of a step runs in the caller's own thread or asyncio task, as with LangGraph, beside those
that may run at once.
"""

from __future__ import annotations

import asyncio
import dataclasses
import weakref
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from typing import Any

from alto_lg.adapters.langgraph import gathering
from alto_lg.adapters.langgraph.early import Handover
from alto_lg.adapters.langgraph.internals import PregelExecutableTask, PregelRunner, acall, call, with_names
from alto_lg.adapters.langgraph.slots import OrderedSlots
from alto_lg.adapters.langgraph.strides import Stride, arun, run
from alto_lg.adapters.langgraph.threads import NodeThreads


class AltoRunner(PregelRunner):
    """LangGraph's runner, which knows how nodes are to be run.

    gathered: the futures of tasks that it made last.
    """

    gathered: weakref.ref[Any]

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
        tasks = tuple(tasks)
        is_alone = len(tasks) == 1 and timeout is None and get_waiter is None
        stride = self._stride(tasks[0]) if is_alone else None
        if stride is not None:
            return self._striding(stride, **kw)
        ticking: Iterator[None] = self._tick(tasks, timeout=timeout, get_waiter=get_waiter, **kw)
        if self._threads is None:
            return ticking
        places = sum(not isinstance(task.proc, Handover) for task in tasks)
        if not is_alone:
            self._threads.expect(places)
            return ticking
        counted = bool(places) and self._threads.is_exact
        self._threads.expect(1 if counted else 0)
        return _ticking_in(self._threads.uncounted(), ticking) if counted else ticking

    def atick(
        self, tasks: Iterable[PregelExecutableTask], *, timeout: float | None = None, get_waiter: Any = None, **kw: Any
    ) -> AsyncIterator[None]:
        tasks = tuple(tasks)
        is_alone = len(tasks) == 1 and timeout is None and get_waiter is None
        stride = self._stride(tasks[0]) if is_alone else None
        if stride is not None:
            return self._astriding(stride, **kw)
        ticking: AsyncIterator[None] = self._atick(tasks, timeout=timeout, get_waiter=get_waiter, **kw)
        slots = self._slots
        if slots is None:
            return ticking
        if not is_alone:
            slots.expect(len(tasks))
            return ticking
        adopted = isinstance(tasks[0].proc, Handover)
        slots.expect(0 if adopted else 1)
        return _aticking_in(slots.taken() if adopted else slots.uncounted(), ticking)

    def commit(self, task: PregelExecutableTask, exception: BaseException | None) -> None:
        super().commit(task.proc.task if isinstance(task.proc, Stride) else task, exception)

    def _stride(self, task: PregelExecutableTask) -> Stride | None:
        loop = self._loop()
        return loop.stride(task) if self._may_stride and loop is not None else None

    def _striding(self, stride: Stride, *, schedule_task: Any) -> Iterator[None]:
        if self._threads is not None:
            self._threads.expect(0)
        ticking = self._tick((_placeholder(stride),), schedule_task=schedule_task)
        next(ticking)  # up to where it would run the task: what is called is gathered from here on
        try:
            yield
            calling = partial(call, futures=self.gathered, schedule_task=schedule_task, submit=self.submit)
            while stride.step(calling, _alive(self.gathered)):
                if stride.is_heard:
                    yield
            yield from ticking
        finally:
            ticking.close()

    async def _astriding(self, stride: Stride, *, schedule_task: Any) -> AsyncIterator[None]:
        ticking = self._atick((_placeholder(stride),), schedule_task=schedule_task)
        await anext(ticking)
        try:
            yield
            loop = asyncio.get_running_loop()
            calling = partial(acall, futures=self.gathered, schedule_task=schedule_task, submit=self.submit, loop=loop)
            while await stride.astep(calling, _alive(self.gathered)):
                if stride.is_heard:
                    yield
            async for _ in ticking:
                yield
        finally:
            await ticking.aclose()


def _placeholder(stride: Stride) -> PregelExecutableTask:
    """The task that LangGraph takes a stride for."""
    return dataclasses.replace(stride.task, proc=stride)  # type: ignore[arg-type]


def _alive(futures: weakref.ref[Any]) -> Any:
    found = futures()
    assert found is not None, "held by the frame that gathers them"
    return found


def _ticking_in(place: AbstractContextManager[None], ticking: Iterator[None]) -> Iterator[None]:
    with place:
        yield from ticking


async def _aticking_in(place: AbstractAsyncContextManager[None], ticking: AsyncIterator[None]) -> AsyncIterator[None]:
    async with place:
        async for _ in ticking:
            yield
