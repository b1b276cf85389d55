"""Silence: the configuration of a node that runs aside, where nobody is to hear of it and nothing may be changed.

Always true: what it writes, streams or asks of the graph reaches nobody; a change of the store, a question to the
caller, a call of a task and a run of another graph end it.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections import deque
from collections.abc import Iterable
from typing import Any, NoReturn

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore, Op, PutOp, Result

from alto_lg.adapters.langgraph.config_keys import PARTIALS, TALLY, TOOLS
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
    PregelScratchpad,
)
from alto_lg.adapters.replay.record import end_of_prediction

_LEFT_OUT = (CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_STREAM, PARTIALS, TALLY, TOOLS)


def silenced(config: RunnableConfig, writes: deque[Any]) -> RunnableConfig:
    """A node's configuration, for a run of it aside; `writes` takes what it sends to the graph."""
    conf = {key: value for key, value in config[CONF].items() if key not in _LEFT_OUT}
    conf[CONFIG_KEY_SEND] = writes.extend
    conf[CONFIG_KEY_CALL] = _end
    scratchpad = conf.get(CONFIG_KEY_SCRATCHPAD)
    if isinstance(scratchpad, PregelScratchpad):
        conf[CONFIG_KEY_SCRATCHPAD] = _own(scratchpad)
    runtime = conf.get(CONFIG_KEY_RUNTIME)
    if isinstance(runtime, Runtime):
        conf[CONFIG_KEY_RUNTIME] = _aside(runtime)
    return {**config, CONF: conf, "callbacks": None}


def _aside(runtime: Runtime[Any]) -> Runtime[Any]:
    own: dict[str, Any] = {
        "stream_writer": _nobody,
        "heartbeat": _nothing,
        "store": None if runtime.store is None else _ReadOnly(runtime.store),
        "control": copy.copy(getattr(runtime, "control", None)),
    }
    known = {field.name for field in dataclasses.fields(runtime)}  # some are younger than the oldest supported version
    return dataclasses.replace(runtime, **{name: value for name, value in own.items() if name in known})


def _own(scratchpad: PregelScratchpad) -> PregelScratchpad:
    """It counts for itself, and knows the answers that the node has been given by now."""
    return PregelScratchpad(
        step=scratchpad.step,
        stop=scratchpad.stop,
        call_counter=itertools.count().__next__,
        interrupt_counter=itertools.count().__next__,
        get_null_resume=_no_answer,
        resume=list(scratchpad.resume),
        subgraph_counter=_end,
    )


def _end(*arguments: Any, **options: Any) -> NoReturn:
    raise end_of_prediction()


def _no_answer(consume: bool) -> None:
    return None


def _nobody(chunk: Any) -> None:
    return None


def _nothing() -> None:
    return None


class _ReadOnly(BaseStore):
    """A store that can be read only."""

    supports_ttl = True

    def __init__(self, store: BaseStore) -> None:
        self._store = store

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        return self._store.batch(_reads(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        return await self._store.abatch(_reads(ops))


def _reads(ops: Iterable[Op]) -> list[Op]:
    listed = list(ops)
    if any(isinstance(op, PutOp) for op in listed):
        raise end_of_prediction()
    return listed
