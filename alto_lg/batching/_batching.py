"""Batching: everything about one batched function: its limits, its batches on each event loop and among threads.

Always true: a plain function has no more than `max_calls` calls under way in the whole process, whoever made them.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context
from dataclasses import dataclass
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from langgraph.config import get_config

from alto_lg.batching._in_threads import ThreadBatches
from alto_lg.batching._on_loop import LoopBatches
from alto_lg.batching._outcomes import Outcomes, aoutcomes_of, outcomes_of
from alto_lg.engine.batching import BatchLimits
from alto_lg.errors import BatchMismatch
from alto_lg.hints import BATCHED, REPEATABLE


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """What a batched function has been called with in this process.

    calls: of the function, second attempts at halves of a batch included. inputs: in all of them.
    largest: inputs of the largest one.
    """

    calls: int
    inputs: int
    largest: int


class Batching:
    """What forms the batches of one function."""

    def __init__(self, function: Callable[..., Any], name: str, limits: BatchLimits) -> None:
        self.function = function
        self.name = name
        self.limits = limits
        self.is_async = inspect.iscoroutinefunction(function)
        self.statistics = BatchStatistics(0, 0, 0)
        self._repeatable = hasattr(function, REPEATABLE)
        self._lock = threading.Lock()
        self._on_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopBatches] = WeakKeyDictionary()
        self._in_threads = ThreadBatches(self._outcomes, limits)
        # The batches of two event loops know nothing of each other.
        self._slots: AbstractContextManager[Any] = (
            contextlib.nullcontext() if limits.max_calls is None else threading.BoundedSemaphore(limits.max_calls)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """The same function with nothing under way, as another process has it."""
        return Batching, (self.function, self.name, self.limits)

    async def acall(self, item: Any) -> Any:
        """The output for one item, which comes on an event loop."""
        return _given(await self._here().outcome(item))

    def call(self, item: Any) -> Any:
        """The output for one item, which comes in a thread."""
        return _given(self._in_threads.outcome(item))

    def __str__(self) -> str:
        limits = self.limits
        together = f"batched: one call takes up to {limits.max_size} inputs, of all runs"
        most = "" if math.isinf(limits.max_wait_s) else f" at most {limits.max_wait_s * 1000:g} ms"
        waits = f"while one is under way, an input waits{most} for others"
        if limits.max_calls is None:
            return f"{together}; {waits}"
        if limits.max_calls == 1:
            return f"{together}; the next call begins when the one before it has ended"
        return f"{together}; {waits}, and for one of {limits.max_calls} calls at a time"

    def _here(self) -> LoopBatches:
        loop = asyncio.get_running_loop()
        with self._lock:  # loops are in threads of their own
            batches = self._on_loops.get(loop)
            if batches is None:
                batches = self._on_loops[loop] = LoopBatches(
                    self._aoutcomes if self.is_async else self._outcomes_in_thread, self.name, self.limits
                )
            return batches

    async def _aoutcomes(self, items: list[Any]) -> Outcomes:
        return await aoutcomes_of(self._counted, self.name, items, self._repeatable)

    async def _outcomes_in_thread(self, items: list[Any]) -> Outcomes:
        return await asyncio.get_running_loop().run_in_executor(None, Context().run, self._outcomes, items)

    def _outcomes(self, items: list[Any]) -> Outcomes:
        with self._slots:
            return outcomes_of(self._counted, self.name, items, self._repeatable)

    def _counted(self, items: list[Any]) -> Any:
        with self._lock:
            past, size = self.statistics, len(items)
            self.statistics = BatchStatistics(past.calls + 1, past.inputs + size, max(past.largest, size))
        return self.function(items)


def _given(outcome: Any) -> Any:
    if isinstance(outcome, BatchMismatch) and outcome.node is None:
        raise BatchMismatch(_node(), outcome.function, outcome.given, outcome.returned)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _node() -> str | None:
    """The node that this is called in."""
    try:
        return get_config().get("metadata", {}).get("langgraph_node")
    except RuntimeError:  # outside of any graph
        return None


def batching_of(function: object) -> Batching | None:
    """What forms the batches of a function that `batched` has returned; None for any other object.

    A decorator above `batched` copies its mark, as `functools.wraps` does, but not what it wraps.
    """
    if type(function) is not FunctionType:  # an attribute of any other object may be code of its own
        return None
    found = vars(function).get(BATCHED)
    own = isinstance(found, Batching) and getattr(function, "__wrapped__", None) is found.function
    return found if own else None


def batch_statistics(function: Callable[..., Any]) -> BatchStatistics:
    """How often a function made by `alto_lg.batched` has been called in this process, and with how many inputs.

    Raises:
        TypeError: The function did not come from `alto_lg.batched`.
    """
    batching = batching_of(function)
    if batching is None:
        name = getattr(function, "__name__", type(function).__name__)
        raise TypeError(f"alto_lg.batch_statistics() got {name!r}, which did not come from alto_lg.batched()")
    return batching.statistics
