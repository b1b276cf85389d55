"""Unfinished reads: what early firings are given of lists that others still write.

Owns the values behind `alto_lg.reading`. Always true:
  a list is given in part only where its reducer appends, so that what is known first comes first in the end;
  what is not final (of a promised firing, or of one that still runs) is given only to a firing that then relies on it;
  an early firing that was given a part is adopted only if the finished list agrees with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alto_lg.adapters.langgraph.projection import MISSING, Projection, equal
from alto_lg.adapters.langgraph.reducing import Reducers
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.machine import Machine
from alto_lg.readings import First, LiveGroups, LiveItems, LiveValue, PerGroup, Reading, Stream
from alto_lg.readings import UnfinishedList as Live

Written = Mapping[int, Mapping[str, Sequence[tuple[Firing, Any]]]]
"""What firings that have ended wrote, by step and key, each with the firing, in any order."""


@dataclass(slots=True)
class _Reader:
    """One key of an early firing that was given a part of it. fed: by whom it was written, and what of it."""

    firing: Firing
    key: str
    spec: Reading
    given: Any
    fed: dict[Firing, list[Any]] = field(default_factory=dict)
    done: set[Firing] = field(default_factory=set)  # those of whom there is no more to come
    closed_groups: dict[int, Ancestry] = field(default_factory=dict)  # by identity


class UnfinishedReads:
    """Of one run. readings: what each node declared. live: nodes can wait for more, as on an event loop they can."""

    def __init__(
        self,
        readings: Mapping[str, Mapping[str, Reading]],
        machine: Machine,
        projection: Projection,
        written: Written,
        base: Callable[[], int],
        reducers: Reducers,
        *,
        live: bool,
    ) -> None:
        self._readings = readings
        self._machine = machine
        self._projection = projection
        self._written = written
        self._base = base
        self._reducers = reducers
        self._live = live
        self._readers: list[_Reader] = []
        self._so_far: dict[Firing, Mapping[str, Sequence[Any]]] = {}
        self._replaced: list[tuple[str, Firing]] = []  # lists, and who ended with something else than more items

    def suffices(self, firing: Firing, key: str) -> bool:
        """Whether `firing` may start with what is known of `key`."""
        spec = self._readings[firing.stage.name][key]
        if not self._reducers.appends(key):
            return self._live and self._projection.value(key, self._base()) is not MISSING
        if self._will_be_replaced(key, firing.step):
            return False
        if not isinstance(spec, First):
            return self._live and self._committed(key) is not None
        return self._first(spec, key, firing.step) is not None

    def give(self, firing: Firing, idle: Any) -> dict[str, Any]:
        """What an early firing finds under its unfinished keys. `idle`: entered while it waits for more."""
        given: dict[str, Any] = {}
        self._readers = [reader for reader in self._readers if reader.firing.status is not Status.DROPPED]
        for key in self._machine.unfinished(firing):
            spec = self._readings[firing.stage.name][key]
            reader = _Reader(firing, key, spec, None)
            match spec:
                case First():
                    first = self._first(spec, key, firing.step)
                    assert first is not None, f"{firing} started with too little of {key!r}"
                    given[key], reader.fed = first
                    self._rely(reader)
                case Stream() if not self._reducers.appends(key):
                    given[key] = LiveValue(idle, self._projection.value(key, self._base()))
                case Stream(order):
                    given[key] = LiveItems(idle, in_order=order == "commit")
                    given[key].extend(self._committed(key) or (), None)
                case PerGroup():
                    given[key] = LiveGroups(idle)
            reader.given = given[key]
            self._readers.append(reader)
        self.look()
        return given

    def look(self, ended: Firing | None = None) -> None:
        """Hand on what is known now. ended: what has just become known, if that is all."""
        for reader in self._readers:
            if reader.firing.status is Status.RUNNING and isinstance(reader.given, Live):
                self._feed(reader, ended)

    def wrote_so_far(self, firing: Firing, written: Mapping[str, Sequence[Any]]) -> None:
        """What a firing that still runs has written until now, by key: it may yet end with something else."""
        self._so_far[firing] = written
        self.look(firing)

    def misled(self, ended: Firing) -> list[Firing]:
        """Those who were given what a firing has not written after all, or of a list that it has replaced."""
        self._so_far.pop(ended, None)
        for key in self._written[ended.step]:
            if self._reducers.appends(key) and not all(isinstance(one, list) for one in self._written_by(ended, key)):
                self._replaced.append((key, ended))
        return [reader.firing for reader in self._readers if self._misleads(ended, reader)]

    def agree(self, firing: Firing) -> bool:
        """Whether the finished lists, which LangGraph has now, agree with what an early firing was given of them."""
        mine = [reader for reader in self._readers if reader.firing is firing]
        self._readers = [reader for reader in self._readers if reader.firing is not firing]
        return all(self._agrees(reader) for reader in mine)

    # ── one reader ──────────────────────────────────────────────────────────────────────────────────────────

    def _misleads(self, ended: Firing, reader: _Reader) -> bool:
        if ended.step >= reader.firing.step or isinstance(reader.given, LiveGroups | LiveValue):
            return False  # groups are compared by the node, and of a value only the last one counts
        fed = reader.fed.get(ended, [])
        try:
            return not equal(self._items_of(ended, reader.key)[: len(fed)], fed)
        except TypeError:
            return True

    def _will_be_replaced(self, key: str, step: int) -> bool:
        base = self._base()
        self._replaced = [(which, by) for which, by in self._replaced if by.step >= base]
        return any(which == key and by.step < step and by.status is Status.ENDED for which, by in self._replaced)

    def _rely(self, reader: _Reader) -> None:
        for firing in reader.fed:
            self._machine.rely(reader.firing, firing)

    def _agrees(self, reader: _Reader) -> bool:
        finished = self._projection.value(reader.key, reader.firing.step)
        if isinstance(reader.given, LiveValue):
            return finished is not MISSING and reader.given.close(finished)
        if not isinstance(finished, list):
            return False
        if isinstance(reader.given, Live):
            return reader.given.close(finished)
        assert isinstance(reader.spec, First)
        return equal(reader.spec.of(reader.given), reader.spec.of(finished))

    def _feed(self, reader: _Reader, ended: Firing | None) -> None:
        key, step = reader.key, reader.firing.step
        if reader.given.finished is not None:
            return
        in_order = reader.spec == Stream("commit")
        if key not in self._machine.unfinished(reader.firing):
            if self._projection.computable(key, step):
                self._extend(reader, self._ended(key, step))
                reader.given.close(self._projection.value(key, step))
        elif isinstance(reader.given, LiveValue):
            self._grow(reader)
        elif isinstance(reader.given, LiveGroups):
            self._complete_groups(reader, ended)
        else:
            self._extend(reader, self._machine.prefix(key, step) if in_order else self._writers(key, step))

    def _extend(self, reader: _Reader, firings: Iterable[Firing]) -> None:
        """Items that were not handed on yet."""
        if not isinstance(reader.given, LiveItems):
            return
        for firing in firings:
            if firing in reader.done:
                continue
            fed = reader.fed.setdefault(firing, [])
            try:
                items = self._items_of(firing, reader.key)[len(fed) :]
            except TypeError:
                return  # an Overwrite, or a mistake: the finished list will tell
            if firing.status is Status.ENDED:
                reader.done.add(firing)
            if items:
                fed += items
                self._machine.rely(reader.firing, firing)
                reader.given.extend(items, firing.ancestry)

    def _grow(self, reader: _Reader) -> None:
        """What the value is with all that is known now, in whatever order."""
        key, step, base = reader.key, reader.firing.step, self._base()
        value = self._projection.value(key, base)
        try:
            ended = [firing for firing in self._ended(key, step) if firing.step >= base]
            for firing in ended:
                for written in self._written_by(firing, key):
                    value = self._reducers.applied(key, value, written)
        except Exception:  # an Overwrite, or a mistake: the finished value will tell
            return
        if value is not MISSING and value != reader.given.newest:
            for firing in ended:
                self._machine.rely(reader.firing, firing)
            reader.given.grow(value)

    def _complete_groups(self, reader: _Reader, ended: Firing | None) -> None:
        """Hand on the group of a firing that has ended, if that completes it; without one, all that are complete."""
        spec, key, step = reader.spec, reader.key, reader.firing.step
        assert isinstance(spec, PerGroup)
        of_interest = None if ended is None else ended.ancestry.at(spec.level)
        if ended is not None and (of_interest is None or not self._machine.is_complete(of_interest, key, step)):
            return
        by_group: dict[int, tuple[Ancestry, list[Firing]]] = {}
        for firing in self._ended(key, step):
            group = firing.ancestry.at(spec.level) if firing.is_known else None
            if group is not None and group is (of_interest or group) and id(group) not in reader.closed_groups:
                by_group.setdefault(id(group), (group, []))[1].append(firing)
        for identity, (group, firings) in by_group.items():
            if group is of_interest or self._machine.is_complete(group, key, step):
                reader.closed_groups[identity] = group
                self._complete(reader, spec, firings)

    def _complete(self, reader: _Reader, spec: PerGroup, firings: list[Firing]) -> None:
        groups: dict[Any, list[Any]] = {}
        base = self._base()
        try:
            mine = {spec.key_of(item) for firing in firings for item in self._items_of(firing, reader.key)}
            ahead = [item for one in firings if one.step >= base for item in self._items_of(one, reader.key)]
            for item in (*(self._committed(reader.key) or ()), *ahead):
                found = spec.key_of(item)
                if found in mine:
                    groups.setdefault(found, []).append(item)
        except Exception:  # an Overwrite, or the user's own function: the finished list will tell
            return
        for found, members in groups.items():
            reader.given.complete(found, members)

    # ── what is known ───────────────────────────────────────────────────────────────────────────────────────

    def _committed(self, key: str) -> list[Any] | None:
        value = self._projection.value(key, self._base())
        return value if isinstance(value, list) else None

    def _first(self, spec: First, key: str, step: int) -> tuple[list[Any], dict[Firing, list[Any]]] | None:
        """As many items as are asked for, and who wrote them; None while there are fewer."""
        items = self._committed(key)
        if items is None:
            return None
        items, writers = list(items), dict[Firing, list[Any]]()
        try:
            for firing in (None, *self._machine.prefix(key, step)):
                if firing is not None:
                    writers[firing] = self._items_of(firing, key)
                    items += writers[firing]
                if len(spec.of(items)) >= spec.count:
                    return items, {firing: written for firing, written in writers.items() if written}
        except Exception:  # the node itself will raise it, on the finished list
            return None
        return None

    def _ended(self, key: str, step: int) -> list[Firing]:
        """The firings that wrote to a key before a step and have ended, in LangGraph's order."""
        written = (writer for at in self._written if at < step for writer, _ in self._written[at].get(key, ()))
        ended = dict.fromkeys(firing for firing in written if firing.status is Status.ENDED)
        return sorted(ended, key=lambda firing: firing.ancestry.order)

    def _writers(self, key: str, step: int) -> list[Firing]:
        """The same, and those that have written something so far."""
        running = (firing for firing in self._so_far if firing.step < step and firing.status is Status.RUNNING)
        return [*self._ended(key, step), *running]

    def _written_by(self, firing: Firing, key: str) -> Sequence[Any]:
        if firing in self._so_far:
            return self._so_far[firing].get(key, ())
        written = self._written[firing.step].get(key, ()) if firing.step in self._written else ()
        return [value for writer, value in written if writer is firing]

    def _items_of(self, firing: Firing, key: str) -> list[Any]:
        """The items that a firing wrote.

        Raises:
            TypeError: it wrote something else.
        """
        items: list[Any] = []
        for value in self._written_by(firing, key):
            if not isinstance(value, list):
                raise TypeError(f"{firing.ancestry} wrote {type(value).__name__} to a list")
            items += value
        return items
