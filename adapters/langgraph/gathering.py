"""Waiting for the tasks of a step, a look at each when it has ended.

Whenever a task ends, LangGraph waits anew for all that still run: it puts a callback on each of them and takes it off
again. For a fan-out of n items that end one by one these are n² callbacks. Here each task has one callback from its
beginning, which says that it has ended.

Always true: who waits is woken as soon as anything has ended, and is told of all that has ended by then.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
import types
import weakref
from collections import deque
from typing import Any

from alto_lg.adapters.langgraph.internals import FuturesDict


class _Ended(FuturesDict):
    """LangGraph's tasks by their futures; knows which have ended since somebody last asked.

    The runner that makes it can find it as its `gathered`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ended: deque[Any] = deque()
        commit: Any = self.callback()
        commit.__self__.gathered = weakref.ref(self)

    def _note(self, future: Any) -> None:
        self._ended.append(future)

    def _taken(self) -> set[Any]:
        """Those that have ended, and that nobody has been told of."""
        taken = set()
        while self._ended:
            future = self._ended.popleft()
            if future in self:
                taken.add(future)
        return taken


class EndedOnLoop(_Ended):
    """On an event loop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiter: asyncio.Future[None] | None = None
        self._new: list[Any] = []

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._new.append(key)

    def _note(self, future: Any) -> None:
        super()._note(future)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float | None) -> tuple[set[Any], bool]:
        """Those that have ended, as soon as there is one, or none after so long; and whether others have not."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds if seconds is not None else None
        # Turns are `asyncio.wait`'s: whoever waits for a task itself hears of it before, and what ended meanwhile is
        # told of in the next turn.
        while self._new:
            self._new.pop().add_done_callback(self._note)
        if self._ended:
            loop.call_soon(self._wake)
        done: set[Any] = set()
        while not done and (end is None or loop.time() < end):
            self._waiter = loop.create_future()
            alarm = loop.call_at(end, self._wake) if end is not None else None
            try:
                await self._waiter
            finally:
                self._waiter = None
                if alarm is not None:
                    alarm.cancel()
            done = self._taken()
        return done, len(done) < len(self)


class EndedInThreads(_Ended):
    """In threads, while the caller's own waits."""

    _something: Any = None

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._something is None:  # made late: the only task of a step runs in the caller's thread
            self._something = threading.Event()
        super().__setitem__(key, value)  # which has its result filed when it ends, before anybody is woken
        key.add_done_callback(self._note)

    def _note(self, future: Any) -> None:
        super()._note(future)
        self._something.set()

    def wait(self, seconds: float | None) -> tuple[set[Any], bool]:
        """Those that have ended, as soon as there is one, or none after so long; and whether others have not."""
        end = time.monotonic() + seconds if seconds is not None else None
        while not (done := self._taken()) and (end is None or time.monotonic() < end):
            self._something.wait(end - time.monotonic() if end is not None else None)
            self._something.clear()  # before the look: what ends after that sets it again
        return done, len(done) < len(self)


def _wait(futures: EndedOnLoop, *, timeout: float | None = None, return_when: str) -> Any:
    assert return_when == asyncio.FIRST_COMPLETED
    return futures.wait(timeout)


def _wait_in_thread(futures: EndedInThreads, *, timeout: float | None = None, return_when: str) -> Any:
    assert return_when == concurrent.futures.FIRST_COMPLETED
    return futures.wait(timeout)


ON_LOOP: Any = {"FuturesDict": EndedOnLoop, "asyncio": types.SimpleNamespace(**{**vars(asyncio), "wait": _wait})}
"""Names of LangGraph's `atick`, replaced."""
_THREADS = types.SimpleNamespace(**{**vars(concurrent.futures), "wait": _wait_in_thread})
IN_THREADS: Any = {
    "FuturesDict": EndedInThreads,
    "concurrent": types.SimpleNamespace(futures=_THREADS),
}
"""Names of its `tick`."""
