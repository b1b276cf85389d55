"""What the caller of a run hears of it: of `invoke`, nothing between its steps but interrupts.

LangGraph's `invoke` reads the updates of all tasks from the stream, and looks at none but interrupts. So those need not
be made. Always true: a run whose events somebody else could hear, such as the caller of an outer graph, makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_STREAM

_only_interrupts: ContextVar[bool] = ContextVar("alto_lg_only_interrupts", default=False)


@contextmanager
def hearing(stream_mode: Any, printed: Any) -> Iterator[None]:
    """The next run that begins inside is that of an `invoke`. printed: whether anything goes to the console."""
    token = _only_interrupts.set(stream_mode == "values" and not printed)
    try:
        yield
    finally:
        _only_interrupts.reset(token)


def hears_only_interrupts(config: Any) -> bool:
    """Whether the caller of the run that begins now hears nothing else of its tasks. Runs in its nodes are others'."""
    only = _only_interrupts.get()
    if only:
        _only_interrupts.set(False)
    return only and CONFIG_KEY_STREAM not in config.get(CONF, {})
