"""Reducers: ready-made ways to aggregate what nodes write to one state key.

    class State(TypedDict):
        passages: Annotated[list[str], reducers.concatenate]
        best: Annotated[list[dict], reducers.top(3, by="score")]
        seen: Annotated[int, reducers.count]

They are plain functions of two values, for any LangGraph graph, accelerated or not. Each is associative, so that the
updates of one node can be folded before they are applied, and changes nothing in place. `commutes(reducer)` says
whether the order of the updates makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from heapq import nlargest
from itertools import islice
from typing import Any

Reducer = Callable[[Any, Any], Any]

_COMMUTES = "__alto_commutes__"


def commutes(reducer: object) -> bool:
    """Whether the order in which updates come makes no difference to a reducer of this module."""
    return bool(getattr(reducer, _COMMUTES, False))


def _commuting(reducer: Reducer) -> Reducer:
    setattr(reducer, _COMMUTES, True)
    return reducer


def concatenate(before: list[Any], update: list[Any]) -> list[Any]:
    """Lists, one after the other, in LangGraph's order."""
    return [*before, *update]


@_commuting
def count(before: Any, update: Any) -> int:
    """How many items there were: a number is added as it is, of a collection its length, of None nothing."""
    return _size(before) + _size(update)


@_commuting
def total(before: Any, update: Any) -> Any:
    """The sum of numbers."""
    return before + update


@_commuting
def union(before: Iterable[Any], update: Iterable[Any]) -> set[Any]:
    """The set of all items."""
    return {*before, *update}


def distinct(before: Iterable[Any], update: Iterable[Any]) -> list[Any]:
    """All different items, as a list, in the order in which each came first."""
    return list(dict.fromkeys((*before, *update)))


def first(limit: int) -> Reducer:
    """The first `limit` items, in LangGraph's order."""
    return partial(_first, _checked("first", limit))


def top(limit: int, *, by: Callable[[Any], Any] | str | None = None) -> Reducer:
    """The `limit` greatest items, greatest first; of equal ones, those that came first.

    by: what to compare: a function of an item, or the name of a field of it; the item itself if it is None.
    """
    return partial(_top, _checked("top", limit), by)


def keep(where: Callable[[Any], object]) -> Reducer:
    """The items for which `where` is true, in LangGraph's order."""
    return partial(_keep, where)


def _first(limit: int, before: list[Any], update: list[Any]) -> list[Any]:
    return list(islice((*before, *update), limit))


def _top(limit: int, by: Any, before: list[Any], update: list[Any]) -> list[Any]:
    return nlargest(limit, (*before, *update), key=_value_of(by))


def _keep(where: Callable[[Any], object], before: list[Any], update: list[Any]) -> list[Any]:
    return [*before, *filter(where, update)]


def _value_of(by: Callable[[Any], Any] | str | None) -> Callable[[Any], Any] | None:
    if isinstance(by, str):
        return lambda item: item[by] if isinstance(item, Mapping) else getattr(item, by)
    return by


def _size(value: Any) -> int:
    if value is None:
        return 0
    return value if isinstance(value, int) else len(value)


def _checked(name: str, limit: int) -> int:
    if limit < 0:
        raise ValueError(f"reducers.{name}(limit) must be 0 or more, got {limit}")
    return limit
