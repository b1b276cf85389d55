"""Who worked when: spans recorded inside node functions, read by whoever asked for them.

Always true: with no recorder active a span costs one look-up of a context variable; a recorder sees the spans of
the tasks that inherit its context, and no others; all of its spans are on one clock, that of the event loop in which
recording began, so that a loop whose time is not the machine's is measured by its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType

from alto_lg.apps.base import Span


@dataclass(frozen=True, slots=True)
class _Recorder:
    clock: Callable[[], float]
    spans: list[Span] = field(default_factory=list)


_recorded: ContextVar[_Recorder | None] = ContextVar("alto_lg_recorded_spans", default=None)


@contextmanager
def record_spans() -> Iterator[list[Span]]:
    """Collect the spans of the work inside the block, in the order in which they end."""
    recorder = _Recorder(_clock())
    token = _recorded.set(recorder)
    try:
        yield recorder.spans
    finally:
        _recorded.reset(token)


def _clock() -> Callable[[], float]:
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:
        return monotonic


def now() -> float:
    """Seconds on the recorder's clock, for a piece of work that `note` is told of when it ends."""
    recorder = _recorded.get()
    return monotonic() if recorder is None else recorder.clock()


def note(stage: str, item: tuple[int, ...], started: float) -> None:
    """A piece of work that began when `now()` was `started`, and ends now."""
    recorder = _recorded.get()
    if recorder is not None:
        recorder.spans.append(Span(stage, item, started, recorder.clock()))


class span:
    """`with span("retrieve", (3,)):` around a piece of work; awaiting inside is fine. A failed piece counts too."""

    __slots__ = ("_item", "_recorder", "_stage", "_started")

    def __init__(self, stage: str, item: tuple[int, ...] = ()) -> None:
        self._stage, self._item = stage, item

    def __enter__(self) -> None:
        self._recorder = _recorded.get()
        self._started = 0.0 if self._recorder is None else self._recorder.clock()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            self._recorder.spans.append(Span(self._stage, self._item, self._started, self._recorder.clock()))
