"""Plans: small plans, written as one line a stage.

Owns the shorthand only. Always true: what is not said of a stage is that it does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alto_lg.engine.facts import Evidence, Fact, Keys
from alto_lg.engine.firing import Firing
from alto_lg.engine.messages import Conditions
from alto_lg.engine.plan import Join, Plan, Stage

Names = str | Iterable[str]
"""Names in one string, parted by spaces, or one by one."""


def fact(names: Names = (), evidence: Evidence = Evidence.CODE) -> Fact:
    return Fact(Keys.of(_names(names)), evidence, "the test says so")


def stage(
    name: str,
    *,
    reads: Names = (),
    routes: Names = (),
    writes: Names = (),
    mutates: Names = (),
    certain: Names = (),
    may: Names = (),
    **rest: Any,
) -> Stage:
    """A stage. `certain` are edges without a condition, `may` is where it may go besides."""
    return Stage(
        name,
        reads=fact(reads),
        route_reads=fact(routes),
        writes=fact(writes),
        mutates=fact(mutates),
        certain=frozenset(_names(certain)),
        successors=frozenset([*_names(certain), *_names(may)]),
        **rest,
    )


def plan(*stages: Stage, joins: Iterable[Join] = (), keys: Names = (), in_place: Names = ()) -> Plan:
    """A plan over the keys that its stages name, and `keys`; those `in_place` are reduced in place."""
    named = {
        key
        for one in stages
        for about in (one.reads, one.route_reads, one.writes, one.mutates)
        for key in about.keys.names or ()
    }
    universe = frozenset(named.union(_names(keys)))
    return Plan({one.name: one for one in stages}, universe, tuple(joins), frozenset(_names(in_place)))


def join(sources: Names, target: str) -> Join:
    names = frozenset(_names(sources))
    return Join(f"join:{'+'.join(sorted(names))}:{target}", names, target)


def conditions(**changes: Any) -> Conditions:
    """A run that allows everything for a hundred steps."""
    return Conditions(**{"last_step": 100, "max_steps_ahead": 100, **changes})


@dataclass(slots=True)
class Known:
    """What the rules ask about values, answered from sets.

    opaque: keys that cannot be computed ahead. changeable_keys: keys whose values could be changed in place.
    shared: packets that others hold, too; True for all of them. enough: keys of which any part is.
    """

    opaque: frozenset[str] = frozenset()
    changeable_keys: frozenset[str] = frozenset()
    shared: bool = False
    enough: frozenset[str] = frozenset()
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def computable(self, keys: frozenset[str], step: int) -> bool:
        self.asked.append({"keys": keys, "step": step})
        return self.opaque.isdisjoint(keys)

    def changeable(self, keys: frozenset[str], step: int) -> bool:
        self.asked.append({"keys": keys, "step": step})
        return not self.changeable_keys.isdisjoint(keys)

    def suffices(self, firing: Firing, key: str) -> bool:
        return key in self.enough

    def packet_shared(self, firing: Firing) -> bool:
        assert firing.is_push
        return self.shared


def _names(names: Names) -> list[str]:
    return names.split() if isinstance(names, str) else list(names)
