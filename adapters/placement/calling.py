"""Calling: one firing at a worker, and at another one if that dies.

Owns how often a firing runs. Always true:
  a firing has one answer: that of the attempt it waits for; what an attempt before it may still say reaches nobody;
  only a stage that may run again is run again, and only because its worker died;
  a lease ends when its firing has left the worker, which after a cancel is later than the caller's going.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from functools import partial
from typing import Any, NamedTuple

from alto_lg.adapters.placement.leases import Group
from alto_lg.adapters.placement.workers import Call, Closed, Died, Lease, Workers


class Answer(NamedTuple):
    """What a worker says of a firing.

    node_s: seconds that the node's code took. said: what it wrote to its stream writer, in order.
    value: what it returned. error: what it raised, with the text of its traceback there.
    """

    node_s: float
    said: tuple[Any, ...]
    value: Any
    error: BaseException | None = None
    traceback: str = ""


class Item(NamedTuple):
    """What a worker says of a firing of a streaming node that goes on: `said` came before `value` was yielded."""

    said: tuple[Any, ...]
    value: Any


class Caller:
    """Calls the workers of one stage. repeatable: a firing may run again, `max_attempts` times in all."""

    def __init__(self, workers: Workers, *, repeatable: bool, max_attempts: int) -> None:
        self._workers = workers
        self._attempts = max_attempts if repeatable else 1

    def call(self, sent: Any, *, plain: bool, group: Group | None = None) -> Answer:
        """Run a firing, and wait for it. group: what it belongs to, of a stage that keeps state over groups.

        Raises:
            Died: Its worker is gone, or what that kept for its group. Closed, CannotStart: there is no worker.
            What sending it raises.
        """
        for left in reversed(range(self._attempts)):
            lease = self._workers.lease(group)
            try:
                answer: Answer = lease.worker.call(sent, plain=plain).result()
            except BaseException as error:
                self._failed(lease, error, left)
            else:
                return self._ended(lease, answer)
        raise AssertionError("the last attempt returns or raises")

    async def acall(self, sent: Any, *, plain: bool, group: Group | None = None) -> Answer:
        """The same, on an event loop. A cancel cancels it at the worker, too."""
        for left in reversed(range(self._attempts)):
            lease = await self._workers.alease(group)
            call: Call | None = None
            try:
                call = lease.worker.call(sent, plain=plain)
                answer: Answer = await call.aresult()
            except asyncio.CancelledError:
                self._abandon(lease, call)
                raise
            except BaseException as error:
                self._failed(lease, error, left)
            else:
                return self._ended(lease, answer)
        raise AssertionError("the last attempt returns or raises")

    def stream(self, sent: Any, *, group: Group | None = None) -> Generator[Item | Answer, None, None]:
        """Run a firing of a streaming node: its items, and at last its answer."""
        replay = _Replay(self._attempts > 1)
        for left in reversed(range(self._attempts)):
            lease = self._workers.lease(group)
            call: Any = None
            try:
                call = lease.worker.stream(sent)
                for message in call:
                    if isinstance(message, Answer):
                        break
                    if replay.is_new(message):
                        yield message
                else:
                    raise Died("its stream ended without an answer")
            except GeneratorExit:
                self._abandon(lease, call)
                raise
            except BaseException as error:
                self._failed(lease, error, left)
                replay.again()
            else:
                yield self._ended(lease, message)
                return
        raise AssertionError("the last attempt returns or raises")

    async def astream(self, sent: Any, *, group: Group | None = None) -> AsyncGenerator[Item | Answer, None]:
        """The same, on an event loop."""
        replay = _Replay(self._attempts > 1)
        for left in reversed(range(self._attempts)):
            lease = await self._workers.alease(group)
            call: Any = None
            try:
                call = lease.worker.stream(sent)
                async for message in call:
                    if isinstance(message, Answer):
                        break
                    if replay.is_new(message):
                        yield message
                else:
                    raise Died("its stream ended without an answer")
            except (GeneratorExit, asyncio.CancelledError):
                self._abandon(lease, call)
                raise
            except BaseException as error:
                self._failed(lease, error, left)
                replay.again()
            else:
                yield self._ended(lease, message)
                return
        raise AssertionError("the last attempt returns or raises")

    def _ended(self, lease: Lease, answer: Answer) -> Answer:
        self._workers.end(lease.worker)
        whole_s = time.perf_counter() - lease.began
        self._workers.costs.ended(answer.node_s, whole_s, met_idle=lease.met_idle)
        return answer

    def _abandon(self, lease: Lease, call: Call | None) -> None:
        if call is None:
            self._workers.end(lease.worker)
        else:
            call.abandon(partial(self._workers.end, lease.worker))

    def _failed(self, lease: Lease, error: BaseException, left: int) -> None:
        """Raise what ended an attempt, unless there is to be another one."""
        if not isinstance(error, Died):
            self._workers.end(lease.worker)
            raise error
        self._workers.lost(lease.worker)
        if self._workers.is_closed:
            raise Closed from error
        error.attempts = self._attempts - left
        if left == 0 or isinstance(error, _Different):
            raise error
        self._workers.costs.again += 1


class _Different(Died):
    """A streaming node that was run again yields something else."""


class _Replay:
    """Of a stream that is run again, what was handed on before is left out."""

    def __init__(self, keeps: bool) -> None:
        self._keeps = keeps
        self._items: list[Any] = []
        self._place = 0

    def again(self) -> None:
        self._place = 0

    def is_new(self, item: Item) -> bool:
        """Whether nobody has had the item yet.

        Raises:
            _Different: Another one was in its place.
        """
        if not self._keeps:
            return True
        if self._place == len(self._items):
            self._items.append(item.value)
            self._place += 1
            return True
        if not _same(self._items[self._place], item.value):
            raise _Different("it was run again elsewhere, and yielded something else")
        self._place += 1
        return False


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # of values that do not say whether they are equal
        return False
