"""Specs: what a node may declare of a list that it reads, and what becomes of that list when it is finished.

Owns the meaning of each declaration on plain LangGraph, which is what it means everywhere: an accelerated run may only
begin sooner.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Literal, get_args

from alto_lg.engine.ancestry import Ancestry

Order = Literal["commit", "arrival"]


def _shown(spec: First | PerGroup) -> str:
    """A spec as text that is the same in every process: functions by their names."""
    values = {one.name: getattr(spec, one.name) for one in fields(spec)}
    texts = (f"{name}={getattr(value, '__name__', repr(value))}" for name, value in values.items())
    return f"{type(spec).__name__}({', '.join(texts)})"


@dataclass(frozen=True, slots=True)
class First:
    """The first `count` items of a list, in LangGraph's order; with `where`, of those for which it is true.

    The node gets a list of at most `count` items, and may start when they are known, though later ones are not.
    `where` is called with one item, may be called more than once, and must depend on nothing else.
    """

    count: int
    where: Callable[[Any], object] | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"First(count) must be 0 or more, got {self.count}")

    def __repr__(self) -> str:
        return _shown(self)

    def of(self, items: Iterable[Any]) -> list[Any]:
        """The items themselves."""
        return list(islice(filter(self.where, items) if self.where else iter(items), self.count))


@dataclass(frozen=True, slots=True)
class Stream:
    """The items of a list one by one, as an (async) iterator, while others still write it.

    Of a value that is no list, under a reducer that commutes (`alto_lg.reducers`), it gives what that is so far, each
    time that it has grown, and at last what it is in the end. A node's result may depend on the last one only.

    order: "commit" gives them in LangGraph's order; "arrival" as they come, for a node to which order is nothing.
    """

    order: Order = "commit"

    def __post_init__(self) -> None:
        if self.order not in get_args(Order):
            raise ValueError(f"Stream(order) must be 'commit' or 'arrival', got {self.order!r}")

    def of(self, items: Any) -> Items:
        """The iterator over a finished list, or over another value alone."""
        return Items(items if isinstance(items, list) else [items])


@dataclass(frozen=True, slots=True)
class PerGroup:
    """A join over one level: the node runs once for each group of a list, when that group is complete.

    In each call the key holds the group's items only, as a `Group`, whose `key` says which one it is. The updates of
    the calls are folded into one, in the order of the groups: by reducer, or else the last value counts.

    level: the node each of whose firings makes a group of its own: everything that its packets, and theirs in turn,
        write to the list. That group is complete when none of them is left to write.
    by: what the items of one group have in common: a function of an item, or the name of a field of it. All items with
        one value must come from below one firing of `level`, or from before it.
    groups: the keys of all groups, in order, as a function of the state, if there may be groups without items; without
        it, the groups are those that have some, in the order of their first items.
    """

    level: str
    by: Callable[[Any], Hashable] | str
    groups: Callable[[Any], Iterable[Hashable]] | None = None

    def __repr__(self) -> str:
        return _shown(self)

    def key_of(self, item: Any) -> Hashable:
        """The group that an item belongs to."""
        if callable(self.by):
            return self.by(item)
        return item[self.by] if isinstance(item, Mapping) else getattr(item, self.by)  # type: ignore[no-any-return]

    def of(self, items: Iterable[Any], state: Any) -> list[Group]:
        """All groups of a finished list."""
        found: dict[Hashable, list[Any]] = {key: [] for key in (self.groups(state) if self.groups else ())}
        for item in items:
            found.setdefault(self.key_of(item), []).append(item)
        return [Group(key, members) for key, members in found.items()]


Reading = First | Stream | PerGroup


class Group(list[Any]):
    """The items of one group, in LangGraph's order. `key`: what they have in common."""

    def __init__(self, key: Hashable, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.key = key


class Items:
    """An iterator over the items of a list. `ancestry`: of the firing that wrote the item given last, where known."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items: Sequence[Any] = list(items)
        self._given = 0
        self.ancestry: Ancestry | None = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._given >= len(self._items):
            raise StopIteration
        self._given += 1
        return self._items[self._given - 1]

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None
