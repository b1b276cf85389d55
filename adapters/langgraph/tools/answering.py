"""Answering: where the innermost function of a tool takes an early result in the place of running.

Owns the two places in which that can happen: a function that is declared repeatable, and a tool that answers for
another one. Always true:
  outside of a run that has early results, and for a call that has none, they do what they did;
  all around them is LangChain's and LangGraph's: events, errors, messages, middleware.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, Protocol, TypeVar, cast, get_type_hints
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode

from alto_lg.adapters.langgraph.config_keys import TOOLS
from alto_lg.adapters.langgraph.internals import CONF
from alto_lg.adapters.langgraph.tools.results import Arguments, EarlyResult, Raised, Returned, Stopped, Wait
from alto_lg.hints import REPEATABLE

_RUN_MANAGER = ("run_manager", "callbacks")

AnyTool = TypeVar("AnyTool", bound=BaseTool)


class Early(Protocol):
    """The early results of a run, as the calls of its steps see them."""

    def take(self, who: object, arguments: Arguments, wait: Wait, tool_run: UUID | None) -> EarlyResult | None: ...

    def used(self, early: EarlyResult) -> None: ...

    def given_up(self, early: EarlyResult) -> None: ...


class _NoEarlyResults:
    """For a run inside of another: what that one started is not this one's."""

    def take(self, who: object, arguments: Arguments, wait: Wait, tool_run: UUID | None) -> EarlyResult | None:
        return None

    def used(self, early: EarlyResult) -> None:
        raise AssertionError("nothing was taken")

    given_up = used


NO_EARLY_RESULTS: Early = _NoEarlyResults()


# ── functions ───────────────────────────────────────────────────────────────────────────────────────────────────


def repeatable_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which may be answered from an early result."""
    around = surroundings_of(function)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*positional: Any, **named: Any) -> Any:
            return await _aanswer(awaited, around, function, positional, named)

        answering: Callable[..., Any] = awaited
    else:

        @functools.wraps(function)
        def called(*positional: Any, **named: Any) -> Any:
            return _answer(called, around, function, positional, named)

        answering = called
    setattr(answering, REPEATABLE, function)
    return answering


def is_repeatable(thing: object) -> bool:
    """Whether a function, or a tool or its function, was declared repeatable."""
    if isinstance(thing, FunctionType):
        return hasattr(thing, REPEATABLE)
    if isinstance(thing, BaseTool):
        return issubclass(type(thing), _Declared) or any(map(is_repeatable, functions_of(thing)))
    return False


def surroundings_of(function: Callable[..., Any]) -> frozenset[str]:
    """Parameters by which a function gets what is around its call, and no argument of it."""
    parameters = inspect.signature(function).parameters
    names = {name for name in _RUN_MANAGER if name in parameters}
    config = config_parameter(function)
    if config is not None:
        names.add(config)
    return frozenset(names)


def config_parameter(function: Callable[..., Any]) -> str | None:
    """The parameter that LangChain hands the config to: the first one of exactly that type."""
    try:
        hints = get_type_hints(function)
    except Exception:  # annotations that cannot be resolved: LangChain finds none either
        return None
    return next((name for name, hint in hints.items() if hint is RunnableConfig), None)


def is_of_mcp(function: object) -> bool:
    """Whether the function calls a tool of an MCP server."""
    return getattr(function, "__module__", "") == "langchain_mcp_adapters.tools"


def injected_for_interceptors(tool: BaseTool) -> frozenset[str]:
    """A parameter that the tools of MCP servers have for the interceptors around them, and do not send."""
    return frozenset({"runtime"} if any(map(is_of_mcp, functions_of(tool))) else ())


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Answering:
    """Mixed into the twin of a tool's class."""


class _Declared(_Answering):
    """The same, where the user declared the tool repeatable."""


def answering_tool(tool: AnyTool, *, declared: bool) -> AnyTool:
    """The same tool (its fields are shared, not copied), which may be answered from an early result."""
    if isinstance(tool, _Declared) or (isinstance(tool, _Answering) and not declared):
        return tool
    twin = object.__new__(_twin(_base(type(tool)), declared))
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
        object.__setattr__(twin, slot, getattr(tool, slot, None))
    return cast(AnyTool, twin)


def identity_of(tool: BaseTool) -> object:
    """What a tool and the tools that answer for it have in common."""
    return vars(tool)


def who_answers(tool: BaseTool) -> list[object]:
    """What the step may call when it calls this tool."""
    return [identity_of(tool), *filter(is_repeatable, functions_of(tool))]


def functions_of(tool: BaseTool) -> list[Any]:
    """The functions that a tool was made of, if of any."""
    return [function for name in ("func", "coroutine") if (function := getattr(tool, name, None)) is not None]


def _base(made: type[BaseTool]) -> type[BaseTool]:
    return next(base for base in made.__mro__ if issubclass(base, BaseTool) and not issubclass(base, _Answering))


