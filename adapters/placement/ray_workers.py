"""Workers that are actors of Ray.

Always true: Ray runs nothing twice, and restarts no actor: whether a firing runs again is decided in `calling.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from alto_lg.adapters.placement.calling import Answer
from alto_lg.adapters.placement.ray_cluster import connect, disconnect, ray_module
from alto_lg.adapters.placement.workers import Died
from alto_lg.placement import RayPlacement


class RayHost:
    """Actors with the code of a stage, each with what a placement asks for."""

    def __init__(self, code: Any, placement: RayPlacement, concurrency: int, *, is_async: bool) -> None:
        ray_module()  # raises here, and not in a run
        self._code = code
        self._placement = placement
        self._concurrency = concurrency
        self._is_async = is_async
        self._is_open = False

    def open(self) -> None:
        connect(self._placement.address, self._placement.replicas * self._placement.num_cpus)
        self._is_open = True

    def worker(self) -> RayWorker:
        asked = self._placement
        actor = ray_module().remote(AsyncActor if self._is_async else PlainActor)
        options: dict[str, Any] = {"max_concurrency": self._concurrency, "max_restarts": 0, "max_task_retries": 0}
        if asked.runtime_env:
            options["runtime_env"] = dict(asked.runtime_env)
        placed = actor.options(
            num_cpus=asked.num_cpus, num_gpus=asked.num_gpus, resources=dict(asked.resources), **options
        )
        return RayWorker(placed.remote((_SearchPath(), self._code)), asked.stream_ahead)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            disconnect()


class RayWorker:
    """One actor, seen from here."""

    def __init__(self, actor: Any, stream_ahead: int) -> None:
        self._ray = ray_module()
        self._actor = actor
        self._streaming = {"num_returns": "streaming", "_generator_backpressure_num_objects": stream_ahead}

    def start(self) -> Future[Any]:
        """The future is a thread's: in a callback of Ray's own, a call of Ray would wait for itself."""
        ready: Future[Any] = Future()

        def wait() -> None:
            try:
                self._ray.get(self._actor.ready.remote())
            except Exception as error:
                ready.set_exception(error)
            else:
                ready.set_result(None)

        threading.Thread(target=wait, name="alto_lg ray start", daemon=True).start()
        return ready

    def call(self, sent: Any, *, plain: bool) -> RayCall:
        method = self._actor.call_plain if plain else self._actor.call
        return RayCall(self._ray, method.remote(sent))

    def stream(self, sent: Any) -> RayStream:
        return RayStream(self._ray, self._actor.stream.options(**self._streaming).remote(sent))

    def forget(self, run: Hashable) -> None:
        if self._ray.is_initialized():
            self._actor.forget.remote(run)

    def stop(self) -> None:
        if self._ray.is_initialized():
            self._ray.kill(self._actor)


class RayCall:
    """One task of an actor."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray = ray
        self._reference = reference

    def result(self) -> Answer:
        try:
            return Answer(*self._ray.get(self._reference))
        except BaseException as error:
            raise _as_died(self._ray, error) from error

    async def aresult(self) -> Answer:
        try:
            return Answer(*await self._reference)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            raise _as_died(self._ray, error) from error

    def abandon(self, then: Callable[[], None]) -> None:
        _cancel(self._ray, self._reference, self._reference, then)


class RayStream:
    """One task of an actor that yields; an item at a time is asked for, so that the actor cannot run ahead for ever."""

    def __init__(self, ray: Any, generator: Any) -> None:
        self._ray = ray
        self._generator = generator

    def __iter__(self) -> Iterator[Any]:
        try:
            for reference in self._generator:
                yield self._ray.get(reference)
        except GeneratorExit:
            raise
        except BaseException as error:
            raise _as_died(self._ray, error) from error

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for reference in self._generator:
                yield await reference
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except BaseException as error:
            raise _as_died(self._ray, error) from error

    def abandon(self, then: Callable[[], None]) -> None:
        _cancel(self._ray, self._generator, self._generator.completed(), then)


def _cancel(ray: Any, what: Any, until: Any, then: Callable[[], None]) -> None:
    if not ray.is_initialized():
        then()
        return
    until.future().add_done_callback(lambda ended: then())
    ray.cancel(what)


def _as_died(ray: Any, error: BaseException) -> BaseException:
    """What ends the wait for a firing: `Died` where it says that the actor is gone, or cannot be reached."""
    errors = ray.exceptions
    gone = (
        errors.RayActorError,
        errors.WorkerCrashedError,
        errors.NodeDiedError,
        errors.OutOfMemoryError,
        errors.ObjectLostError,
        errors.LocalRayletDiedError,
    )
    if isinstance(error, gone) or not ray.is_initialized():
        return Died(error)
    if isinstance(error, errors.RayTaskError) and isinstance(error.cause, Exception):
        return error.cause
    return error


class PlainActor:
    """Runs plain functions, `max_concurrency` at once on threads of the actor."""

    def __init__(self, path_and_code: tuple[Any, Any]) -> None:
        self._code = path_and_code[1]

    def ready(self) -> None:
        """Answers when the actor has its code."""

    def call(self, sent: Any) -> tuple[Any, ...]:
        return tuple(self._code.run(sent, dumps))

    call_plain = call

    def stream(self, sent: Any) -> Iterator[Any]:
        yield from self._code.stream(sent, dumps)

    def forget(self, run: Hashable) -> None:
        self._code.forget(run)


class AsyncActor:
    """Runs async functions, all on one event loop."""

    def __init__(self, path_and_code: tuple[Any, Any]) -> None:
        self._code = path_and_code[1]

    async def ready(self) -> None:
        """Answers when the actor has its code."""

    async def call(self, sent: Any) -> tuple[Any, ...]:
        return tuple(await self._code.arun(sent, dumps))

    async def call_plain(self, sent: Any) -> tuple[Any, ...]:
        return tuple(await asyncio.to_thread(self._code.run, sent, dumps))

    async def stream(self, sent: Any) -> AsyncIterator[Any]:
        async for message in self._code.astream(sent, dumps):
            yield message

    async def forget(self, run: Hashable) -> None:
        self._code.forget(run)


class _SearchPath:
    """Where this process finds modules. In the pickle it stands before the code, and is in force when that is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _search_also, (tuple(map(os.path.abspath, sys.path)),)


def _search_also(path: tuple[str, ...]) -> None:
    sys.path.extend(one for one in path if one not in sys.path and Path(one).exists())


def dumps(value: Any) -> bytes:
    """What Ray sends."""
    made: bytes = ray_module().cloudpickle.dumps(value)
    return made
