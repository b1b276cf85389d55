"""What the result of a node is written to, without the entries that LangGraph makes for each result anew.

Always true: a writer that does anything but map the result and write to channels that are named beforehand is
LangGraph's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig

from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_SEND,
    PASSTHROUGH,
    SKIP_WRITE,
    TASKS,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
)

Write = Callable[[Any, RunnableConfig], object]


def write_of(writer: ChannelWrite) -> Write:
    """What writes a result; it looks into the config only for where to."""
    parts = [_part(entry) for entry in writer.writes]
    if not all(callable(part) or isinstance(part, tuple) for part in parts):
        assert writer.func is not None
        return writer.func

    def write(output: Any, config: RunnableConfig) -> None:
        written: list[tuple[str, Any]] = []
        for part in parts:
            if isinstance(part, tuple):
                written.append(part)
            elif found := part(output):
                written.extend(found)
        config[CONF][CONFIG_KEY_SEND](written)

    return write


def _part(entry: Any) -> Any:
    """A mapper of results to writes, or one write that is always the same."""
    if type(entry) is ChannelWriteTupleEntry and entry.value is PASSTHROUGH:
        return entry.mapper
    if type(entry) is not ChannelWriteEntry or entry.mapper is not None or entry.channel == TASKS:
        return None
    if entry.value is PASSTHROUGH or entry.value is SKIP_WRITE or (entry.skip_none and entry.value is None):
        return None
    return entry.channel, entry.value
