"""Programs: random plans with code in them, which does the same for the same input.

Owns the Hypothesis strategy. Always true:
  what a stage does follows from the program's seed, its name and what it was given, and from nothing else;
  packets carry fuel, so that every program ends well before it grows out of hand.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from hypothesis import strategies as st

from alto_lg.engine.plan import Plan, Stage
from engine.driver import Deed, Parcel, Program, State, Target
from engine.plans import join, plan, stage

NAMES = ("m", "b", "x", "d", "a", "k", "c")  # their order as text is not the order in which they are connected
KEYS = ("p", "q", "r")
FUEL = 3


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A program of up to seven stages; the first one starts it, and may be gone back to."""
    names = NAMES[: draw(st.integers(3, len(NAMES)))]
    seed = draw(st.integers(0, 10_000))
    stages = [draw(_stages(name, names)) for name in names]
    joins = draw(
        st.lists(
            st.builds(
                join,
                st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True),
                st.sampled_from(names),
            ),
            max_size=2,
            unique_by=lambda one: one.channel,
        )
    )
    stages = [_behind_joins(one, [made.target for made in joins if one.name in made.sources]) for one in stages]
    made = plan(*stages, joins=joins, keys=KEYS)
    routed = draw(st.sets(st.sampled_from(names)))
    return Program(
        made,
        names[0],
        bodies={name: partial(_body, made, seed, name, name in routed) for name in names},
        routes={name: partial(_route, made, seed, name) for name in routed},
    )


@st.composite
def _stages(draw: st.DrawFn, name: str, names: Sequence[str]) -> Stage:
    keys = st.sets(st.sampled_from(KEYS), max_size=2)
    reads = draw(keys)
    others = st.sets(st.sampled_from(names), max_size=2)
    return stage(
        name,
        reads=reads,
        routes=draw(st.sets(st.sampled_from(KEYS), max_size=1)),
        writes=draw(keys),
        mutates=draw(st.sets(st.sampled_from(sorted(reads)))) if reads else (),
        certain=draw(others),
        may=draw(others),
        **draw(_traits()),
    )


@st.composite
def _traits(draw: st.DrawFn) -> dict[str, Any]:
    """What few stages are: most draw nothing."""
    names = ("barrier", "pure", "touches_store", "gate_at_start", "may_interrupt", "never_early")
    name = draw(st.sampled_from((*[None] * 12, *names)))
    if name is None:
        return {}
    return {name: "the test says so" if name == "never_early" else True}


def _behind_joins(one: Stage, targets: Sequence[str]) -> Stage:
    return stage(
        one.name,
        reads=one.reads.keys.within(KEYS),
        routes=one.route_reads.keys.within(KEYS),
        writes=one.writes.keys.within(KEYS),
        mutates=one.mutates.keys.within(KEYS),
        certain=one.certain,
        may=one.successors.union(targets),
        never_early=one.never_early,
        barrier=one.barrier,
        pure=one.pure,
        touches_store=one.touches_store,
        may_interrupt=one.may_interrupt,
        gate_at_start=one.gate_at_start,
    )


def _body(made: Plan, seed: int, name: str, routed: bool, given: Any) -> Deed:
    one = made.stages[name]
    shown = (given.payload, given.fuel) if isinstance(given, Fuelled) else given
    chance = _Chance(seed, name, "body", shown)
    writes = {key: chance(1000) for key in sorted(one.writes.keys.within(KEYS)) if chance(4)}
    fuel = given.fuel if isinstance(given, Fuelled) else FUEL
    return Deed(writes, () if routed else _targets(made, one, chance, fuel))


def _route(made: Plan, seed: int, name: str, seen: State) -> Sequence[Target]:
    # A route does not see the packet, so its packets have little fuel.
    return _targets(made, made.stages[name], _Chance(seed, name, "route", seen), 1)


def _targets(made: Plan, one: Stage, chance: _Chance, fuel: int) -> list[Target]:
    # A join's target that is no other successor is reached through the join alone.
    joined = {join.target for join in made.joins if one.name in join.sources}
    found: list[Target] = []
    for name in sorted(one.successors - one.certain - joined):
        kind = chance(4)
        if kind == 1:
            found.append(name)
        if kind >= 2 and fuel > 0:
            found += [Parcel(name, Fuelled(chance(1000), fuel - 1)) for _ in range(kind - 1)]
    return found


class Fuelled:
    """The payload of a packet: a number, and how many more hops it may go. Equal by content."""

    def __init__(self, payload: int, fuel: int) -> None:
        self.payload, self.fuel = payload, fuel

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fuelled) and (self.payload, self.fuel) == (other.payload, other.fuel)

    def __hash__(self) -> int:
        return hash((self.payload, self.fuel))

    def __repr__(self) -> str:
        return f"Fuelled({self.payload}, {self.fuel})"


class _Chance:
    """Numbers that follow from what it is made with."""

    def __init__(self, *material: Any) -> None:
        self._state = zlib.crc32(repr(material).encode())

    def __call__(self, below: int) -> int:
        self._state = zlib.crc32(b"again", self._state)
        return (self._state >> 8) % below
