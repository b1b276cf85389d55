"""Frontier: what may still happen before a given step.

Owns the only counts of outstanding work. A pointstamp is (step, stage): a firing of that stage that is to commit in
that step and whose writes are not known yet, be it running or waiting.

The safety property: if `unsettled(keys, step)` is None, then no firing that is outstanding now, nor any that one of
them may yet activate, can write one of `keys` in a step before `step`. It holds because a firing that is not
outstanding has made all of its activations known, each of which is outstanding itself or has ended in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from enum import Enum

from alto_lg.engine.plan import Ahead, Known, Plan

Pointstamp = tuple[int, str]


class Changes(Enum):
    """What a firing may change in place before it ends, of the values that were there before it."""

    NOTHING = 0
    PACKET = 1  # the payload of its packet itself
    STATE = 2  # any value


class Frontier:
    """Counts of outstanding firings, and the questions that the machine asks of them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._outstanding: Counter[Pointstamp] = Counter()
        self._dormant: set[Pointstamp] = set()
        self._reducing: set[Pointstamp] = set()
        self._fired: set[Pointstamp] = set()
        self._changing_packet: Counter[Pointstamp] = Counter()
        self._changing_state: Counter[Pointstamp] = Counter()

    def add(self, step: int, stage: str, *, changes: Changes = Changes.NOTHING) -> None:
        """A firing became outstanding."""
        self._outstanding[step, stage] += 1
        if changes is not Changes.NOTHING:
            self._changing(changes)[step, stage] += 1

    def remove(self, step: int, stage: str, *, changes: Changes = Changes.NOTHING) -> bool:
        """Its writes are known now. True when a count fell to zero, so that the frontier moved."""
        moved = _decrement(self._outstanding, (step, stage))
        return (changes is not Changes.NOTHING and _decrement(self._changing(changes), (step, stage))) or moved

    def lurk(self, step: int, stage: str) -> None:
        """A deferred stage that is activated: it may fire in that step, or in any later one."""
        self._dormant.add((step, stage))

    def reduce(self, step: int, stage: str) -> None:
        """A firing that has ended, and whose commit may change a value in place."""
        self._reducing.add((step, stage))

    def fire(self, step: int, stage: str) -> None:
        """A firing triggered by name has ended while others may still trigger it: they will lead to nothing new."""
        self._fired.add((step, stage))

    def clear(self) -> None:
        self._outstanding.clear()
        self._dormant.clear()
        self._reducing.clear()
        self._fired.clear()
        self._changing_packet.clear()
        self._changing_state.clear()

    def _changing(self, changes: Changes) -> Counter[Pointstamp]:
        return self._changing_state if changes is Changes.STATE else self._changing_packet

    def count_at(self, step: int) -> int:
        return sum(count for (time, _), count in self._outstanding.items() if time == step)

    def unsettled(self, keys: frozenset[str], step: int) -> Pointstamp | None:
        """An outstanding firing that could result in a write to one of `keys` before `step`, or None."""
        for stamp in self._before(step):
            if not self._may_write(stamp, step - 1).isdisjoint(keys):
                return stamp
        return None

    def mutator_before(self, step: int, *, packets: bool = False) -> Pointstamp | None:
        """A firing that may change some value in place before `step`: itself, by its commit, or through what follows.

        packets: count those, too, that may change no more than the payload of a packet.
        """
        reducing = self._plan.reducing
        state, packet = self._changing_state, self._changing_packet
        for stamp in self._before(step):
            _, stage = stamp
            if stamp in state or (packets and stamp in packet) or self._may_lead_to_mutating(stamp, step - 1, packets):
                return stamp
            if stage in reducing or (stamp in self._dormant and self._plan.stages[stage].may_mutate):
                return stamp
        return next((stamp for stamp in self._reducing if stamp[0] < step), None)

    def may_trigger(self, stage: str, step: int) -> Pointstamp | None:
        """An outstanding firing that could result in `stage` firing at `step` itself, or None."""
        for stamp in self._before(step):
            if stage in (self._reached(stamp, step) if stamp in self._dormant else self._reached_at(stamp, step)):
                return stamp
        return None

    def may_fire(self, stages: frozenset[str], until: int) -> Pointstamp | None:
        """An outstanding firing that is, or could result in, a firing of one of `stages` at step `until` or before."""
        if stages:
            for stamp in self._before(until + 1):
                if not stages.isdisjoint(self._reached(stamp, until)):
                    return stamp
        return None

    # ── what a pointstamp may lead to, where some that it would trigger have fired ──────────────────────────

    def _may_write(self, stamp: Pointstamp, until: int) -> frozenset[str]:
        reach, (time, stage) = self._plan.reach, stamp
        if not self._known_ahead(stamp, until):
            return reach.writes(stage, until - time)
        return frozenset().union(*(reach.writes(name, 0) for name in self._reached(stamp, until)))

    def _may_lead_to_mutating(self, stamp: Pointstamp, until: int, packets: bool) -> bool:
        reach, (time, stage) = self._plan.reach, stamp
        if not self._known_ahead(stamp, until):
            return bool(reach.mutating(stage, until - time, packets))
        later = (self._plan.stages[name] for level in self._ahead(stamp, until)[1:] for name in level)
        return any(
            one.may_mutate or (packets and one.may_change_packet) or one.name in self._plan.reducing for one in later
        )

    def _reached(self, stamp: Pointstamp, until: int) -> Collection[str]:
        """The stages that may fire until then."""
        if not self._known_ahead(stamp, until):
            return self._plan.reach.stages(stamp[1], until - stamp[0])
        return {name for level in self._ahead(stamp, until) for name in level}

    def _reached_at(self, stamp: Pointstamp, step: int) -> Collection[str]:
        """The stages that may fire at that step."""
        if not self._known_ahead(stamp, step):
            return self._plan.reach.exactly(stamp[1], step - stamp[0])
        return self._ahead(stamp, step)[step - stamp[0]]

    def _ahead(self, stamp: Pointstamp, until: int) -> Ahead:
        return self._plan.reach.ahead(stamp[1], until - stamp[0], self._known_ahead(stamp, until))

    def _known_ahead(self, stamp: Pointstamp, until: int) -> Known:
        """In the words of `Reach.ahead`. Of a deferred stage that waits nothing is: it may fire at any step."""
        if not self._fired or stamp in self._dormant:
            return frozenset()
        return frozenset((at - stamp[0], name) for at, name in self._fired if stamp[0] < at <= until)

    def _before(self, step: int) -> Iterator[Pointstamp]:
        return (stamp for stamp in (*self._outstanding, *self._dormant) if stamp[0] < step)


def _decrement(counts: Counter[Pointstamp], stamp: Pointstamp) -> bool:
    assert counts[stamp] > 0, f"pointstamp {stamp} was removed more often than added"
    counts[stamp] -= 1
    if counts[stamp]:
        return False
    del counts[stamp]
    return True
