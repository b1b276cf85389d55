"""A node, its writers and the paths of its conditional edges, run without the callbacks that nobody hears.

LangGraph tells callback managers of the start and the end of a node and of each of its writers, and runs the node as a
task of its own. Where a run has no handler at all, what is left of that for a node to see is its config, with a run id
for what it calls, tags and metadata, and that its context variables are its own. All of these are as LangGraph makes
them.

Always true: with a handler, a trace policy or a callback manager of another kind, LangGraph's own way is taken.
"""

from __future__ import annotations

import asyncio
import copy
import types
from collections.abc import Coroutine, Generator, Mapping, Sequence
from contextvars import Context, copy_context
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager, BaseRunManager, CallbackManager
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.utils.uuid import uuid7

from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CHECKPOINTER,
    ChannelWrite,
    RunnableCallable,
    RunnableSeq,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)
from alto_lg.adapters.langgraph.writing import write_of

Result = TypeVar("Result")


# Turns of the event loop that LangGraph takes to start a node as a task, and to end it. Meanwhile the save of the
# step before gets on: what it saves may be changed in place by the node, or when the writes are applied.
_BEFORE, _BEHIND = 1, 3


class DirectSeq(RunnableSeq):
    """LangGraph's sequence of a node and its writers.

    is_recorded: what it is given or returns is recorded by a policy of its own.
    """

    def __init__(self, like: RunnableSeq) -> None:
        vars(self).update(vars(like))
        policy = getattr(like, "trace_policy", None)  # younger than the oldest supported version
        self.is_recorded = getattr(like, "trace_inputs", None) is not None or (
            policy is not None and (policy.process_inputs or policy.process_outputs)
        )
        node, *writers = like.steps
        self._node = direct_function(node)
        self._writers = [(one, write_of(one) if type(one) is ChannelWrite else None) for one in writers]

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or self.is_recorded or not is_unheard(config, AsyncCallbackManager):
            return await super().ainvoke(input, config, **kwargs)
        children = _Children(config, AsyncCallbackManager)
        own = children.config(1)
        is_saved = _is_saved(config)
        if is_saved:
            await _turns(_BEFORE)
        try:
            output = await _in_context(_context_of(own), self._node.ainvoke(input, own, **kwargs))
        except Exception:
            if is_saved:
                await _turns(_BEHIND)  # siblings that end in the same turn are saved, as with LangGraph
            raise
        if is_saved:
            await _turns(_BEHIND)
        for place, (writer, write) in enumerate(self._writers, start=2):
            if write is not None:
                write(output, config)
            else:
                output = await writer.ainvoke(output, children.config(place))
        return output

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or self.is_recorded or not is_unheard(config, CallbackManager):
            return super().invoke(input, config, **kwargs)
        children = _Children(config, CallbackManager)
        own = children.config(1)
        output = _context_of(own).run(self._node.invoke, input, own, **kwargs)
        for place, (writer, write) in enumerate(self._writers, start=2):
            if write is not None:
                write(output, config)
            else:
                output = writer.invoke(output, children.config(place))
        return output


class DirectFunction(RunnableCallable):
    """A function that LangGraph traces: the path of a conditional edge, or a node that asks for it."""

    def __init__(self, like: RunnableCallable) -> None:
        vars(self).update(vars(like))
        self._untraced = copy.copy(like)
        self._untraced.trace = self._untraced.recurse = False
        self._sees_config = "config" in like.func_accepts

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or not is_unheard(config, AsyncCallbackManager):
            return await super().ainvoke(input, config, **kwargs)
        if self._sees_config:
            get_async_callback_manager_for_config(config, self.tags)  # which adds to the manager that it sees
        context = _context_of(_Children(config, AsyncCallbackManager).config())
        is_saved = _is_saved(config)
        if is_saved:
            await _turns(1)
        result = await _in_context(context, self._untraced.ainvoke(input, config, **kwargs))
        if is_saved:
            await _turns(1)
        return await result.ainvoke(input, config) if self.recurse and isinstance(result, Runnable) else result

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or not is_unheard(config, CallbackManager):
            return super().invoke(input, config, **kwargs)
        if self._sees_config:
            get_callback_manager_for_config(config, self.tags)
        context = _context_of(_Children(config, CallbackManager).config())
        result = context.run(self._untraced.invoke, input, config, **kwargs)
        return result.invoke(input, config) if self.recurse and isinstance(result, Runnable) else result


