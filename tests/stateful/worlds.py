"""Worlds: where a side runs its graph. Virtual time for the async methods, real threads for the others.

Owns the calling convention. Always true: a side sees the async methods of a graph, whichever methods are behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

from dropin.watch import App
from sim import loop


class VirtualTime:
    """Each operation on a loop of its own, whose schedule is drawn from its seed."""

    threads = False

    def app(self, raw: App) -> App:
        return raw

    def run(self, main: Callable[[], Coroutine[Any, Any, Any]], seed: int) -> Any:
        return loop.run(main, seed=seed, schedule="shuffle" if seed else "fifo").result


class Threads:
    """The sync methods, each call on a thread of its own, so that two can be made at once."""

    threads = True

    def app(self, raw: App) -> App:
        return _Awaited(raw)

    def run(self, main: Callable[[], Coroutine[Any, Any, Any]], seed: int) -> Any:
        return asyncio.run(main())


class _Awaited:
    """The sync methods of a graph under the names of the async ones."""

    def __init__(self, raw: App) -> None:
        self._raw = raw

    async def ainvoke(self, *args: Any, **settings: Any) -> Any:
        return await asyncio.to_thread(self._raw.invoke, *args, **settings)

    async def aget_state(self, *args: Any, **settings: Any) -> Any:
        return await asyncio.to_thread(self._raw.get_state, *args, **settings)

    async def aupdate_state(self, *args: Any, **settings: Any) -> Any:
        return await asyncio.to_thread(self._raw.update_state, *args, **settings)

    async def abulk_update_state(self, *args: Any, **settings: Any) -> Any:
        return await asyncio.to_thread(self._raw.bulk_update_state, *args, **settings)

    async def aget_state_history(self, *args: Any, **settings: Any) -> AsyncIterator[Any]:
        for item in await asyncio.to_thread(lambda: list(self._raw.get_state_history(*args, **settings))):
            yield item

    async def astream(self, *args: Any, **settings: Any) -> AsyncIterator[Any]:
        events: Iterator[Any] = self._raw.stream(*args, **settings)
        end = object()
        try:
            while (event := await asyncio.to_thread(next, events, end)) is not end:
                yield event
        finally:
            events.close()  # type: ignore[attr-defined]
