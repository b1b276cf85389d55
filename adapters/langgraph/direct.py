"""A node and its writers, run without the callbacks that nobody hears.

LangGraph tells callback managers of the start and the end of a node and of each of its writers, in a task of its own.
Where a run has no handler at all, what is left of that for a node to see is its config: a run id for what it calls,
tags and metadata, and context variables of its own. All of these are as LangGraph makes them.

Always true: with a handler, a trace policy or a foreign callback manager, LangGraph's own way is taken.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager, CallbackManager
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.utils.uuid import uuid7

from alto_lg.adapters.langgraph.internals import ChannelWrite, RunnableSeq

Manager = TypeVar("Manager", AsyncCallbackManager, CallbackManager)
Result = TypeVar("Result")


class DirectSeq(RunnableSeq):
    """LangGraph's sequence of a node and its writers."""

    def __init__(self, like: RunnableSeq) -> None:
        vars(self).update(vars(like))
        policy = like.trace_policy
        self._recorded = like.trace_inputs is not None or policy.process_inputs or policy.process_outputs

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or self._recorded or not is_unheard(config, AsyncCallbackManager):
            return await super().ainvoke(input, config, **kwargs)
        children = _Children(config, AsyncCallbackManager)
        own = children.config(1)
        input = await _in_context(_context_of(own), self.steps[0].ainvoke(input, own, **kwargs))
        for place, step in enumerate(self.steps[1:], start=2):
            if type(step) is ChannelWrite:  # needs of its config only where to write
                step.func(input, config)
            else:
                input = await step.ainvoke(input, children.config(place))
        return input

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or self._recorded or not is_unheard(config, CallbackManager):
            return super().invoke(input, config, **kwargs)
        children = _Children(config, CallbackManager)
        own = children.config(1)
        input = _context_of(own).run(self.steps[0].invoke, input, own, **kwargs)
        for place, step in enumerate(self.steps[1:], start=2):
            if type(step) is ChannelWrite:
                step.func(input, config)
            else:
                input = step.invoke(input, children.config(place))
        return input


def direct(node: Runnable[Any, Any] | None) -> Runnable[Any, Any] | None:
    """The same, without what nobody hears, if it is a sequence of LangGraph's."""
    return DirectSeq(node) if type(node) is RunnableSeq else node


def is_unheard(config: RunnableConfig, kind: type[BaseCallbackManager]) -> bool:
    """Whether a run with this config has no handler that could be told of it."""
    manager = config.get("callbacks")
    return type(manager) is kind and not manager.handlers and not manager.inheritable_handlers


class _Children:
    """The configs of a sequence's steps."""

    def __init__(self, config: RunnableConfig, kind: type[BaseCallbackManager]) -> None:
        manager: Any = config["callbacks"]
        if tags := config.get("tags"):
            manager.add_tags(tags)
        if metadata := config.get("metadata"):
            manager.add_metadata(metadata)
        self._kind = kind
        self._manager = manager
        self._run_id = config.pop("run_id", None) or uuid7()
        self._shared: RunnableConfig = {**config}
        self._shared.pop("run_name", None)

    def config(self, place: int) -> RunnableConfig:
        """That of the step at a place, the first being 1."""
        manager = self._kind(handlers=[], parent_run_id=self._run_id)
        manager.add_tags(self._manager.inheritable_tags)
        manager.add_metadata(self._manager.inheritable_metadata)
        manager.add_tags([f"seq:step:{place}"], inherit=False)
        return {**self._shared, "callbacks": manager}


def _context_of(config: RunnableConfig) -> Context:
    context = copy_context()
    context.run(var_child_runnable_config.set, config)
    return context


@types.coroutine
def _in_context(context: Context, coroutine: Coroutine[Any, Any, Result]) -> Generator[Any, Any, Result]:
    """Await a coroutine in this task, and in a context of its own, as if it were a task.

    A task that cancels itself has failed, where one that is cancelled by others is not wanted any more. So cancels of
    the task while the coroutine runs are taken off the task again.
    """
    task = asyncio.current_task()
    assert task is not None
    own, step, argument = 0, coroutine.send, None
    while True:
        before = task.cancelling()
        try:
            awaited = context.run(step, argument)
        except StopIteration as returned:
            own += task.cancelling() - before
            if own > 0:
                _take_off(task, own)
                raise asyncio.CancelledError from None
            result: Result = returned.value
            return result
        except asyncio.CancelledError:
            own += task.cancelling() - before
            _take_off(task, own)
            raise
        own += task.cancelling() - before
        try:
            argument = yield awaited
            step = coroutine.send
        except GeneratorExit:
            context.run(coroutine.close)
            raise
        except BaseException as thrown:
            step, argument = coroutine.throw, thrown


def _take_off(task: asyncio.Task[Any], cancels: int) -> None:
    for _ in range(cancels):
        task.uncancel()
