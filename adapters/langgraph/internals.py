"""Every private name of LangGraph that is used, and the versions that they were checked with.

Nothing else in the project imports from `langgraph._internal` or `langgraph.pregel._*`. With another version of
LangGraph, `supported()` says no and graphs run unaccelerated.
"""

from __future__ import annotations

import functools
import importlib.metadata
import types
from collections.abc import Callable
from typing import Any

from langgraph._internal._config import (
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    merge_configs,
)
from langgraph._internal._constants import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNNER_SUBMIT,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NO_WRITES,
    NS_END,
    NS_SEP,
    PREVIOUS,
    PULL,
    PUSH,
    RESERVED,
    RESUME,
    RETURN,
    TASKS,
)
from langgraph._internal._fields import get_cached_annotated_keys
from langgraph._internal._future import chain_future
from langgraph._internal._runnable import KWARGS_CONFIG_KEYS, RunnableCallable, RunnableSeq
from langgraph._internal._scratchpad import PregelScratchpad
from langgraph._internal._typing import MISSING
from langgraph.channels.base import BaseChannel
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.graph._branch import BranchSpec
from langgraph.pregel import Pregel
from langgraph.pregel._algo import (
    PregelTaskWrites,
    apply_writes,
    checkpoint_null_version,
    local_read,
    prepare_next_tasks,
    prepare_single_task,
)
from langgraph.pregel._algo import _proc_input as input_of
from langgraph.pregel._algo import _scratchpad as scratchpad_of
from langgraph.pregel._algo import _triggers as is_triggered
from langgraph.pregel._algo import _xxhash_str as task_id_of
from langgraph.pregel._executor import AsyncBackgroundExecutor, BackgroundExecutor
from langgraph.pregel._io import map_output_updates, map_output_values
from langgraph.pregel._loop import AsyncPregelLoop, PregelLoop, SyncPregelLoop
from langgraph.pregel._read import PregelNode
from langgraph.pregel._retry import arun_with_retry, run_with_retry
from langgraph.pregel._runner import FuturesDict, PregelRunner
from langgraph.pregel._runner import _acall as acall
from langgraph.pregel._runner import _call as call
from langgraph.pregel._write import PASSTHROUGH, SKIP_WRITE, ChannelWrite, ChannelWriteEntry, ChannelWriteTupleEntry
from langgraph.runtime import DEFAULT_RUNTIME
from langgraph.types import Interrupt, PregelExecutableTask

try:  # since 1.2.14 or so; before that an interrupt's id was the hash of its namespace alone
    from langgraph.types import _interrupt_id as interrupt_id
except ImportError:

    def interrupt_id(ns: str, answered: int) -> str:
        return Interrupt.from_ns(None, ns=ns).id


__all__ = [
    "CONF",
    "CONFIG_KEY_CALL",
    "CONFIG_KEY_CHECKPOINTER",
    "CONFIG_KEY_CHECKPOINT_ID",
    "CONFIG_KEY_CHECKPOINT_MAP",
    "CONFIG_KEY_CHECKPOINT_NS",
    "CONFIG_KEY_READ",
    "CONFIG_KEY_RESUME_MAP",
    "CONFIG_KEY_RESUMING",
    "CONFIG_KEY_RUNNER_SUBMIT",
    "CONFIG_KEY_RUNTIME",
    "CONFIG_KEY_SCRATCHPAD",
    "CONFIG_KEY_SEND",
    "CONFIG_KEY_STREAM",
    "CONFIG_KEY_TASK_ID",
    "CONFIG_KEY_THREAD_ID",
    "DEFAULT_RUNTIME",
    "ERROR",
    "ERROR_SOURCE_NODE",
    "INTERRUPT",
    "KWARGS_CONFIG_KEYS",
    "MISSING",
    "NO_WRITES",
    "NS_END",
    "NS_SEP",
    "PASSTHROUGH",
    "PREVIOUS",
    "PULL",
    "PUSH",
    "RESERVED",
    "RESUME",
    "RETURN",
    "SKIP_WRITE",
    "SUPPORTED",
    "TASKS",
    "AsyncBackgroundExecutor",
    "AsyncPregelLoop",
    "BackgroundExecutor",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "BranchSpec",
    "ChannelWrite",
    "ChannelWriteEntry",
    "ChannelWriteTupleEntry",
    "FuturesDict",
    "Pregel",
    "PregelExecutableTask",
    "PregelLoop",
    "PregelNode",
    "PregelRunner",
    "PregelScratchpad",
    "PregelTaskWrites",
    "RunnableCallable",
    "RunnableSeq",
    "SyncPregelLoop",
    "acall",
    "apply_writes",
    "arun_with_retry",
    "call",
    "chain_future",
    "checkpoint_null_version",
    "get_async_callback_manager_for_config",
    "get_cached_annotated_keys",
    "get_callback_manager_for_config",
    "input_of",
    "installed",
    "interrupt_id",
    "is_of_node",
    "is_triggered",
    "local_read",
    "map_output_updates",
    "map_output_values",
    "merge_configs",
    "prepare_next_tasks",
    "prepare_single_task",
    "run_with_retry",
    "scratchpad_of",
    "supported",
    "task_id_of",
    "with_names",
]

_OLDEST, _BELOW = (1, 2, 11), (1, 3)
SUPPORTED = "1.2.11 to 1.2.x"


def installed() -> str:
    """The version of LangGraph that is installed."""
    return importlib.metadata.version("langgraph")


def supported(version: str) -> bool:
    """Whether the names above mean, in that version, what this project takes them to mean."""
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    return numbers >= _OLDEST and numbers[:2] < _BELOW


def is_of_node(path: tuple[Any, ...]) -> bool:
    """Whether a task's path is that of a node or of a packet, and not that of a call or of an error handler."""
    return len(path) == 2 if path[0] == PULL else (path[0] == PUSH and len(path) == 3 and isinstance(path[1], int))


def with_names(function: Callable[..., Any], **replaced: Any) -> Any:
    """A function of LangGraph's, over a copy of its module's globals in which some names are ours.

    Nothing is patched: other graphs go on using LangGraph's.
    """
    original: Any = function
    assert original.__closure__ is None
    assert replaced.keys() <= original.__globals__.keys()
    copied = types.FunctionType(
        original.__code__, {**original.__globals__, **replaced}, original.__name__, original.__defaults__
    )
    copied.__kwdefaults__ = original.__kwdefaults__
    return functools.update_wrapper(copied, function, updated=("__dict__",))
