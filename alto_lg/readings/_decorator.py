"""The decorator: a node says that a part of a list is enough for it, or that it takes the list piece by piece."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from alto_lg.adapters.langgraph.partials import folding_for
from alto_lg.hints import READINGS
from alto_lg.readings._groups import arun_groups, run_groups
from alto_lg.readings._live import LiveItems, LiveValue
from alto_lg.readings._specs import Group, PerGroup, Reading, Stream

NodeFunction = TypeVar("NodeFunction", bound=Callable[..., Any])

_MISSING = object()


def reading(**keys: Reading) -> Callable[[NodeFunction], NodeFunction]:
    """Declare that a node takes the list under a state key in part, or piece by piece.

        @alto_lg.reading(passages=alto_lg.First(10, where=is_relevant))
        async def draft(state): ...  # state["passages"] has ten items at most

        @alto_lg.reading(passages=alto_lg.Stream())
        async def digest(state):
            async for passage in state["passages"]: ...

        @alto_lg.reading(evidence=alto_lg.PerGroup("check_claim", by="claim"))
        async def judge(state): ...  # once for each claim; state["evidence"] has the items of that one

    On plain LangGraph the node gets all of this out of the finished list. Accelerated, it starts when the part is
    known, though others still write the rest. That needs a reducer that only appends (`operator.add` on a list, or
    `alto_lg.reducers.concatenate`); with another one, and for sync functions with `Stream` and `PerGroup`, the node
    waits for the list as ever.

    Raises:
        TypeError: A key is declared as something else, more than one as `PerGroup`, or `PerGroup` beside `Stream`; or
            the decorated function is a generator function.
    """
    for key, declared in keys.items():
        if not isinstance(declared, Reading):
            raise TypeError(
                f"reading({key}=…) got {type(declared).__name__}; "
                "pass an alto_lg.First, an alto_lg.Stream or an alto_lg.PerGroup"
            )
    grouped = [key for key, declared in keys.items() if isinstance(declared, PerGroup)]
    streamed = [key for key, declared in keys.items() if isinstance(declared, Stream)]
    if not keys or len(grouped) > 1 or (grouped and streamed):
        raise TypeError(
            "reading() takes one state key or more, at most one of them with PerGroup, and none with Stream beside it; "
            f"got {', '.join(f'{key}={declared!r}' for key, declared in keys.items()) or 'none'}"
        )

    def declare(function: NodeFunction) -> NodeFunction:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"alto_lg.reading got the generator function {function.__name__!r}: put @alto_lg.streaming between them"
            )
        made = _asynchronous(function, keys) if inspect.iscoroutinefunction(function) else _synchronous(function, keys)
        setattr(made, READINGS, dict(keys))
        return cast(NodeFunction, made)

    return declare


def readings_of(function: object) -> Mapping[str, Reading]:
    """What was declared with `reading` on a function; nothing for any other object."""
    found = getattr(function, "__dict__", {}).get(READINGS)
    return found if isinstance(found, dict) else {}


def _asynchronous(function: Callable[..., Any], keys: Mapping[str, Reading]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def read(state: Any, *arguments: Any, **options: Any) -> Any:
        given = _Given(state, keys)
        if given.groups is None:
            return await function(given.state, *arguments, **options)
        key, spec, items = given.groups

        async def call(group: Group) -> Any:
            return await function(_with(given.state, {key: group}), *arguments, **options)

        return _folded(function, await arun_groups(spec, items, given.state, call))

    return read


def _synchronous(function: Callable[..., Any], keys: Mapping[str, Reading]) -> Callable[..., Any]:
    @functools.wraps(function)
    def read(state: Any, *arguments: Any, **options: Any) -> Any:
        given = _Given(state, keys)
        if given.groups is None:
            return function(given.state, *arguments, **options)
        key, spec, items = given.groups

        def call(group: Group) -> Any:
            return function(_with(given.state, {key: group}), *arguments, **options)

        return _folded(function, run_groups(spec, items, given.state, call))

    return read


class _Given:
    """What a node gets for its state, and the list that it is to be run on group by group."""

    def __init__(self, state: Any, keys: Mapping[str, Reading]) -> None:
        self.groups: tuple[str, PerGroup, Any] | None = None
        parts: dict[str, Any] = {}
        for key, spec in keys.items():
            items = _value(state, key)
            if items is _MISSING:
                continue
            if isinstance(spec, PerGroup):
                self.groups = key, spec, items
            elif isinstance(items, LiveItems | LiveValue):
                parts[key] = items.iterator()
            else:
                parts[key] = spec.of(items)
        self.state = _with(state, parts)


def _value(state: Any, key: str) -> Any:
    if isinstance(state, Mapping):
        return state.get(key, _MISSING)
    return getattr(state, key, _MISSING)


def _with(state: Any, values: Mapping[str, Any]) -> Any:
    """A copy of the state, whatever its class, with other values under some keys."""
    made = copy.copy(state)
    for key, value in values.items():
        if isinstance(made, dict):
            made[key] = value
        else:
            object.__setattr__(made, key, value)  # not validated: a model's field is declared as a list
    return made


def _folded(function: Callable[..., Any], updates: list[Any]) -> Any:
    folding = folding_for(function)
    for update in updates:
        folding.add(update)
    return folding.result
