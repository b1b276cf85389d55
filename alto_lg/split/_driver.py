"""The driver: pulls deltas out of a source, pushes them into a splitter, hands out items.

Always true: the source is closed once no more items are wanted: at the end, at an error, at `close`, when the consumer
is cancelled, and when it drops the items, read or not. Nothing is read ahead: a delta is asked for only if an item is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from alto_lg.adapters.deltas.endings import Take
from alto_lg.adapters.deltas.sources import AsyncTextSource, TextSource, source_of

if TYPE_CHECKING:
    from typing import Self

    from alto_lg.split._splitter import Splitter

Item = TypeVar("Item")


class Items(Iterator[Item], Generic[Item]):
    """The items of a sync source; a context manager that closes it."""

    def __init__(self, splitter: Splitter[Item], source: TextSource) -> None:
        self._source = source
        self._generator = _split(splitter, source)
        self._next = self._generator.__next__

    def __next__(self) -> Item:
        return self._next()

    def close(self) -> None:
        """Read no more, and close the source; harmless when it is closed."""
        self._generator.close()
        self._source.close()  # the generator does so only if it has begun

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncItems(AsyncIterator[Item], Generic[Item]):
    """The items of an async source; an async context manager that closes it."""

    def __init__(self, splitter: Splitter[Item], source: AsyncTextSource) -> None:
        self._source = source
        self._generator = _split_async(splitter, source)
        self._is_begun = False
        self._loop = _running_loop()

    def __anext__(self) -> Awaitable[Item]:
        self._is_begun = True
        return self._generator.__anext__()

    async def aclose(self) -> None:
        """Read no more, and close the source; harmless when it is closed."""
        self._is_begun = True
        await self._generator.aclose()
        await self._source.aclose()

    def __del__(self) -> None:
        # A generator that has begun is closed by the event loop that it began on, which asyncio sees to.
        if not self._is_begun and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_close_soon, self._loop, self._source)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def items_of(
    splitter: Splitter[Item], source: Any, take: Take, accept: Iterable[str]
) -> Items[Item] | AsyncItems[Item]:
    """The items of a source by a splitter that has read nothing."""
    text = source_of(source, take, accept)
    return AsyncItems(splitter, text) if isinstance(text, AsyncTextSource) else Items(splitter, text)


_closing: set[asyncio.Task[None]] = set()
"""Held, because an event loop does not hold its tasks."""


def _close_soon(loop: asyncio.AbstractEventLoop, source: AsyncTextSource) -> None:
    task = loop.create_task(source.aclose())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _split(splitter: Splitter[Item], source: TextSource) -> Generator[Item]:
    feed = splitter.feed
    try:
        for delta in source:
            if items := feed(delta):
                yield from items
                if splitter.fault is not None:
                    raise splitter.fault
        yield from splitter.end()
        if splitter.fault is not None:
            raise splitter.fault
    finally:
        source.close()


async def _split_async(splitter: Splitter[Item], source: AsyncTextSource) -> AsyncGenerator[Item]:
    try:
        async for delta in source:
            for item in splitter.feed(delta):
                yield item
            if splitter.fault is not None:
                raise splitter.fault
        for item in splitter.end():
            yield item
        if splitter.fault is not None:
            raise splitter.fault
    finally:
        await source.aclose()
