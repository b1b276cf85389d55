"""Surroundings: what a tool that runs early finds around it, in the place of its step's.

Owns the config of an early execution. Always true:
  what is settled for the whole run is there: the user's own `configurable`, the context, tags and metadata;
  nothing that a tool could tell somebody, or ask of its step, gets out: the first attempt ends the early execution,
  whose result is not used, and the step runs the tool itself.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForToolRun,
    BaseCallbackHandler,
    CallbackManager,
    CallbackManagerForToolRun,
)
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from alto_lg.adapters.langgraph.config_keys import TOOLS
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
)
from alto_lg.adapters.langgraph.tools.tool_runs import ToolRuns
from alto_lg.adapters.watching import ModelWatcher

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.run import AcceleratedRun

_OF_ITS_STEP = {
    CONFIG_KEY_CALL: "calls a task",
    CONFIG_KEY_CHECKPOINTER: "runs a graph",
    CONFIG_KEY_CHECKPOINT_NS: "asks for its place in the run",
    CONFIG_KEY_READ: "reads the state",
    CONFIG_KEY_SCRATCHPAD: "calls interrupt()",
    CONFIG_KEY_SEND: "writes to the state",
    CONFIG_KEY_STREAM: "runs a graph",
}
_METADATA = ("langgraph_step", "langgraph_node", "langgraph_triggers", "langgraph_path", "langgraph_checkpoint_ns")


class NotHere(BaseException):
    """The tool needs its step. Not an `Exception`, so that tools do not take it for a failure of their own."""


class Surroundings:
    """Those of one early execution. needs_step: what the tool did that only its step can serve; None so far."""

    def __init__(self, loop: AcceleratedRun) -> None:
        self.needs_step: str | None = None
        self._observed = _is_observed(loop)
        self._config = self._quiet(loop)

    def context(self, base: contextvars.Context) -> contextvars.Context:
        """Where the tool runs."""
        context = base.copy()
        context.run(var_child_runnable_config.set, self._config)
        return context

    def parameters(self, names: frozenset[str], config: str | None, *, on_loop: bool) -> dict[str, Any]:
        """What the tool's innermost function asks for besides its arguments."""
        kind = AsyncCallbackManagerForToolRun if on_loop else CallbackManagerForToolRun
        made: dict[str, Any] = {}
        if "run_manager" in names:
            made["run_manager"] = kind(run_id=uuid4(), handlers=self._handlers(), inheritable_handlers=self._handlers())
        if config is not None:
            made[config] = self._config
        if "runtime" in names:
            made["runtime"] = _Elsewhere(self._refuse, "looks at its runtime")
        return made

    def _refuse(self, what: str) -> NoReturn:
        self.needs_step = self.needs_step or f"it {what}"
        raise NotHere(what)

    def _handlers(self) -> list[BaseCallbackHandler]:
        return [_Refusing(self._refuse)] if self._observed else []

    def _quiet(self, loop: AcceleratedRun) -> RunnableConfig:
        outer: Any = loop.config
        conf = {key: value for key, value in outer[CONF].items() if not key.startswith("__") and key != TOOLS}
        conf.update((key, _Elsewhere(self._refuse, what)) for key, what in _OF_ITS_STEP.items())
        runtime = outer[CONF].get(CONFIG_KEY_RUNTIME)
        if runtime is not None:
            conf[CONFIG_KEY_RUNTIME] = self._runtime(runtime, loop)
        metadata = dict(outer.get("metadata") or {})
        metadata.update((name, _Elsewhere(self._refuse, "asks for its place in the run")) for name in _METADATA)
        manager = AsyncCallbackManager if loop.on_event_loop else CallbackManager
        return RunnableConfig(
            tags=list(outer.get("tags") or ()),
            metadata=metadata,
            callbacks=manager(handlers=self._handlers(), inheritable_handlers=self._handlers()),
            recursion_limit=outer.get("recursion_limit", 25),
            configurable=conf,
        )

    def _runtime(self, runtime: Any, loop: AcceleratedRun) -> Any:
        """The user's context is the run's; the store and the stream of events belong to the step."""
        stream = getattr(loop, "stream", None)
        is_heard = bool(loop.is_nested) or (stream is not None and "custom" in stream.modes)
        writer = _Elsewhere(self._refuse, "writes to the stream") if is_heard else _unheard
        store = None if runtime.store is None else _Elsewhere(self._refuse, "uses the store")
        info = _Elsewhere(self._refuse, "asks for its place in the run")
        own = {"stream_writer": writer, "store": store, "previous": info, "execution_info": info, "control": info}
        known = {one.name for one in fields(runtime)}  # some are younger than the oldest supported version
        return replace(runtime, **{name: value for name, value in own.items() if name in known})


def _unheard(_: Any) -> None:
    """Nobody listens to what is written to the stream of this run."""


def _is_observed(loop: AcceleratedRun) -> bool:
    """Whether somebody would hear of what runs inside a tool: callbacks of the run, or a tracer of the process."""
    manager: Any = loop.manager
    heard = [] if manager is None else manager.inheritable_handlers
    if any(not isinstance(handler, ModelWatcher | ToolRuns) for handler in heard):
        return True
    return bool(CallbackManager.configure().handlers)


class _Elsewhere:
    """Stands for an object that only the step has: whoever uses it needs the step."""

    def __init__(self, refuse: Callable[[str], NoReturn], what: str) -> None:
        def used(*arguments: Any, **options: Any) -> NoReturn:
            refuse(what)

        self.__dict__["_used"] = used

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):  # asked by Python itself, to copy or to show it
            raise AttributeError(name)
        return self._used()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._used()

    def __getitem__(self, key: Any) -> Any:
        return self._used()

    def __iter__(self) -> Any:
        return self._used()

    def __str__(self) -> str:
        return str(self._used())

    def __bool__(self) -> bool:
        return bool(self._used())


class _Refusing(BaseCallbackHandler):
    """Hears what others would have heard, and ends the early execution with it."""

    run_inline = True

    def __init__(self, refuse: Callable[[str], NoReturn]) -> None:
        def heard(*arguments: Any, **options: Any) -> None:
            refuse("emits events that somebody listens to")

        for event in _EVENTS:
            setattr(self, event, heard)


_EVENTS = (
    "on_llm_start",
    "on_chat_model_start",
    "on_chain_start",
    "on_tool_start",
    "on_retriever_start",
    "on_text",
    "on_retry",
    "on_custom_event",
)
