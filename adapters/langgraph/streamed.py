"""Streamed: a node that is a LangChain runnable, whose steps work on its model's answer while that is written.

Owns what `accelerate(stream=[node])` does. Always true:
  the node itself runs as ever, and what it returns counts; only its model is asked for a stream;
  the steps behind the model run a second time, aside, on the pieces of that stream, and tell nobody of anything;
  what comes out of them goes the way of a streaming node's update so far.
"""

from __future__ import annotations

import asyncio
import queue
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langsmith.run_helpers import tracing_context

from alto_lg.adapters.langgraph.promising import Promising
from alto_lg.adapters.langgraph.silence import silenced
from alto_lg.adapters.langgraph.tails import SoFar, Tail
from alto_lg.adapters.watching import ModelCall, ModelWatcher, ToolCallDelta

_END = object()


def follow(tail: Tail, config: RunnableConfig, promising: Promising) -> None:
    """Watch the model of a node that is about to run with `config`, and take what its steps make of it for promises."""
    kind = _StepsOnLoop if promising.on_loop else _StepsInThread
    watcher = ModelWatcher(kind(tail, {**config}, promising))
    callbacks = config.get("callbacks")
    if callbacks is None or isinstance(callbacks, list):
        config["callbacks"] = [*(callbacks or ()), watcher]
    else:
        config["callbacks"] = watched = callbacks.copy()  # siblings may have the same
        watched.add_handler(watcher)


class _Steps:
    """The steps behind the model, in one run of the node; hears what the model says."""

    def __init__(self, tail: Tail, config: RunnableConfig, promising: Promising) -> None:
        self._tail = tail
        self._config = config
        self._promising = promising
        self._so_far = SoFar(tail.cumulative)
        self._told: Any = None
        self._call: UUID | None = None
        self._task: Any = None

    def began(self, call: ModelCall) -> None:
        """The first call is followed. Another one is a second try, and the end will tell."""
        if self._call is None:
            self._call = call.id
            self._task = self._promising.submit(self._run)

    def said(self, call: ModelCall, text: str) -> None:
        self._piece(call, AIMessageChunk(content=text))

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        chunks = [
            tool_call_chunk(name=one.name, args=one.arguments, id=one.id, index=_number(one.index)) for one in deltas
        ]
        self._piece(call, AIMessageChunk(content="", tool_call_chunks=chunks))

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        self._piece(call, _END)

    def failed(self, call: ModelCall, error: BaseException) -> None:
        """What is there of it is not the whole, and nothing is made of it."""
        if call.id == self._call:
            self._put(_END)
            self._task.cancel()

    def _piece(self, call: ModelCall, piece: object) -> None:
        if call.id == self._call:
            self._put(piece)

    def _put(self, piece: object) -> None:
        raise NotImplementedError

    def _run(self) -> Any:
        """Follow the call to its end, beside the node."""
        raise NotImplementedError

    def _aside(self) -> RunnableConfig:
        config = silenced(self._config, deque())
        var_child_runnable_config.set(config)
        return config

    def _news(self, chunk: object) -> Any:
        """The update so far, if it is another one than before."""
        update = self._so_far.add(chunk)
        if update is None or update == self._told:
            return None
        self._told = update
        return update


class _StepsOnLoop(_Steps):
    def __init__(self, tail: Tail, config: RunnableConfig, promising: Promising) -> None:
        super().__init__(tail, config, promising)
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Any] = asyncio.Queue()

    def _put(self, piece: object) -> None:
        self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)  # a model may call back from a thread

    async def _run(self) -> None:
        config = self._aside()
        with tracing_context(enabled=False):
            try:
                async for chunk in self._tail.atransform(self._received(), config):
                    update = self._news(chunk)
                    if update is not None:
                        await self._promising.arrived(update)
            except Exception:  # of a parser that cannot read this; the node will say so itself
                self._promising.cannot_promise()

    async def _received(self) -> AsyncIterator[Any]:
        while (piece := await self._pieces.get()) is not _END:
            yield piece


class _StepsInThread(_Steps):
    def __init__(self, tail: Tail, config: RunnableConfig, promising: Promising) -> None:
        super().__init__(tail, config, promising)
        self._pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def _put(self, piece: object) -> None:
        self._pieces.put(piece)

    def _run(self) -> None:
        config = self._aside()
        with tracing_context(enabled=False):
            try:
                for chunk in self._tail.transform(iter(self._pieces.get, _END), config):
                    update = self._news(chunk)
                    if update is not None:
                        self._promising.arrived_in_thread(update)
            except Exception:
                self._promising.cannot_promise()


def _number(index: int | str | None) -> int | None:
    return index if isinstance(index, int) else None
