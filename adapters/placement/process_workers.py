"""Workers that are processes of this machine.

`loky`, and not `concurrent.futures`: it sends closures, starts processes without running the main script in them, so
that a script needs no `if __name__ == "__main__"`, and never forks a process that has threads. Always true: each worker
is a pool of one process, because a process that dies breaks its whole pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from alto_lg.adapters.placement.calling import Answer
from alto_lg.adapters.placement.workers import Died

_LOOKS_EVERY_S = 1.0
"""How often a process looks whether the one that started it is still there."""


def loky_module() -> Any:
    """loky itself.

    Raises:
        ImportError: It is not installed; says how to.
    """
    try:
        import loky
    except ImportError as error:
        raise ImportError("alto_lg.processes needs loky: pip install 'alto-lg[processes]'") from error
    return loky


class ProcessHost:
    """Processes with the code of a stage."""

    def __init__(self, code: Any) -> None:
        loky_module()  # raises here, and not in a run
        self._code = code

    def open(self) -> None:
        """Nothing is shared by the workers."""

    def worker(self) -> ProcessWorker:
        return ProcessWorker(self._code)

    def close(self) -> None:
        """Nothing is left when the workers have stopped."""


class ProcessWorker:
    """One process, seen from here."""

    def __init__(self, code: Any) -> None:
        self._pool: Any = loky_module().ProcessPoolExecutor(max_workers=1, initializer=_take, initargs=(code,))

    def start(self) -> Future[Any]:
        ready: Future[Any] = self._pool.submit(_ready)
        return ready

    def call(self, sent: Any, *, plain: bool) -> ProcessCall:
        try:
            return ProcessCall(self._pool.submit(_run, sent))
        except BrokenProcessPool as error:
            raise Died(error) from error

    def stream(self, sent: Any) -> Any:
        raise NotImplementedError("a pool of processes has no way back for a stream; refused before")

    def forget(self, run: Hashable) -> None:
        with contextlib.suppress(RuntimeError):  # its process is gone, or was stopped
            self._pool.submit(_forget, run)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, kill_workers=True)


class ProcessCall:
    """One firing in a process."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def result(self) -> Answer:
        try:
            return Answer(*self._future.result())
        except BrokenProcessPool as error:
            raise Died(error) from error

    async def aresult(self) -> Answer:
        try:
            return Answer(*await asyncio.shield(asyncio.wrap_future(self._future)))
        except BrokenProcessPool as error:
            raise Died(error) from error

    def abandon(self, then: Callable[[], None]) -> None:
        """What runs in a process runs to its end."""
        self._future.cancel()
        self._future.add_done_callback(lambda ended: then())


_code: Any = None


def _take(code: Any) -> None:
    global _code
    _code = code
    threading.Thread(target=_end_with, args=(os.getppid(),), name="alto_lg parent", daemon=True).start()


def _end_with(parent: int) -> None:
    """End when the process of the graph is gone: loky's processes would wait for its next call for ever."""
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY_S)
    os._exit(1)


def _ready() -> None:
    """Done when the process has its code."""


def _run(sent: Any) -> tuple[Any, ...]:
    return tuple(_code.run_here(sent, dumps))


def _forget(run: Hashable) -> None:
    _code.forget(run)


def dumps(value: Any) -> bytes:
    """What loky sends."""
    from loky.backend.reduction import dumps as made

    return bytes(made(value))
