"""Tasks that belong together, and what one of them hands to another: for programs that are written by hand.

Always true: nothing that was begun together outlives the block; its first error is raised as it is, as LangGraph raises
the error of a node.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


@asynccontextmanager
async def together() -> AsyncGenerator[asyncio.TaskGroup, None]:
    """A task group that raises the error itself, not a group of errors."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


class Pipe(Generic[Item]):
    """Items from one task to another, in order, until it is closed. It holds as many as are put in."""

    def __init__(self) -> None:
        self._queue = asyncio.Queue[tuple[Item] | None]()

    def put(self, item: Item) -> None:
        """Hand an item on."""
        self._queue.put_nowait((item,))

    def close(self) -> None:
        """There will be no more."""
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Item]:
        while (held := await self._queue.get()) is not None:
            yield held[0]
