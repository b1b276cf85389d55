"""The process that is killed: takes up a thread, or begins it, and runs it to its end.

Always true: it knows nothing but its job; what it did is in the effects file and in the database.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
import traceback
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import aiosqlite
from dropin.shapes.base import Shape
from dropin.watch import Durability, compiled, config_of
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from alto_lg.adapters.langgraph.acceleration import Acceleration, observers
from alto_lg.engine.statistics import RunStatistics
from crashes.carry_on import FINISHED, ROUNDS_MAX, carry_on, final, never_done, next_input
from crashes.effects import EffectsFile, Promises, RecordsPromises, RecordsPromisesOnThreads
from crashes.points import IMPLEMENTATIONS
from crashes.shapes import CASES
from crashes.thread_shapes import ON_THREADS

Saver = Literal["sqlite", "postgres"]
Api = Literal["async", "threads"]

SECONDS_PER_SECOND = 0.04
"""How long a second of a shape's delays really takes: a run lasts about as long as its saves."""

SHAPES = {shape.name: shape for shape in (*CASES, *ON_THREADS)}


@dataclass(frozen=True, slots=True)
class Job:
    """One thread of one graph, and who runs it."""

    shape: str
    saver: Saver
    api: Api
    mode: Durability
    implementation: str
    thread: str
    database: str
    effects: Path


def live(job: Job) -> NoReturn:
    """Do the job in this process, which ends with it."""
    effects = EffectsFile(job.effects)
    effects.append("begin")
    try:
        shape = SHAPES[job.shape]
        early = _EarlyStarts()
        observers.append(early.run_ended)
        state = on_threads(job, shape, effects) if job.api == "threads" else asyncio.run(on_a_loop(job, shape, effects))
        effects.append("end", state=repr(state), early=early.count)
    except BaseException:
        effects.append("error", error=traceback.format_exc())
    os._exit(0)


@dataclass(slots=True)
class _EarlyStarts:
    """Counts the firings that this process started before their step."""

    count: int = 0

    def run_ended(self, _: Acceleration, statistics: RunStatistics) -> None:
        self.count += statistics.early_starts


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds * SECONDS_PER_SECOND)


async def on_a_loop(job: Job, shape: Shape, effects: EffectsFile) -> Any:
    async with _open(job) as saver:
        saver.promises = Promises(effects)
        app = compiled(shape, _sleep, IMPLEMENTATIONS[job.implementation], saver=saver)
        return await carry_on(app, shape, job.mode, [effects], thread=job.thread)


def _open(job: Job) -> AbstractAsyncContextManager[Any]:
    return _sqlite(job) if job.saver == "sqlite" else _postgres(job)


class _AsyncSqlite(RecordsPromises, AsyncSqliteSaver):
    """AsyncSqliteSaver, recorded."""


@asynccontextmanager
async def _sqlite(job: Job) -> Any:
    async with aiosqlite.connect(job.database) as connection:
        yield _AsyncSqlite(connection)


@asynccontextmanager
async def _postgres(job: Job) -> Any:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    class AsyncPostgres(RecordsPromises, AsyncPostgresSaver):
        """AsyncPostgresSaver, recorded."""

    async with AsyncPostgres.from_conn_string(job.database) as saver:
        yield saver


class _Sqlite(RecordsPromisesOnThreads, SqliteSaver):
    """SqliteSaver, recorded."""


def on_threads(job: Job, shape: Shape, effects: EffectsFile) -> Any:
    saver = _Sqlite(sqlite3.connect(job.database, check_same_thread=False))
    saver.promises = Promises(effects)
    app = compiled(shape, _sleep_on_a_thread, IMPLEMENTATIONS[job.implementation], saver=saver)  # type: ignore[arg-type]
    config = {**config_of(shape, job.thread), "callbacks": [effects]}
    for _ in range(ROUNDS_MAX):
        state = app.get_state(config_of(shape, job.thread))
        given = next_input(shape, state)
        if given is FINISHED:
            return final(state)
        app.invoke(given, config, durability=job.mode)
    return never_done(state)


def _sleep_on_a_thread(seconds: float) -> None:
    time.sleep(seconds * SECONDS_PER_SECOND)
