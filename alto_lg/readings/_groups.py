"""Groups: a node that runs once for each group, within one firing.

Always true: the result is that of the finished list, group by group; what ran on a group before the list was finished
counts only if the group has the same items then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

from alto_lg.readings._live import LiveGroups
from alto_lg.readings._specs import Group, PerGroup

Call = Callable[[Group], Any]


def run_groups(spec: PerGroup, items: Sequence[Any], state: Any, call: Call) -> list[Any]:
    """The results of all groups, one after the other."""
    return [call(group) for group in spec.of(items, state)]


async def arun_groups(
    spec: PerGroup, items: Sequence[Any] | LiveGroups, state: Any, call: Callable[[Group], Awaitable[Any]]
) -> list[Any]:
    """The results of all groups, which run side by side.

    Raises:
        The first exception of a group's; the others are cancelled and awaited.
    """
    running = _Running(call)
    try:
        if isinstance(items, LiveGroups):
            items = await running.while_it_is_written(items)
        return await running.results(spec.of(items, state))
    finally:
        await running.stop()


class _Running:
    """The groups that were started."""

    def __init__(self, call: Callable[[Group], Awaitable[Any]]) -> None:
        self._call = call
        self._tasks: dict[Hashable, tuple[Group, asyncio.Future[Any]]] = {}
        self._stray: list[asyncio.Future[Any]] = []

    async def while_it_is_written(self, live: LiveGroups) -> Sequence[Any]:
        """Start each group when it is complete; the finished list, at its end."""
        begun = 0
        while live.finished is None:
            for key, members in live.known[begun:]:
                self._start(Group(key, members))
            begun = len(live.known)
            await self._until_news(live)
        finished: Sequence[Any] = live.finished
        return finished

    async def results(self, groups: list[Group]) -> list[Any]:
        """Of exactly these groups."""
        for group in groups:
            known = self._tasks.get(group.key)
            if known is None or known[0] != group:
                self._start(group)
        wanted = [self._tasks.pop(group.key)[1] for group in groups]
        self._stray += [task for _, task in self._tasks.values()]
        self._tasks = {group.key: (group, task) for group, task in zip(groups, wanted, strict=True)}
        if wanted:
            await asyncio.wait(wanted, return_when=asyncio.FIRST_EXCEPTION)
        _raise_first(wanted)
        return [task.result() for task in wanted]

    async def stop(self) -> None:
        """Cancel and await whatever still runs."""
        left = [task for task in (*self._stray, *(task for _, task in self._tasks.values())) if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        for task in self._stray:
            if not task.cancelled():
                task.exception()  # looked at: nobody asked for it

    def _start(self, group: Group) -> None:
        old = self._tasks.get(group.key)
        if old is not None:
            old[1].cancel()
            self._stray.append(old[1])
        self._tasks[group.key] = group, asyncio.ensure_future(self._call(group))

    async def _until_news(self, live: LiveGroups) -> None:
        busy = [task for _, task in self._tasks.values() if not task.done()]
        _raise_first([task for _, task in self._tasks.values() if task.done()])
        if not busy:
            await live.wait()
            return
        news = asyncio.ensure_future(live.wait_without_lending())
        try:
            await asyncio.wait([news, *busy], return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()


def _raise_first(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
