"""Effects: what the code of generated nodes calls, and the notes that it leaves.

Owns the only traces that a node leaves outside the state: log lines, which the analysis lets pass as it should.
Always true: each note says which node of which graph ran in which step, and what it had seen.
"""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables.config import var_child_runnable_config

log = logging.getLogger("random_graphs")
log.propagate = False
log.setLevel(logging.INFO)

PACES = (1.0, 0.1, 3.0, 0.5, 7.0, 0.02, 1.5)
REAL_REST_MS_MAX = 3

_RESTS, _RESTED = "rests", "rested"

_stretch = 0
_threads = False


@dataclass(frozen=True, slots=True)
class Note:
    """One execution of a node's code."""

    graph: tuple[str, ...]
    step: int
    node: str
    saw: str
    at_s: float


async def pause(rest_ms: int) -> None:
    """A node's work, as long as this run's tempo makes it."""
    pace = PACES[(_stretch * 5 + rest_ms * 3) % len(PACES)] if _stretch else 1.0
    log.info(_RESTS)
    try:
        await asyncio.sleep(rest_ms * pace / 1000)
    finally:
        log.info(_RESTED)


def rest(rest_ms: int) -> None:
    """The same without a loop: of no length on virtual time, short on threads."""
    if _threads and rest_ms:
        time.sleep((rest_ms * (1 + _stretch) % 7) * REAL_REST_MS_MAX / 7000)


def mix(seen: int, value: object) -> int:
    """What a node knows after it has looked at one more value."""
    return zlib.crc32(f"{seen} {value!r}".encode()) % 9973


def weave(left: str, right: str) -> str:
    """Its order of application shows in what it makes."""
    return f"({left}{right})"[-60:]


def grow(left: list[Any], right: list[Any]) -> list[Any]:
    """Changes its left side."""
    left.extend(right)
    return left


def gather(state: list[Any], writes: Sequence[Any]) -> list[Any]:
    """A reducer for DeltaChannel: all writes at once."""
    return [*state, *(item for write in writes for item in write)]


class Notes(logging.Handler):
    """Turns log lines into notes. most_at_once: the most nodes that were resting together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.notes: list[Note] = []
        self.most_at_once = 0
        self._at_once = 0
        self._clock = clock

    def handle(self, record: logging.LogRecord) -> bool:
        if record.msg in (_RESTS, _RESTED):
            self._at_once += 1 if record.msg is _RESTS else -1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return True
        config = var_child_runnable_config.get()
        about = (config or {}).get("metadata") or {}
        place = str(about.get("langgraph_checkpoint_ns", "")).split("|")
        graph = tuple(part.split(":")[0] for part in place[:-1])
        step, saw = int(about.get("langgraph_step", -9)), str(record.args)
        self.notes.append(Note(graph, step, str(record.msg).split(" ")[0], saw, self._clock()))
        return True


@contextmanager
def noting(clock: Callable[[], float], stretch: int = 0, *, threads: bool = False) -> Iterator[Notes]:
    """The notes of the nodes that run meanwhile."""
    global _stretch, _threads
    handler = Notes(clock)
    log.addHandler(handler)
    before, (_stretch, _threads) = (_stretch, _threads), (stretch, threads)
    try:
        yield handler
    finally:
        _stretch, _threads = before
        log.removeHandler(handler)
