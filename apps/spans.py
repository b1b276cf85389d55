"""Who worked when: spans recorded inside node functions, read by whoever asked for them.

Always true: with no recorder active a span costs one look-up of a context variable; a recorder sees the spans of
the tasks that inherit its context, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from types import TracebackType

from alto_lg.apps.base import Span

_recorded: ContextVar[list[Span] | None] = ContextVar("alto_lg_recorded_spans", default=None)


@contextmanager
def record_spans() -> Iterator[list[Span]]:
    """Collect the spans of the work inside the block, in the order in which they end."""
    spans: list[Span] = []
    token = _recorded.set(spans)
    try:
        yield spans
    finally:
        _recorded.reset(token)


def note(stage: str, item: tuple[int, ...], started: float) -> None:
    """A piece of work that began at `started` on the monotonic clock and ends now."""
    recorder = _recorded.get()
    if recorder is not None:
        recorder.append(Span(stage, item, started, monotonic()))


class span:
    """`with span("retrieve", (3,)):` around a piece of work; awaiting inside is fine. A failed piece counts too."""

    __slots__ = ("_item", "_recorder", "_stage", "_started")

    def __init__(self, stage: str, item: tuple[int, ...] = ()) -> None:
        self._stage, self._item = stage, item

    def __enter__(self) -> None:
        self._recorder = _recorded.get()
        self._started = monotonic() if self._recorder is not None else 0.0

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            self._recorder.append(Span(self._stage, self._item, self._started, monotonic()))
