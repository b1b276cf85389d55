"""Model calls that several parts of one run have in common: an equal call is made once a run.

Owns what has been asked in each run, and by whom it is being asked now. Always true: the first to ask makes the call,
within its own task, so that no call outlives who asked; when that one fails or is cancelled, its error is its own, and
the next who waits makes the call. A run is known by a name that its state carries; `forget` ends it. What runs that
broke off leave behind is bounded by their number.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")
_RUNS_MAX = 256


@dataclass(slots=True)
class _Call(Generic[Result]):
    """One call. over: while somebody makes it, set when that has ended, well or not; None before and after."""

    number: int
    results: tuple[Result, ...] = ()
    over: asyncio.Event | None = None


class SharedCalls(Generic[Result]):
    """The calls of the runs that are under way."""

    def __init__(self, *, runs_max: int = _RUNS_MAX) -> None:
        self._runs: OrderedDict[str, dict[Hashable, _Call[Result]]] = OrderedDict()
        self._runs_max = runs_max

    async def ask(self, run: str, key: Hashable, make: Callable[[], Awaitable[Result]]) -> tuple[int, Result]:
        """The number of the call among those of its run, and its result; `make` is called if nobody has asked yet."""
        calls = self._calls_of(run)
        call = calls.setdefault(key, _Call(len(calls)))
        while not call.results:
            if call.over is None:
                await _lead(call, make)
            else:
                await call.over.wait()
        return call.number, call.results[0]

    def forget(self, run: str) -> None:
        """Drop what a run has asked; nothing if it has asked nothing."""
        self._runs.pop(run, None)

    @property
    def runs(self) -> int:
        """How many are remembered."""
        return len(self._runs)

    def _calls_of(self, run: str) -> dict[Hashable, _Call[Result]]:
        calls = self._runs.setdefault(run, {})
        self._runs.move_to_end(run)
        while len(self._runs) > self._runs_max:
            self._runs.popitem(last=False)
        return calls


async def _lead(call: _Call[Result], make: Callable[[], Awaitable[Result]]) -> None:
    call.over = asyncio.Event()
    try:
        call.results = (await make(),)
    finally:
        call.over.set()
        call.over = None
