"""Blocking: how long an async node holds the event loop at a stretch.

Owns the measuring. Always true: the node runs as it would, step by step, in the same task; only the time that each of
its steps takes is looked at. Work that it hands to tasks of its own is not seen.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from alto_lg.adapters.langgraph.internals import RunnableCallable
from alto_lg.adapters.langgraph.mistakes.reporter import Reporter


def watched(name: str, bound: Any, limit_s: float, reporter: Reporter) -> Any:
    """A node's function, if it is an async one, that tells how long it held the loop; anything else as it is."""
    if limit_s <= 0 or not isinstance(bound, RunnableCallable) or bound.func is not None:
        return bound
    function = bound.afunc
    if not inspect.iscoroutinefunction(function):
        return bound

    @functools.wraps(function)
    async def timed(*args: Any, **kwargs: Any) -> Any:
        steps = _Steps(function(*args, **kwargs), clock_of(asyncio.get_running_loop()))
        result = await steps
        if steps.longest_s > limit_s:
            reporter.report(
                ("held", name),
                f"Node {name!r} held the event loop for {steps.longest_s:.1f} s; nothing could overlap. Make it sync "
                "(it will run in a thread) or await.",
            )
        return result

    made = copy.copy(bound)
    made.afunc = timed
    return made


def clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """The loop's clock, in seconds: real or simulated; uvloop's stands still while a task runs."""
    return time.monotonic if type(loop).__module__.split(".")[0] == "uvloop" else loop.time


class _Steps:
    """A coroutine, awaited, with the time of its longest step."""

    __slots__ = ("_clock", "_coroutine", "longest_s")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], clock: Callable[[], float]) -> None:
        self._coroutine = coroutine
        self._clock = clock
        self.longest_s = 0.0

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, clock = self._coroutine, self._clock
        step: Callable[[], Any] = functools.partial(coroutine.send, None)
        while True:
            began = clock()
            try:
                awaited = step()
            except StopIteration as returned:
                self.longest_s = max(self.longest_s, clock() - began)
                return returned.value
            self.longest_s = max(self.longest_s, clock() - began)
            try:
                answer = yield awaited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as thrown:
                step = functools.partial(coroutine.throw, thrown)
            else:
                step = functools.partial(coroutine.send, answer)
