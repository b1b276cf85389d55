"""Placed nodes as the graph runs them: what LangGraph invokes, and what waits for a worker.

Owns the near side of a firing. Always true: to LangGraph a placed node is a node like any other. What it returns,
raises, yields and writes to its stream writer comes from its worker, and is committed, streamed and retried here.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from alto_lg.adapters.langgraph.config_keys import ANCESTRY
from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_RUNTIME, RunnableCallable
from alto_lg.adapters.langgraph.placed.code import Sent
from alto_lg.adapters.langgraph.placed.sending import Sender
from alto_lg.adapters.placement.calling import Answer, Caller
from alto_lg.adapters.placement.workers import CannotStart, Closed, Died
from alto_lg.errors import NotPortable, NoWorker, WorkerLost


class RemoteTraceback(Exception):
    """The cause of an error that a node raised on its worker: the traceback there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Far:
    """The worker side of one node, as its runnables see it.

    saves: it is a graph that files its checkpoints with those of the graph around it, if that has any.
    """

    def __init__(self, node: str, caller: Caller, sender: Sender, *, saves: bool) -> None:
        self.node = node
        self._caller = caller
        self._sender = sender
        self._saves = saves

    def call(self, given: Any, config: RunnableConfig) -> Any:
        while True:
            sent = self._sent(given, config)
            try:
                answer = self._caller.call(sent, plain=True, group=sent.group)
            except Exception as error:
                self._failed(sent, error, config)
            else:
                return self._received(answer, config)

    async def acall(self, given: Any, config: RunnableConfig) -> Any:
        while True:
            sent = self._sent(given, config)
            try:
                answer = await self._caller.acall(sent, plain=False, group=sent.group)
            except Exception as error:
                self._failed(sent, error, config)
            else:
                return self._received(answer, config)

    def stream(self, given: Any, config: RunnableConfig) -> Iterator[Any]:
        while True:
            sent = self._sent(given, config)
            try:
                with contextlib.closing(self._caller.stream(sent, group=sent.group)) as items:
                    for item in items:
                        if isinstance(item, Answer):
                            answer = item
                        else:
                            self._say(item.said, config)
                            yield item.value
            except Exception as error:
                self._failed(sent, error, config)
            else:
                self._received(answer, config)
                return

    async def astream(self, given: Any, config: RunnableConfig) -> AsyncGenerator[Any, None]:
        while True:
            sent = self._sent(given, config)
            try:
                async with contextlib.aclosing(self._caller.astream(sent, group=sent.group)) as items:
                    async for item in items:
                        if isinstance(item, Answer):
                            answer = item
                        else:
                            self._say(item.said, config)
                            yield item.value
            except Exception as error:
                self._failed(sent, error, config)
            else:
                self._received(answer, config)
                return

    def _sent(self, given: Any, config: RunnableConfig) -> Sent:
        if self._saves and config[CONF].get(CONFIG_KEY_CHECKPOINTER):
            raise NotPortable(self.node, SAVES)
        return self._sender.sent(given, config)

    def _received(self, answer: Answer, config: RunnableConfig) -> Any:
        self._say(answer.said, config)
        if answer.error is not None:
            raise answer.error from RemoteTraceback(answer.traceback)
        return answer.value

    def _say(self, said: tuple[Any, ...], config: RunnableConfig) -> None:
        for event in said:
            config[CONF][CONFIG_KEY_RUNTIME].stream_writer(event)

    def _failed(self, sent: Sent, error: Exception, config: RunnableConfig) -> None:
        """Say in our words what came of sending a firing; returns if it may be sent again, with less."""
        match error:
            case Closed():
                raise NoWorker(self.node, "close() has ended them. Accelerate the graph again to run it") from None
            case CannotStart():
                raise NoWorker(self.node, f"{error}. See what its placement asks for") from error
            case Died():
                raise WorkerLost(self.node, config[CONF].get(ANCESTRY), str(error), error.attempts) from error
        if not self._sender.learned(sent):
            raise NotPortable(self.node, f"what it gives cannot be sent back: {error}") from error


SAVES = (
    "is a graph that saves its checkpoints with those of the graph around it, which a worker cannot reach: compile it "
    "with checkpointer=False, or do not place it"
)


class FarNode(Runnable[Any, Any]):
    """A node that runs on a worker. bound: the same node beside the graph."""

    def __init__(self, bound: Runnable[Any, Any], far: Far) -> None:
        self.name = bound.get_name()
        self._bound = bound
        self._far = far

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if isinstance(self._bound, RunnableCallable) and self._bound.func is None:
            return self._bound.invoke(input, config)  # LangGraph's error: there is no synchronous function
        assert config is not None, "a node runs in a graph"
        return self._far.call(input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        assert config is not None, "a node runs in a graph"
        return await self._far.acall(input, config)


def far_stream(function: Callable[..., Any], far: Far) -> RunnableCallable:
    """A streaming node that runs on a worker. function: the generator function that `alto_lg.streaming` was given."""
    from alto_lg.streaming import streaming  # it imports the adapter

    def partials(state: Any, config: RunnableConfig) -> Iterator[Any]:
        return (yield from far.stream(state, config))

    async def apartials(state: Any, config: RunnableConfig) -> Any:
        async with contextlib.aclosing(far.astream(state, config)) as updates:
            async for update in updates:
                yield update

    partials.__name__ = apartials.__name__ = function.__name__
    plain = None if inspect.isasyncgenfunction(function) else streaming(partials)
    return RunnableCallable(plain, streaming(apartials), name=far.node, trace=False)


class ThreadNode(Runnable[Any, Any]):
    """A node that runs on threads of its own."""

    def __init__(self, bound: Runnable[Any, Any], pool: Callable[[], Executor]) -> None:
        self.name = bound.get_name()
        self._bound = bound
        self._pool = pool

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._pool().submit(copy_context().run, self._bound.invoke, input, config).result()

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        call = partial(copy_context().run, self._bound.invoke, input, config)
        return await asyncio.get_running_loop().run_in_executor(self._pool(), call)
