"""Blocking: how long an async node holds the event loop at a stretch.

Owns the measuring. Always true: the node runs as it would, step by step, in the same task; only the time that each of
its steps takes is looked at, and only the first times that it runs. Work that it hands to tasks of its own is not seen.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import types
from collections.abc import Callable, Generator
from typing import Any

from alto_lg.adapters.langgraph.internals import RunnableCallable
from alto_lg.adapters.langgraph.mistakes.reporter import Reporter
from alto_lg.adapters.langgraph.pace import clock_of

_LOOKS = 25
"""Runs of a node that are timed: what holds the loop does so most times, and looking costs a few microseconds."""


def watched(name: str, bound: Any, limit_s: float, reporter: Reporter) -> Any:
    """A node's function, if it is an async one, that tells how long it held the loop; anything else as it is."""
    # LangGraph makes a task of a function that it traces, which takes no other kind of coroutine than Python's own.
    if limit_s <= 0 or not isinstance(bound, RunnableCallable) or bound.func is not None or bound.trace:
        return bound
    function = bound.afunc
    if not inspect.iscoroutinefunction(function):
        return bound

    def held(longest_s: float) -> None:
        reporter.report(
            ("held", name),
            f"Node {name!r} held the event loop for {longest_s:.1f} s; nothing could overlap. Make it sync (it will "
            "run in a thread) or await.",
        )

    made = copy.copy(bound)
    made.afunc = _timed(function, limit_s, held)
    return made


def _timed(function: Callable[..., Any], limit_s: float, held: Callable[[float], None]) -> Callable[..., Any]:
    """The function, with the time of its longest step handed to `held` at its end if that is more than the limit."""
    left = _LOOKS

    # A generator that can be awaited, and not an async function: one frame less for each node of each run.
    @types.coroutine
    def timed(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        coroutine = function(*args, **kwargs)
        clock = clock_of(asyncio.get_running_loop())
        longest_s, result = limit_s, None
        step, argument = coroutine.send, None
        while True:
            began = clock()
            try:
                awaited = step(argument)
            except StopIteration as returned:
                result = returned.value
                if clock() - began > longest_s:
                    longest_s = clock() - began
                break
            if clock() - began > longest_s:
                longest_s = clock() - began
            try:
                argument = yield awaited
                step = coroutine.send
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as thrown:
                step, argument = coroutine.throw, thrown
        if longest_s > limit_s:
            held(longest_s)
        return result

    @functools.wraps(function)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if left <= 0:
            return function(*args, **kwargs)
        left -= 1
        return timed(*args, **kwargs)

    return looked_at
