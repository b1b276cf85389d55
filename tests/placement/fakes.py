"""Workers whose fate a test decides: every call waits until it is told how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from typing import Any

from alto_lg.adapters.placement.calling import Answer, Caller
from alto_lg.adapters.placement.group_leases import GroupLeases
from alto_lg.adapters.placement.leases import Leases
from alto_lg.adapters.placement.workers import Died, Workers


class FakeHost:
    """Makes workers, and remembers them. Starts that are to fail are listed in `failures`."""

    def __init__(self, failures: list[Exception] | None = None) -> None:
        self.workers: list[FakeWorker] = []
        self.failures = failures or []
        self.is_open = False

    def open(self) -> None:
        self.is_open = True

    def worker(self) -> FakeWorker:
        made = FakeWorker(self.failures.pop(0) if self.failures else None)
        self.workers.append(made)
        return made

    def close(self) -> None:
        self.is_open = False

    @property
    def alive(self) -> list[FakeWorker]:
        return [worker for worker in self.workers if not worker.is_stopped]

    @property
    def calls(self) -> list[FakeCall]:
        return [call for worker in self.workers for call in worker.calls]


class FakeWorker:
    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure
        self.calls: list[FakeCall] = []
        self.scripts: list[list[Any]] = []
        self.forgotten: list[Hashable] = []
        self.is_stopped = False

    def start(self) -> Future[Any]:
        ready: Future[Any] = Future()
        if self._failure is None:
            ready.set_result(None)
        else:
            ready.set_exception(self._failure)
        return ready

    def call(self, sent: Any, *, plain: bool) -> FakeCall:
        call = FakeCall(sent)
        self.calls.append(call)
        return call

    def stream(self, sent: Any) -> FakeStream:
        return FakeStream(sent.pop(0))

    def forget(self, run: Hashable) -> None:
        self.forgotten.append(run)

    def stop(self) -> None:
        self.is_stopped = True
        for call in self.calls:
            call.die()


class FakeCall:
    def __init__(self, sent: Any) -> None:
        self.sent = sent
        self.future: Future[Any] = Future()
        self.then: Callable[[], None] | None = None

    def answer(self, value: Any) -> None:
        if not self.future.done():
            self.future.set_result(Answer(0.0, (), value))

    def die(self) -> None:
        if not self.future.done():
            self.future.set_exception(Died("killed"))

    def result(self) -> Answer:
        return self.future.result()

    async def aresult(self) -> Answer:
        return await asyncio.shield(asyncio.wrap_future(self.future))

    def abandon(self, then: Callable[[], None]) -> None:
        self.then = then


class FakeStream:
    """Says what a script has, in order; an exception in it is raised."""

    def __init__(self, script: list[Any]) -> None:
        self._script = script

    def __iter__(self) -> Iterator[Any]:
        for message in self._script:
            if isinstance(message, Exception):
                raise message
            yield message

    async def __aiter__(self) -> Any:
        for message in self:
            await asyncio.sleep(0)
            yield message

    def abandon(self, then: Callable[[], None]) -> None:
        then()


def caller(
    host: FakeHost,
    workers: int = 1,
    *,
    in_flight: int = 1,
    repeatable: bool = False,
    attempts: int = 3,
    by_group: bool = False,
) -> tuple[Caller, Workers]:
    leases: Leases[Any, Any] = GroupLeases(in_flight, starts_anew=repeatable) if by_group else Leases(in_flight)
    made = Workers(host, workers, leases, start_timeout_s=5)
    return Caller(made, repeatable=repeatable, max_attempts=attempts), made
