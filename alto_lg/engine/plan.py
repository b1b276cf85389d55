"""Plan: the immutable dataflow of one compiled graph, as the engine sees it.

Owns the stages and what is known of each. Always true:
  a stage's successors are all the stages that one of its firings may activate in the next step;
  a stage's writes are all the keys that one of its firings may write when it commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alto_lg.engine.facts import NONE, Advice, Fact, Keys

STORE_KEY = "the store"
"""The graph's store, treated as one more key: whoever may touch it may read and write it."""


@dataclass(frozen=True, slots=True)
class Join:
    """A list edge: `target` fires once, in the step after the last of `sources` has committed."""

    channel: str
    sources: frozenset[str]
    target: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A node as the engine sees it. Each fact carries its evidence.

    reads: keys that its body reads from the state (a PUSH firing reads its packet instead).
    route_reads: keys that its conditional edges read.
    writes: keys that it may write.
    mutates: keys whose value it may change in place, where the value can be changed.
    mutates_outside: may change objects that it holds outside the state.
    assigns: may assign to keys of its input itself, which a packet's payload shows, and a state does not.
    leaks: state keys of which it may leave a value in such an object.
    mutates_left: state keys of which some stage may have left a value in an object that this one may change.
    certain: stages that every firing activates by an unconditional edge.
    successors: every stage that a firing may activate, `certain` and joins included.
    triggers: those of them that it may activate by name, and not only by packets; None: any.
    sends: those of them that it may send packets to; None: any.
    never_early: why no firing of it may start before its step, or None.
    deferred: it does not fire in the step after it was activated, but in one after which nothing else is activated.
    barrier: nothing of a later step may start while it may still run, and it starts in its own step only.
    pure: declared to have no effect outside the state, so that it may start before its predecessor has ended.
    streams: it yields partial updates, on which its conditional edge may be run while it goes on.
    unfinished: keys among `reads` of which it may be given a part, while others still write them.
    groups_at: the stage each of whose firings makes a group that it reads by itself (`PerGroup`), if it declared that.
    notes: what a user should know of how it streams, and reads what is unfinished.
    touches_store: may touch the graph's store.
    may_interrupt: may call `interrupt()`.
    gate_at_start: its conditional edges may be run in a way that cannot wait, so they must be settled beforehand.
    """

    name: str
    reads: Fact
    route_reads: Fact
    writes: Fact
    mutates: Fact
    certain: frozenset[str] = frozenset()
    successors: frozenset[str] = frozenset()
    triggers: frozenset[str] | None = None
    sends: frozenset[str] | None = None
    successors_why: str = ""
    never_early: str | None = None
    deferred: bool = False
    barrier: bool = False
    pure: bool = False
    streams: bool = False
    unfinished: frozenset[str] = frozenset()
    groups_at: str | None = None
    touches_store: bool = False
    may_interrupt: bool = False
    gate_at_start: bool = False
    mutates_outside: bool = False
    assigns: bool = False
    leaks: Keys = NONE
    mutates_left: frozenset[str] = frozenset()
    advice: tuple[Advice, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def by_name(self) -> frozenset[str]:
        """The stages that it may activate by name."""
        return self.successors if self.triggers is None else self.triggers

    @property
    def by_packet(self) -> frozenset[str]:
        """The stages that it may send packets to."""
        return self.successors if self.sends is None else self.sends

    @property
    def may_mutate(self) -> bool:
        """Whether it may change, in place, any value that was there before it."""
        return bool(self.mutates_left) or bool(self.mutates.keys)

    @property
    def may_change_packet(self) -> bool:
        """The same, of a packet's payload, which LangGraph hands on as it is."""
        return self.assigns or bool(self.mutates.keys)


@dataclass(frozen=True, slots=True)
class Plan:
    """All stages of one graph.

    keys: the state keys, which is what "every key" means.
    reduced_in_place: those of which a commit may change the value in place.
    deferred: the stages that are. reducing: the stages that may write a key that is reduced in place.
    unfinished: keys that some stage may be given a part of.
    """

    stages: Mapping[str, Stage]
    keys: frozenset[str]
    joins: tuple[Join, ...] = ()
    reduced_in_place: frozenset[str] = frozenset()
    deferred: frozenset[str] = field(init=False)
    reducing: frozenset[str] = field(init=False)
    unfinished: frozenset[str] = field(init=False)
    reach: Reach = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deferred", frozenset(name for name, one in self.stages.items() if one.deferred))
        reducing = (name for name, one in self.stages.items() if one.writes.keys.within(self.reduced_in_place))
        object.__setattr__(self, "reducing", frozenset(reducing))
        unfinished = frozenset().union(*(one.unfinished for one in self.stages.values()))
        object.__setattr__(self, "unfinished", unfinished)
        object.__setattr__(self, "reach", Reach(self.stages, self.keys, self.reducing))


