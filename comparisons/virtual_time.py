"""An event loop with real sockets and real threads on a virtual clock: waiting takes no time, and neither does work.

What is measured on it is the order in which an arm asks and waits, without noise; what an engine costs is not in it. A
client and a server that share the loop keep their code, their protocol and their connections.

Always true: the clock moves only when no task can run, no socket has anything to read, and no thread of the loop's
executors is at work; and then exactly to the next timer.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple, Unpack

Given = TypeVarTuple("Given")
Result = TypeVar("Result")

VIRTUAL = "--virtual"
"""With this argument a worker has its event loop on a virtual clock."""

PATIENCE_S = 60.0
"""Real seconds: the search of a big index may take some, a thread that waits for the model takes for ever."""


class TimeStandsStill(RuntimeError):
    """Nothing can run, and nothing will come that only waits for time."""

    def __init__(self, threads: int, waited_s: float) -> None:
        waits = f"{threads} thread(s) have not come back" if threads else "no timer is set and no socket has news"
        super().__init__(
            f"time stands still: for {waited_s:.0f} s {waits}. On the virtual clock everything that takes time has to "
            "be awaited on the event loop: a model that is called from a thread waits for ever. Use async nodes, or "
            "--clock real."
        )


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Begins at 0 s. `run_in_executor` and `asyncio.to_thread` run in threads, while time stands still."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._threads = 0
        self._patience_s: float | None = None
        super().__init__(_SkippingSelector(self))

    def time(self) -> float:
        return self._now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Given]], Result], *args: *Given
    ) -> asyncio.Future[Result]:
        future = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._came_back)
        return future

    @contextmanager
    def patience(self, seconds: float = PATIENCE_S) -> Iterator[None]:
        """Inside, `TimeStandsStill` is raised when nothing has run for so many real seconds; outside, never."""
        self._patience_s = seconds
        try:
            yield
        finally:
            self._patience_s = None

    def skip(self, seconds: float | None) -> bool:
        """Move the clock to the next timer, which is so far off; False where time has to stand still."""
        if self._threads or seconds is None:
            return False
        self._now_s += seconds
        return True

    def waited(self, seconds: float) -> None:
        """Nothing has come in so many real seconds."""
        if self._patience_s is not None and seconds >= self._patience_s:
            raise TimeStandsStill(self._threads, seconds)

    def _came_back(self, _: asyncio.Future[Any]) -> None:
        self._threads -= 1


_LOOK_EVERY_S = 1.0


class _SkippingSelector(selectors.DefaultSelector):
    """Where nothing is ready, the clock is moved in place of waiting."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0) or self._loop.skip(timeout):
            return ready
        began = time.monotonic()
        while not ready:
            ready = super().select(_LOOK_EVERY_S)
            self._loop.waited(0.0 if ready else time.monotonic() - began)
        return ready
