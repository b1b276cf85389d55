"""Counting: how many functions a run calls, how much memory it holds at most, how long it takes on a virtual clock.

Always true: for the same code, Python and libraries the figures are the same on every machine and at any load, but
for a trifle that a hash seed changes. So one run is enough. Functions are Python's and built-in ones, of one thread.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

from sim.loop import run

from bench.case import Exact

Result = TypeVar("Result")
Work = Callable[[], Coroutine[Any, Any, Any]]


def count(work: Work) -> Exact:
    """Three runs: one that fills the caches, one for each kind of counting, which would disturb the other."""
    run(work)
    memory_bytes = _memory_bytes(work)
    outcome, calls = count_calls(lambda: run(work))
    return Exact(outcome.result, calls, memory_bytes, outcome.elapsed_s)


def count_calls(function: Callable[[], Result]) -> tuple[Result, int]:
    """What it gives, and how many functions it calls."""
    calls = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        result = function()
    finally:
        sys.setprofile(before)
    return result, calls


def _memory_bytes(work: Work) -> int:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        run(work)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
