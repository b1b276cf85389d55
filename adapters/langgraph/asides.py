"""Asides: the writers of one node, run again and again on what it has written so far.

Owns what such a run costs, as there is one for each partial update. Always true:
  a conditional edge is LangGraph's own, given the same state; only its path is called without callbacks and traces;
  a plain function that is a path runs on a thread, as LangGraph runs it, until it has been found to be quick. From then
  on it runs on the event loop, unless it takes long or fails there: a hop to a thread costs more than all the rest.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import functools
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langsmith.run_helpers import tracing_context

from alto_lg.adapters.langgraph.inline import is_plain
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_READ,
    BranchSpec,
    ChannelWrite,
    RunnableCallable,
)
from alto_lg.adapters.langgraph.mistakes.node_checks import is_branch
from alto_lg.adapters.langgraph.pace import Pace, clock_of
from alto_lg.adapters.langgraph.silence import silenced
from alto_lg.adapters.langgraph.templates import read_asked


class Aside:
    """The writers of one firing. What they write is returned, and nobody else sees it. One run at a time."""

    def __init__(self, config: RunnableConfig, writers: Sequence[Any]) -> None:
        self._writes: deque[tuple[str, Any]] = deque()
        self._config = silenced(config, self._writes)
        scratchpad, channels, managed, task = config[CONF][CONFIG_KEY_READ].args
        own = task._replace(writes=self._writes)
        self._config[CONF][CONFIG_KEY_READ] = functools.partial(read_asked, scratchpad, channels, managed, own)
        with tracing_context(enabled=False):
            self._context = contextvars.copy_context()
        self._context.run(var_child_runnable_config.set, self._config)
        self._writers = [_Branch(writer, self._context) if is_branch(writer) else writer for writer in writers]

    async def writes(self, update: Any) -> list[tuple[str, Any]]:
        """What the node would write, had it ended with this update, packets included."""
        self._writes.clear()
        for writer in self._writers:
            if type(writer) is ChannelWrite:
                writer._write(update, self._config)  # without the task that its `ainvoke` would cost
            elif isinstance(writer, _Branch):
                await writer.aroute(update, self._config)
            else:
                await _apart(self._context, writer.ainvoke(update, self._config))
        return list(self._writes)

    def writes_in_thread(self, update: Any) -> list[tuple[str, Any]]:
        """The same, without an event loop."""
        self._writes.clear()
        for writer in self._writers:
            if isinstance(writer, _Branch):
                writer.route(update, self._config)
            else:
                self._context.copy().run(writer.invoke, update, self._config)
        return list(self._writes)


class _Branch:
    """A conditional edge whose path is called without callbacks."""

    def __init__(self, writer: RunnableCallable, context: contextvars.Context) -> None:
        spec: BranchSpec = writer.func.__self__  # type: ignore[union-attr]
        kind = _QuietPath if isinstance(spec.path, RunnableCallable) else _RunnablePath
        self._spec: Any = spec._replace(path=kind(spec.path, context))  # type: ignore[arg-type]
        self._parts = writer.kwargs

    async def aroute(self, update: Any, config: RunnableConfig) -> None:
        _pass_on(await self._spec._aroute(update, config, **self._parts), update, config)

    def route(self, update: Any, config: RunnableConfig) -> None:
        _pass_on(self._spec._route(update, config, **self._parts), update, config)


def _pass_on(result: Any, update: Any, config: RunnableConfig) -> None:
    """What a conditional edge gives back may have to be run as well, as LangGraph does."""
    if isinstance(result, Runnable):
        result.invoke(update, config)


class _RunnablePath:
    """A path that is a runnable of the user's."""

    def __init__(self, path: Runnable[Any, Any], context: contextvars.Context) -> None:
        self._path = path
        self._context = context

    async def ainvoke(self, value: Any, config: RunnableConfig) -> Any:
        return await _apart(self._context, self._path.ainvoke(value, config))

    def invoke(self, value: Any, config: RunnableConfig) -> Any:
        return self._context.copy().run(self._path.invoke, value, config)


class _QuietPath:
    """A path that is a function: LangGraph's runnable of it, which tells nobody that it runs."""

    def __init__(self, path: RunnableCallable, context: contextvars.Context) -> None:
        self._path = copy.copy(path)
        self._path.trace = False
        self._context = context
        self._is_plain = is_plain(path)
        self._pace = Pace()
        self._needs_thread = False

    async def ainvoke(self, value: Any, config: RunnableConfig) -> Any:
        if not self._is_plain:
            return await _apart(self._context, self._path.ainvoke(value, config))
        loop = asyncio.get_running_loop()
        clock, fails = clock_of(loop), False
        if self._pace.is_quick and not self._needs_thread:
            try:
                return self._pace.timed(clock, self.invoke, value, config)
            except Exception:  # it may be one that cannot run beside an event loop
                fails = True
        result = await loop.run_in_executor(None, self._pace.timed, clock, self.invoke, value, config)
        self._needs_thread = self._needs_thread or fails
        return result

    def invoke(self, value: Any, config: RunnableConfig) -> Any:
        return self._context.copy().run(self._path.invoke, value, config)


async def _apart(context: contextvars.Context, running: Coroutine[Any, Any, Any]) -> Any:
    return await asyncio.get_running_loop().create_task(running, context=context.copy())