@cache
def _twin(base: type[BaseTool], declared: bool) -> type[BaseTool]:
    mixin = _Declared if declared else _Answering
    names: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "__reduce_ex__": lambda tool, protocol: (_again, (_untwinned(tool, base), declared)),
        "_run": _answering_run(base._run),
    }
    if base._arun is not BaseTool._arun:  # LangChain asks by this whether a tool has a coroutine of its own
        names["_arun"] = _answering_arun(base._arun)
    return type(base.__name__, (mixin, base), names)


def _answering_run(method: Any) -> Any:
    around = surroundings_of(method)

    @functools.wraps(method)
    def _run(self: BaseTool, *positional: Any, **named: Any) -> Any:
        aside = around | injected_for_interceptors(self)
        return _answer(identity_of(self), aside, functools.partial(method, self), positional, named)

    return _run


def _answering_arun(method: Any) -> Any:
    around = surroundings_of(method)

    @functools.wraps(method)
    async def _arun(self: BaseTool, *positional: Any, **named: Any) -> Any:
        aside = around | injected_for_interceptors(self)
        return await _aanswer(identity_of(self), aside, functools.partial(method, self), positional, named)

    return _arun


def _untwinned(tool: BaseTool, base: type[BaseTool]) -> BaseTool:
    plain = object.__new__(base)
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
        object.__setattr__(plain, slot, getattr(tool, slot, None))
    return plain


def _again(tool: BaseTool, declared: bool) -> BaseTool:
    return answering_tool(tool, declared=declared)


# ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────────────


RUNS_TWINS = all(hasattr(ToolNode, name) for name in ("_execute_tool_sync", "_execute_tool_async"))
"""Whether a `ToolNode` of this version executes tools where a twin can be put in their place."""


def answering_node(bound: Any) -> Any:
    """A `ToolNode` whose tools of MCP servers may be answered from early results; anything else as it is.

    Middleware and the tools themselves see the tools that the user gave; only what is executed at last is a twin.
    """
    if not RUNS_TWINS or not isinstance(bound, ToolNode) or not any(map(says_repeatable, bound.tools_by_name.values())):
        return bound
    made = object.__new__(_node_class(type(bound)))
    vars(made).update(vars(bound))
    for name in ("func", "afunc"):  # bound to the node that was copied
        method = getattr(bound, name)
        if getattr(method, "__self__", None) is bound:
            setattr(made, name, getattr(made, method.__name__))
    return made


def says_repeatable(tool: BaseTool) -> bool:
    """Whether the MCP server that a tool is of says that it reads only, or that calling it again changes nothing."""
    hints = tool.metadata or {}
    told = hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True
    return told and any(map(is_of_mcp, functions_of(tool)))


@cache
def _node_class(base: type[ToolNode]) -> type[ToolNode]:
    class Answering(base):  # type: ignore[misc, valid-type]
        def _execute_tool_sync(self, request: Any, *arguments: Any, **options: Any) -> Any:
            return super()._execute_tool_sync(_answered(request), *arguments, **options)

        async def _execute_tool_async(self, request: Any, *arguments: Any, **options: Any) -> Any:
            return await super()._execute_tool_async(_answered(request), *arguments, **options)

    Answering.__name__, Answering.__qualname__ = base.__name__, base.__qualname__
    Answering.__module__, Answering.__doc__ = base.__module__, base.__doc__
    return Answering


def _answered(request: Any) -> Any:
    if request.tool is None or not says_repeatable(request.tool):
        return request
    return request.override(tool=answering_tool(request.tool, declared=False))


# ── taking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _taken(who: object, arguments: Arguments, wait: Wait) -> tuple[Early, EarlyResult] | None:
    config: Any = var_child_runnable_config.get()
    results: Early | None = config[CONF].get(TOOLS) if config and CONF in config else None
    if results is None:
        return None
    # LangChain runs a tool under a config whose callbacks are children of the tool's own run.
    tool_run = getattr(config.get("callbacks"), "parent_run_id", None)
    early = results.take(who, arguments, wait, tool_run)
    return None if early is None else (results, early)


def _arguments(around: frozenset[str], positional: tuple[Any, ...], named: dict[str, Any]) -> Arguments:
    return Arguments(positional, {name: value for name, value in named.items() if name not in around})


def _answer(
    who: object, around: frozenset[str], run: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    found = _taken(who, _arguments(around, positional, named), Wait.THREAD)
    if found is not None:
        results, early = found
        answer = early.answer.result()
        if answer is not None:
            return _given(results, early, answer)
    return run(*positional, **named)


async def _aanswer(
    who: object, around: frozenset[str], run: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    found = _taken(who, _arguments(around, positional, named), Wait.TASK)
    if found is not None:
        results, early = found
        try:
            answer = await asyncio.wrap_future(early.answer)
        except asyncio.CancelledError:
            results.given_up(early)
            raise
        if answer is not None:
            return _given(results, early, answer)
    return await run(*positional, **named)


def _given(results: Early, early: EarlyResult, answer: Returned | Raised | Stopped) -> Any:
    if isinstance(answer, Stopped):
        raise asyncio.CancelledError("the run is over")
    results.used(early)
    if isinstance(answer, Raised):
        raise answer.error
    return answer.value
