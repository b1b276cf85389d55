"""A look into the cache waits for what the run is writing to it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from langgraph.cache.memory import InMemoryCache
from sim.loop import run

from alto_lg.adapters.langgraph.caching import SettledCache

KEY = (("place",), "key")


class _SlowTask(InMemoryCache[Any]):
    """Takes a second for a write."""

    async def aset(self, pairs: Any) -> None:
        await asyncio.sleep(1)
        await super().aset(pairs)


class _SlowThread(InMemoryCache[Any]):
    """Writes when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def set(self, pairs: Any) -> None:
        assert self.let_go.wait(20)
        super().set(pairs)


def test_a_look_finds_what_a_task_is_still_writing() -> None:
    async def main() -> Any:
        cache = SettledCache(_SlowTask())
        writing = asyncio.ensure_future(cache.aset({KEY: ("value", None)}))
        found = await cache.aget((KEY,))
        await writing
        return found

    outcome = run(main)
    assert outcome.result == {KEY: "value"}


def test_a_look_finds_what_a_thread_is_still_writing() -> None:
    slow = _SlowThread()
    cache = SettledCache(slow)
    write = cache.set
    found: list[Any] = []
    looking = threading.Thread(target=lambda: found.append(cache.get((KEY,))))
    looking.start()
    slow.let_go.set()
    write({KEY: ("value", None)})
    looking.join(20)
    assert found == [{KEY: "value"}]


def test_a_write_that_fails_holds_up_nobody() -> None:
    class Broken(InMemoryCache[Any]):
        async def aset(self, pairs: Any) -> None:
            raise OSError("no room")

    async def main() -> Any:
        cache = SettledCache(Broken())
        writing = asyncio.ensure_future(cache.aset({KEY: ("value", None)}))
        found = await cache.aget((KEY,))
        assert isinstance((await asyncio.gather(writing, return_exceptions=True))[0], OSError)
        return found

    assert run(main).result == {}
