"""What the caller of a run hears of it: of `invoke`, nothing between its steps but interrupts.

LangGraph's `invoke` reads the updates of all tasks from the stream, and looks at none but interrupts. So those need not
be made. Always true: a run whose events somebody else could hear, such as the caller of an outer graph, makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_STREAM

_only_interrupts: ContextVar[bool] = ContextVar("alto_lg_only_interrupts", default=False)


@contextmanager
def hearing(options: Mapping[str, Any], *, debug: bool) -> Iterator[None]:
    """The next run that begins inside is that of an `invoke` with these options. debug: it prints all its events."""
    is_printed = debug or options.get("print_mode")
    token = _only_interrupts.set(options.get("stream_mode", "values") == "values" and not is_printed)
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
