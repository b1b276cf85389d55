"""Replaying: a node whose function runs again, aside, on the part of its model's answer that is there.

Owns the predictions of one run of such a node. Always true:
  one prediction at a time, of the newest text, and none after the node has ended;
  a prediction has an input, writes, resume values and a configuration of its own, and tells nobody of anything;
  what it returns goes the way of a streaming node's update so far; nothing of it is ever committed.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import threading
from collections import deque
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langsmith.run_helpers import tracing_context

from alto_lg.adapters.langgraph.config_keys import PARTIALS
from alto_lg.adapters.langgraph.internals import CONF
from alto_lg.adapters.langgraph.promising import Promising
from alto_lg.adapters.langgraph.silence import silenced
from alto_lg.adapters.replay.cuts import MakeCuts
from alto_lg.adapters.replay.record import PREDICTING, RECORDING, EndOfPrediction, Record, Replay


class ReplayedNode(Runnable[Any, Any]):
    """A node's code, watched while it runs. plain: the same code, to be run in predictions.

    Where the caller streams what is inside of nodes (`stream_events`), it runs as it is.
    """

    def __init__(self, bound: Runnable[Any, Any], plain: Runnable[Any, Any], make_cuts: MakeCuts) -> None:
        self.name = bound.get_name()
        self._bound = bound
        self._plain = plain
        self._make_cuts = make_cuts

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        predictions = self._predictions(input, config)
        if predictions is None:
            return self._bound.invoke(input, config, **kwargs)
        token = RECORDING.set(predictions.record)
        try:
            return self._bound.invoke(input, config, **kwargs)
        finally:
            RECORDING.reset(token)
            predictions.end()

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        predictions = self._predictions(input, config)
        if predictions is None:
            return await self._bound.ainvoke(input, config, **kwargs)
        token = RECORDING.set(predictions.record)
        try:
            return await self._bound.ainvoke(input, config, **kwargs)
        finally:
            RECORDING.reset(token)
            predictions.end()

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._bound.stream(input, config, **kwargs)

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._bound.astream(input, config, **kwargs)

    def transform(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._bound.transform(input, config, **kwargs)

    def atransform(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._bound.atransform(input, config, **kwargs)

    def _predictions(self, input: Any, config: RunnableConfig | None) -> _Predictions | None:
        """None where nothing can be promised, so that nothing need be watched."""
        full = ensure_config(config)
        promising = full[CONF].get(PARTIALS)
        if not isinstance(promising, Promising):
            return None
        try:
            kept = copy.deepcopy(input) if promising.firing.stage.mutates.keys else input
        except Exception:  # of values that cannot be copied: the node may change them while it is predicted
            promising.cannot_promise()
            return None
        return _Predictions(self._plain, kept, full, promising, self._make_cuts)


class _Predictions:
    """Those of one run of the node."""

    def __init__(
        self, node: Runnable[Any, Any], input: Any, config: RunnableConfig, promising: Promising, make_cuts: MakeCuts
    ) -> None:
        self.record = Record(make_cuts, self._wanted)
        self._node = node
        self._input = input
        self._config = config
        self._promising = promising
        self._changes_input = bool(promising.firing.stage.mutates.keys)
        self._lock = threading.Lock()
        self._is_wanted = self._is_busy = False
        self._task: Any = None

    def end(self) -> None:
        """The node has ended: what it returned counts, or what it raised."""
        with self._lock:
            self.record.is_over = True
            task = self._task
        if task is not None:
            task.cancel()

    def _wanted(self) -> None:
        with self._lock:
            self._is_wanted = True
            if self._is_busy or self.record.is_over or self._promising.is_over:
                return
            self._is_busy = True
            self._task = self._promising.submit(self._on_loop if self._promising.on_loop else self._in_thread)

    def _take(self) -> bool:
        """Whether there is another prediction to be made."""
        with self._lock:
            wanted, self._is_wanted = self._is_wanted and not self.record.is_over, False
            self._is_busy = wanted
            return wanted

    async def _on_loop(self) -> None:
        RECORDING.set(None)  # conditional edges are no part of the node
        while self._take():
            replay = self.record.replay()
            try:
                update = await asyncio.create_task(self._predicted(), context=_context(replay))
            except (Exception, EndOfPrediction, BaseExceptionGroup):  # a TaskGroup wraps its end
                self._promising.cannot_promise()
                continue
            if self._holds(replay):
                await self._promising.arrived(update)

    def _in_thread(self) -> None:
        RECORDING.set(None)
        while self._take():
            replay = self.record.replay()
            try:
                update = _context(replay).run(self._predicted_in_thread)
            except (Exception, EndOfPrediction, BaseExceptionGroup):  # a TaskGroup wraps its end
                self._promising.cannot_promise()
                continue
            if self._holds(replay):
                self._promising.arrived_in_thread(update)

    async def _predicted(self) -> Any:
        input, config = self._apart()
        with tracing_context(enabled=False):
            return await self._node.ainvoke(input, config)

    def _predicted_in_thread(self) -> Any:
        input, config = self._apart()
        with tracing_context(enabled=False):
            return self._node.invoke(input, config)

    def _apart(self) -> tuple[Any, RunnableConfig]:
        """Input and configuration of a prediction, in its own context."""
        config = silenced(self._config, deque())
        var_child_runnable_config.set(config)
        return copy.deepcopy(self._input) if self._changes_input else self._input, config

    def _holds(self, replay: Replay) -> bool:
        if self.record.is_over:
            return False
        if not replay.holds:
            self._promising.cannot_promise()
        return replay.holds


def _context(replay: Replay) -> contextvars.Context:
    """Where a prediction runs: the node's own context, in which every call of a model is answered."""
    context = contextvars.copy_context()
    context.run(PREDICTING.set, replay)
    return context
