"""Live lists: what a node is given in place of a list that others still write.

Owns the hand-over from the run to the node, both on one event loop. Always true:
  what was given out is never taken back; whether the finished list agrees with it is said when the list is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from alto_lg.engine.ancestry import Ancestry
from alto_lg.readings._specs import Items

Idle = Callable[[], AbstractAsyncContextManager[None]]
"""While a node waits for others, whatever they may need of it (its slot) is lent to them."""

_NOTHING = object()
_Known = tuple[Any, Ancestry | None]


class UnfinishedList:
    """A list (or another value) that is still being written. `finished`: the whole of it, once it is known."""

    def __init__(self, idle: Idle) -> None:
        self.finished: Any = None
        self._idle = idle
        self._news = asyncio.Event()

    def close(self, items: Sequence[Any]) -> bool:
        """The list is finished. Returns whether what was given out of it agrees."""
        if self.finished is None:
            self.finished = items
            self._news.set()
        return self.agrees(items)

    def agrees(self, items: Sequence[Any]) -> bool:
        """Whether what was given out is a part of these."""
        raise NotImplementedError

    async def wait(self) -> None:
        """Until there is more, or the list is finished; meanwhile the node is idle."""
        if not self._news.is_set():
            async with self._idle():
                await self._news.wait()
        self._news.clear()

    async def wait_without_lending(self) -> None:
        """The same, for a node that is busy with something else."""
        await self._news.wait()
        self._news.clear()


class LiveItems(UnfinishedList):
    """Items one by one, as they become known."""

    def __init__(self, idle: Idle, in_order: bool) -> None:
        super().__init__(idle)
        self.known: list[_Known] = []
        self.given = 0
        self._in_order = in_order

    def extend(self, items: Iterable[Any], ancestry: Ancestry | None) -> None:
        """More items, all written by one firing."""
        self.known += [(item, ancestry) for item in items]
        self._news.set()

    def iterator(self) -> Items:
        """All of them from the first on: a node that is tried again begins anew."""
        return _LiveIterator(self)

    def agrees(self, items: Sequence[Any]) -> bool:
        given = [item for item, _ in self.known[: self.given]]
        if self._in_order:
            return _same(given, items[: len(given)])
        left = list(items)
        return all(_take(left, item) for item in given)

    def close(self, items: Sequence[Any]) -> bool:
        if self.finished is None:
            given, expected = self.known[: self.given], self.known[self.given :]
            left = list(items[self.given :] if self._in_order else items)
            for item, _ in () if self._in_order else given:
                _take(left, item)
            self.known = given + list(self._to_come(left, expected))
        return super().close(items)

    def _to_come(self, left: list[Any], expected: Sequence[_Known]) -> Iterator[_Known]:
        """What is left of the finished list. Who wrote it is known of the items that were expected, and came."""
        for item, ancestry in expected:
            if self._in_order and not (left and _same([item], left[:1])):
                break  # the list was replaced
            if _take(left, item):
                yield item, ancestry
        yield from ((item, None) for item in left)


class _LiveIterator(Items):
    def __init__(self, source: LiveItems) -> None:
        super().__init__(())
        self._source = source

    def __next__(self) -> Any:
        raise TypeError("this list is still being written: read it with `async for`")

    async def __anext__(self) -> Any:
        source = self._source
        while self._given >= len(source.known):
            if source.finished is not None:
                raise StopAsyncIteration
            await source.wait()
        item, self.ancestry = source.known[self._given]
        self._given += 1
        source.given = max(source.given, self._given)
        return item


class LiveValue(UnfinishedList):
    """A value that grows in no particular order, such as a count: each time the newest. begins: before it grows."""

    def __init__(self, idle: Idle, begins: Any) -> None:
        super().__init__(idle)
        self.newest = begins
        self.number = 0
        self.given: Any = _NOTHING

    def grow(self, value: Any) -> None:
        """What it is now."""
        self.newest = value
        self.number += 1
        self._news.set()

    def iterator(self) -> Items:
        """All that it becomes from now on."""
        return _LiveValueIterator(self)

    def agrees(self, items: Any) -> bool:
        return self.given is _NOTHING or bool(self.given == items)

    def close(self, items: Any) -> bool:
        if self.finished is None and (not self.number or self.newest != items):
            self.grow(items)
        return super().close(items)


class _LiveValueIterator(Items):
    def __init__(self, source: LiveValue) -> None:
        super().__init__(())
        self._source = source

    def __next__(self) -> Any:
        raise TypeError("this value is still growing: read it with `async for`")

    async def __anext__(self) -> Any:
        source = self._source
        while self._given >= source.number:
            if source.finished is not None:
                raise StopAsyncIteration
            await source.wait()
        self._given = source.number
        source.given = source.newest
        return source.newest


class LiveGroups(UnfinishedList):
    """Groups, each given out when it is complete."""

    def __init__(self, idle: Idle) -> None:
        super().__init__(idle)
        self.known: list[tuple[Hashable, list[Any]]] = []

    def complete(self, key: Hashable, items: list[Any]) -> None:
        """One more group is complete."""
        self.known.append((key, items))
        self._news.set()

    def agrees(self, items: Sequence[Any]) -> bool:
        return True  # the node compares each group with the finished list, and runs again those that differ


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and all(mine is its or mine == its for mine, its in zip(one, other, strict=True))


def _take(left: list[Any], item: Any) -> bool:
    for index, candidate in enumerate(left):
        if candidate is item or candidate == item:
            del left[index]
            return True
    return False