Known = frozenset[tuple[int, str]]
"""Firings that are known, and triggered by name: at so many hops, of that stage."""

Ahead = tuple[Mapping[str, bool], ...]
"""For each number of hops, the stages of which firings may come; True: by a way on which one is activated by name."""


class Reach:
    """What a firing may lead to within so many steps: Timely Dataflow's could-result-in, over the static graph.

    Every edge advances the step by one, so a path summary is a number of hops. The answers are cached per stage and
    number of hops, and stop growing after as many hops as there are stages.
    """

    def __init__(self, stages: Mapping[str, Stage], keys: frozenset[str], reducing: frozenset[str]) -> None:
        self._stages = stages
        self._keys = keys
        self._reducing = reducing
        self._saturated = len(stages)
        self._reached: dict[tuple[str, int], frozenset[str]] = {}
        self._exactly: dict[tuple[str, int], frozenset[str]] = {}
        self._written: dict[tuple[str, int], frozenset[str]] = {}
        self._mutating: dict[tuple[str, int, bool], frozenset[str]] = {}
        self._ahead: dict[tuple[str, int, Known, bool], Ahead] = {}

    def stages(self, stage: str, hops: int) -> frozenset[str]:
        """Stages that may fire at most `hops` steps after a firing of `stage`, itself included; none if hops < 0."""
        if hops < 0:
            return frozenset()
        hops = min(hops, self._saturated)
        known = self._reached.get((stage, hops))
        if known is None:
            known = frozenset({stage})
            for _ in range(hops):
                grown = known.union(*(self._stages[name].successors for name in known))
                if grown == known:
                    break
                known = grown
            self._reached[stage, hops] = known
        return known

    def exactly(self, stage: str, hops: int) -> frozenset[str]:
        """Stages that may fire exactly `hops` steps after a firing of `stage`; none if hops < 0.

        A deferred stage on the way may have waited there for any number of steps.
        """
        if hops <= 0:
            return frozenset({stage} if hops == 0 else ())
        if hops > 2 * self._saturated:  # all cycles have been gone round: an upper bound will do
            return self.stages(stage, hops)
        known = self._exactly.get((stage, hops))
        if known is None:
            before = self.exactly(stage, hops - 1)
            known = frozenset(name for name in before if self._stages[name].deferred and hops > 1)
            known = known.union(*(self._stages[name].successors for name in before))
            self._exactly[stage, hops] = known
        return known

    def ahead(self, stage: str, hops: int, known: Known, *, sent_all: bool = False) -> Ahead:
        """The same as `exactly`, for 0 to `hops` hops, less what only leads to firings that are known.

        A step has one firing of a stage that is triggered by name, whoever triggers it: if it is known already, nothing
        new can come that way. sent_all: the packets of this firing are known, too.
        """
        asked = (stage, hops, known, sent_all)
        found = self._ahead.get(asked)
        if found is None:
            levels: list[dict[str, bool]] = [{stage: False}]
            for hop in range(1, hops + 1):
                level = {name: named for name, named in levels[-1].items() if hop > 1 and self._stages[name].deferred}
                for name, named in levels[-1].items():
                    sender = self._stages[name]
                    for target in sender.by_packet if hop > 1 or not sent_all else ():
                        level[target] = level.get(target, False) or named
                    level.update((target, True) for target in sender.by_name if (hop, target) not in known)
                levels.append(level)
            found = self._ahead[asked] = tuple(levels)
        return found

    def writes(self, stage: str, hops: int) -> frozenset[str]:
        """Keys that those firings may write."""
        if hops < 0:
            return frozenset()
        hops = min(hops, self._saturated)
        known = self._written.get((stage, hops))
        if known is None:
            universe = self._keys | {STORE_KEY}
            found = [self._stages[name] for name in self.stages(stage, hops)]
            known = frozenset().union(*(one.writes.keys.within(self._keys) for one in found))
            if any(one.touches_store for one in found):
                known |= {STORE_KEY}
            known &= universe
            self._written[stage, hops] = known
        return known

    def mutating(self, stage: str, hops: int, packets: bool = False) -> frozenset[str]:
        """Stages that may change a value in place, or have it changed when they commit (packets: or a payload).

        The firing of `stage` itself is left out.
        """
        if hops < 1:
            return frozenset()
        hops = min(hops, self._saturated)
        known = self._mutating.get((stage, hops, packets))
        if known is None:
            later = frozenset().union(
                *(self.stages(successor, hops - 1) for successor in self._stages[stage].successors)
            )
            found = (self._stages[name] for name in later)
            known = frozenset(one.name for one in found if one.may_mutate or (packets and one.may_change_packet))
            known |= later & self._reducing
            self._mutating[stage, hops, packets] = known
        return known
