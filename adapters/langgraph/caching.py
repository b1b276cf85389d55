"""Caching: what a step put into the cache is there when the next step looks.

LangGraph fills its cache in the background and looks it up when a step begins; the nodes of the step between are what
makes the one come before the other. A step whose firings ran early takes no time, so a look waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any


class SettledCache:
    """A cache as one run sees it.

    LangGraph asks for `set` and `aset` when it hands the writing on: from then on it is under way.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._written: list[threading.Event] = []
        self._awritten: list[asyncio.Event] = []

    @property
    def set(self) -> Callable[[Mapping[Any, Any]], None]:
        """Write, on any thread."""
        written = threading.Event()
        self._written.append(written)

        def write(pairs: Mapping[Any, Any]) -> None:
            try:
                self._cache.set(pairs)
            finally:
                written.set()

        return write

    def get(self, keys: Sequence[Any]) -> Any:
        """Look up, when all is written."""
        under_way, self._written = self._written, []
        for written in under_way:
            written.wait()
        return self._cache.get(keys)

    @property
    def aset(self) -> Callable[[Mapping[Any, Any]], Coroutine[Any, Any, None]]:
        """Write, in a task."""
        written = asyncio.Event()
        self._awritten.append(written)

        async def write(pairs: Mapping[Any, Any]) -> None:
            try:
                await self._cache.aset(pairs)
            finally:
                written.set()

        return write

    async def aget(self, keys: Sequence[Any]) -> Any:
        """Look up, when all is written."""
        under_way, self._awritten = self._awritten, []
        for written in under_way:
            await written.wait()
        return await self._cache.aget(keys)
