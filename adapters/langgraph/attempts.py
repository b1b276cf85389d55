"""One attempt at a task that has no retry policy and no timeout.

LangGraph copies a task's config three times before it runs it, and its runtime twice: to say when it was tried first,
and how often. Here the runtime was made for this one attempt, and is told the time.

Always true: an attempt that fails is LangGraph's from there on, which meets the error as if it had made the attempt.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_RUNTIME,
    PregelExecutableTask,
    arun_with_retry,
    run_with_retry,
)


async def arun(
    task: PregelExecutableTask,
    retry_policy: Sequence[Any] | None,
    stream: bool = False,
    configurable: Mapping[str, Any] | None = None,
) -> Any:
    """LangGraph's `arun_with_retry`."""
    config = None if stream else config_of_only(task, retry_policy, configurable)
    if config is None:
        return await arun_with_retry(task, retry_policy, stream=stream, configurable=configurable)  # type: ignore[arg-type]
    task.writes.clear()
    try:
        return await task.proc.ainvoke(task.input, config)
    except BaseException as error:
        return await arun_with_retry(failing(task, error), None, configurable=configurable)  # type: ignore[arg-type]


def run(
    task: PregelExecutableTask, retry_policy: Sequence[Any] | None, configurable: Mapping[str, Any] | None = None
) -> Any:
    """LangGraph's `run_with_retry`."""
    config = config_of_only(task, retry_policy, configurable)
    if config is None:
        return run_with_retry(task, retry_policy, configurable=configurable)  # type: ignore[arg-type]
    task.writes.clear()
    try:
        return task.proc.invoke(task.input, config)
    except BaseException as error:
        return run_with_retry(failing(task, error), None, configurable=configurable)  # type: ignore[arg-type]


def is_attempt(function: object) -> bool:
    """Whether a function that is submitted runs a node (or a `@task`), and not a save."""
    return function in (arun, run, arun_with_retry, run_with_retry)


def config_of_only(
    task: PregelExecutableTask, retry_policy: Sequence[Any] | None, configurable: Mapping[str, Any] | None
) -> RunnableConfig | None:
    """The config of a task's only attempt; None if LangGraph has to make it."""
    if task.retry_policy or retry_policy or task.timeout is not None:
        return None
    entries = task.config[CONF]
    info = getattr(entries.get(CONFIG_KEY_RUNTIME), "execution_info", None)
    if info is None or info.task_id != task.id:  # it is not this task's alone
        return None
    object.__setattr__(info, "node_first_attempt_time", time.time())
    return {**task.config, CONF: {**entries, **(configurable or {})}}


def failing(task: PregelExecutableTask, error: BaseException) -> PregelExecutableTask:
    """The same task, at the point where it raises; what it has written stays as it is."""
    return dataclasses.replace(task, proc=_Raising(error), writes=deque())


class _Raising(Runnable[Any, Any]):
    def __init__(self, error: BaseException) -> None:
        self._errors = [error]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        raise self._errors.pop()  # kept, it would be a cycle: the error knows this frame

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        raise self._errors.pop()