def direct_function(runnable: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """The same, if it is a function that is traced."""
    return DirectFunction(runnable) if type(runnable) is RunnableCallable and runnable.trace else runnable


class DirectWrite(Runnable[Any, Any]):
    """A node that only writes what it is given: the beginning of every graph."""

    def __init__(self, writer: ChannelWrite) -> None:
        self._write = write_of(writer)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self.invoke(input, config)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        self._write(input, config or {})
        return input


def direct(node: Runnable[Any, Any] | None) -> Runnable[Any, Any] | None:
    """The same, without what nobody hears, if it is of a kind of LangGraph's own."""
    if type(node) is ChannelWrite:
        return DirectWrite(node)
    return DirectSeq(node) if type(node) is RunnableSeq else node


def is_unheard(config: RunnableConfig, kind: type[BaseCallbackManager]) -> bool:
    """Whether a run with this config has no handler that could be told of it."""
    manager = config.get("callbacks")
    return type(manager) is kind and not has_handlers(manager)


def has_handlers(manager: BaseCallbackManager | BaseRunManager) -> bool:
    """Whether anybody hears of what is told to a manager, or to its children."""
    return bool(manager.handlers or manager.inheritable_handlers)


def _is_saved(config: RunnableConfig) -> bool:
    return bool(config.get(CONF, {}).get(CONFIG_KEY_CHECKPOINTER))


class _Children:
    """The configs of a sequence's steps: LangGraph's, from a manager that was told of a start with nobody listening."""

    def __init__(self, config: RunnableConfig, kind: type[AsyncCallbackManager] | type[CallbackManager]) -> None:
        manager: Any = config["callbacks"]
        self._kind = kind
        self._config = config
        self._run_id = config.pop("run_id", None) or uuid7()
        self._tags = _with_tags(manager.inheritable_tags, config.get("tags") or ())
        self._metadata = _merged(manager.inheritable_metadata, config.get("metadata") or {})

    def config(self, place: int | None = None) -> RunnableConfig:
        """That of the step at a place, the first being 1; or of the only one."""
        own = [] if place is None else [f"seq:step:{place}"]
        inherited = [tag for tag in self._tags if tag not in own]
        manager = self._kind(
            handlers=[],
            inheritable_handlers=[],
            parent_run_id=self._run_id,
            tags=[*inherited, *own],
            inheritable_tags=inherited,
            metadata={**self._metadata},
            inheritable_metadata={**self._metadata},
        )
        made: RunnableConfig = {**self._config, "callbacks": manager}
        made.pop("run_name", None)
        return made


def _with_tags(tags: Sequence[str], more: Sequence[str]) -> list[str]:
    """A tag that is added once more stands where it was added last."""
    return [*(tag for tag in tags if tag not in more), *more]


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Versions of packages are gathered, as in LangChain; of all else the later one counts."""
    merged = {**base, **more}
    if "lc_versions" not in merged:
        return merged
    versions = [one["lc_versions"] for one in (base, more) if isinstance(one.get("lc_versions"), Mapping)]
    if versions and ("lc_versions" not in more or isinstance(more["lc_versions"], Mapping)):
        merged["lc_versions"] = {name: version for one in versions for name, version in one.items()}
    return merged


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


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
            result: Result = returned.value
            break
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
    if own > 0:
        try:
            yield  # a cancel that the coroutine did not wait for comes here; one that it has swallowed does not
        finally:
            _take_off(task, own)
    return result


def _take_off(task: asyncio.Task[Any], cancels: int) -> None:
    for _ in range(cancels):
        task.uncancel()
