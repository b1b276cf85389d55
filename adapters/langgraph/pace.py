"""Pace: whether a plain function is quick enough to be called on the event loop.

Owns the limit and the clock. Always true: it is the last call that counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

QUICK_S = 0.001
"""A function that takes less may hold the event loop."""


class Pace:
    """Of one function. is_quick: its last call was; False before the first."""

    def __init__(self) -> None:
        self.is_quick = False

    def timed(self, clock: Callable[[], float], function: Callable[..., Any], *args: Any) -> Any:
        """Call a function, on whatever thread, and see how long it takes on a clock, in seconds."""
        began = clock()
        try:
            return function(*args)
        finally:
            self.is_quick = clock() - began < QUICK_S


def clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """A clock that goes on while the loop is held, in seconds: uvloop's own stands still meanwhile."""
    return loop.time if type(loop).__module__ != "uvloop" else time.monotonic
