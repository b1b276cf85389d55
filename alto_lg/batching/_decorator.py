"""The decorator: a function of a list of inputs becomes a node of one input."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeVar, get_args, get_origin, get_type_hints, overload

from alto_lg.adapters.langgraph.internals import KWARGS_CONFIG_KEYS
from alto_lg.batching._batching import Batching
from alto_lg.engine.batching import BatchLimits
from alto_lg.hints import BATCHED, READINGS, STREAMING

Input = TypeVar("Input")
Output = TypeVar("Output")
Given = TypeVar("Given", contravariant=True)
Gets = TypeVar("Gets", covariant=True)

_Kind = inspect.Parameter

_INJECTED = frozenset(name for name, *_ in KWARGS_CONFIG_KEYS)


class BatchedNode(Protocol[Given, Gets]):
    """A function of one input, which LangGraph takes for a node by the name of its parameter."""

    def __call__(self, state: Given) -> Gets: ...


class Batched(Protocol):
    """What `batched(...)` gives to decorate a function with."""

    @overload
    def __call__(
        self, function: Callable[[list[Input]], Awaitable[list[Output]]], /
    ) -> BatchedNode[Input, Awaitable[Output]]: ...

    @overload
    def __call__(self, function: Callable[[list[Input]], list[Output]], /) -> BatchedNode[Input, Output]: ...


def batched(*, max_size: int, max_wait_ms: float = 10.0, max_calls: int | None = None) -> Batched:
    """Make a node of a function that takes a list of inputs and returns a list with one output for each.

        @alto_lg.batched(max_size=64)
        def embed(states: list[State]) -> list[dict]:
            vectors = model.encode([state["text"] for state in states])
            return [{"vector": vector} for vector in vectors]

        builder.add_node(embed)

    Each firing of the node brings one input. Firings that are under way together, of one run (a fan-out of `Send`s) and
    of all runs at the time, share a call. With no call under way, a call starts at once: an input waits only while
    another call runs. Anything else than a node may call the function, too: `await score(text)`.

    Inputs that come on one event loop share calls, and so do inputs that come in threads (`invoke`). A plain function
    is called in a thread. The function runs in an empty context, because it has inputs of many runs: `get_config()`,
    callbacks, and context variables that somebody has set are not there.

    An output that is an exception is raised for its input alone. If the function itself raises, all inputs of that call
    fail with it; under `@alto_lg.repeatable`, it is called again with each half of them, until only those fail that
    fail alone. An output must depend on its own input alone.

    Args:
        max_size: Inputs in one call, at most.
        max_wait_ms: Milliseconds that an input waits for others while another call is under way, at most; with
            `math.inf` until none is.
        max_calls: Calls under way at a time; an input waits for one of them to end, however long. By default one for a
            plain function, which needs the processor, and any number for an async one.

    Raises:
        TypeError: It is no function of one list: a generator function, one with further parameters that have no
            default, or that LangGraph would fill in (`config`, `runtime`, `store`, `writer`, …).
        ValueError: `max_size` or `max_calls` is less than 1, or `max_wait_ms` less than 0.
    """
    for name, limit in (("max_size", max_size), ("max_calls", max_calls)):
        if limit is not None and limit < 1:
            raise ValueError(f"alto_lg.batched got {name}={limit!r}: give 1 or more")
    if math.isnan(max_wait_ms) or max_wait_ms < 0:
        raise ValueError(f"alto_lg.batched got max_wait_ms={max_wait_ms!r}: give milliseconds, 0 or more")

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        parameter = _parameter(function)
        is_async = inspect.iscoroutinefunction(function)
        calls = 1 if max_calls is None and not is_async else max_calls
        batching = Batching(function, function.__name__, BatchLimits(max_size, max_wait_ms / 1000, calls))
        node = _asynchronous(batching) if is_async else _synchronous(batching)
        setattr(node, BATCHED, batching)
        _annotate(node, function, parameter)
        return node

    return declare


def _asynchronous(batching: Batching) -> Callable[..., Any]:
    @functools.wraps(batching.function)
    async def one(state: Any) -> Any:
        return await batching.acall(state)

    return one


def _synchronous(batching: Batching) -> Callable[..., Any]:
    @functools.wraps(batching.function)
    def one(state: Any) -> Any:
        return batching.call(state)

    return one


def _parameter(function: object) -> inspect.Parameter:
    """The one that takes the list.

    Raises:
        TypeError: There is no such parameter, or another one that nobody will fill in.
    """
    if not (inspect.isfunction(function) or inspect.ismethod(function)):
        kind = function.__name__ if isinstance(function, type) else type(function).__name__
        raise TypeError(f"alto_lg.batched is for functions and bound methods, and got {kind}")
    name = function.__name__
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"alto_lg.batched got the generator function {name!r}: let it return a list with all outputs")
    for mark, maker in ((STREAMING, "streaming"), (READINGS, "reading"), (BATCHED, "batched")):
        if mark in vars(function):
            raise TypeError(
                f"alto_lg.batched got {name!r}, which takes one input, because alto_lg.{maker} has made it: "
                f"decorate a function of a list of inputs{', and put reading above' if maker == 'reading' else ''}"
            )
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (_Kind.POSITIONAL_ONLY, _Kind.POSITIONAL_OR_KEYWORD):
        raise TypeError(f"alto_lg.batched got {name!r}, which takes no input: give it one parameter, for the list")
    first, *others = parameters
    for other in others:
        if other.name in _INJECTED:
            raise TypeError(
                f"alto_lg.batched got {name!r}, which asks for {other.name!r}: its inputs are those of many runs, "
                "each with its own. Put what it needs of it into the input, in the node before or in an async node "
                f"that awaits {name}()"
            )
        if other.default is other.empty and other.kind not in (_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD):
            raise TypeError(
                f"alto_lg.batched got {name!r}, whose parameter {other.name!r} nobody fills in: it takes one list of "
                "inputs. Of a method, decorate the bound one: self.embed = alto_lg.batched(max_size=…)(self.embed)"
            )
    return first


def _annotate(node: Callable[..., Any], function: Callable[..., Any], parameter: inspect.Parameter) -> None:
    """Say of the node what is said of the items of the function's lists: LangGraph takes a node's schema from that."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception:  # names that are not there (yet): LangGraph then takes the graph's own schema, too
        hints = {}
    item, output = _item(hints.get(parameter.name)), _item(hints.get("return"))
    node.__annotations__ = {name: hint for name, hint in (("state", item), ("return", output)) if hint is not None}
    shown = inspect.signature(node, follow_wrapped=False)
    node.__signature__ = shown  # type: ignore[attr-defined]


def _item(hint: Any) -> Any:
    """The X of list[X], Sequence[X] and the like."""
    origin, arguments = get_origin(hint), get_args(hint)
    return arguments[0] if isinstance(origin, type) and issubclass(origin, Iterable) and len(arguments) == 1 else None
