"""Plain functions that are called on the event loop, where LangGraph takes them to a thread.

The hop to a thread and back takes some 60 µs of processor time (docs/overhead.md), many a router one. Left out is the
hop, and nothing else: a function has a context of its own, and as many turns of the event loop go by.

Always true: what is called on the loop is proven to neither wait nor tell where it is (`analysis/harmless.py`), is
given values with which nothing else can happen (`analysis/inert.py`), and was quick when it was last called.
"""

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from langchain_core.runnables.config import run_in_executor

from alto_lg.adapters.langgraph.internals import RunnableCallable
from alto_lg.adapters.langgraph.pace import Pace, clock_of

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.analysis.harmless import Harmless

_SETBACKS_ALLOWED = 3
_RUNS_PER_SETBACK = 100


def is_plain(runnable: RunnableCallable) -> bool:
    """Whether LangGraph has made the coroutine function itself, of a plain one, by a hop to a thread."""
    return runnable.func is not None and getattr(runnable.afunc, "__wrapped__", None) is runnable.func


def inline(runnable: Any) -> Any:
    """The same; a plain function that is given its input and nothing else is called on the loop where that may be."""
    if type(runnable) is not RunnableCallable or not is_plain(runnable):
        return runnable
    if runnable.func_accepts or runnable.kwargs or runnable.explode_args:
        return runnable
    function: Any = runnable.func
    on_thread: Any = runnable.afunc
    made = copy.copy(runnable)
    made.afunc = Inline(function, on_thread)
    return made


class Inline:
    """A plain function as a coroutine function.

    The proof is made when it has been called once, on a thread. A setback is a call on the loop that took long, or an
    input that the proof is not of; with too many of them the function is left to threads.
    """

    def __init__(self, function: Callable[..., Any], on_thread: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._on_thread = on_thread
        self._pace = Pace()
        self._proof: Harmless | None = None
        self._calls = self._setbacks = 0
        self.is_left_to_threads = False

    async def __call__(self, given: Any) -> Any:
        if self.is_left_to_threads:
            return await self._on_thread(given)
        clock = clock_of(asyncio.get_running_loop())
        if not self._pace.is_quick:
            return await run_in_executor(None, self._pace.timed, clock, self._function, given)
        await asyncio.sleep(0)
        if not self._may_be_called_with(given):
            return await self._on_thread(given)
        try:
            return copy_context().run(self._pace.timed, clock, self._function, given)
        except StopIteration as stopped:  # as from a thread, where it cannot be an error of a future
            raise RuntimeError from stopped
        finally:
            self._count(is_setback=not self._pace.is_quick)
            await asyncio.sleep(0)

    def _may_be_called_with(self, given: Any) -> bool:
        from alto_lg.adapters.langgraph.analysis.harmless import harmless  # loaded by the first plan
        from alto_lg.adapters.langgraph.analysis.inert import are_inert, parts_of

        if self._proof is None:
            self._proof = harmless(self._function)
        if self._proof is None or not self._proof.holds():
            self.is_left_to_threads = True
            return False
        fits = are_inert((*self._proof.values, *parts_of(given, self._proof.reads)))
        if not fits:
            self._count(is_setback=True)
        return fits

    def _count(self, *, is_setback: bool) -> None:
        self._calls += 1
        self._setbacks += is_setback
        if self._setbacks > _SETBACKS_ALLOWED + self._calls // _RUNS_PER_SETBACK:
            self.is_left_to_threads = True
