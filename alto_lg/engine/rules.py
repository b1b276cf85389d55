"""Rules: when a firing may start, or may evaluate its conditional edges, before its step.

Owns every reason to wait. Each rule answers with that reason, or with None if it allows; the first reason wins.
"""

from __future__ import annotations

from typing import Protocol

from alto_lg.engine.firing import Firing
from alto_lg.engine.frontier import Frontier, Pointstamp
from alto_lg.engine.messages import Conditions
from alto_lg.engine.plan import STORE_KEY, Plan


class Values(Protocol):
    """What the rules ask about real values. Asked only of keys that are settled at the step in question."""

    def computable(self, keys: frozenset[str], step: int) -> bool:
        """Whether the values that `keys` will have at `step` can be computed before it is committed."""
        ...

    def changeable(self, keys: frozenset[str], step: int) -> bool:
        """Whether a value that one of `keys` has by then, from now on, could be changed in place by who holds it."""
        ...

    def packet_shared(self, firing: Firing) -> bool:
        """Whether anyone else could see a change of a packet's payload in place, or make one."""
        ...

    def suffices(self, firing: Firing, key: str) -> bool:
        """Whether what is known of a key is enough for `firing`, which may take a part of it while others write."""
        ...


class Rules:
    """The rules of one run."""

    def __init__(self, plan: Plan, conditions: Conditions, values: Values, frontier: Frontier) -> None:
        self._plan = plan
        self._conditions = conditions
        self._values = values
        self._frontier = frontier
        self._barriers = plan.barriers | plan.may_interrupt if conditions.can_pause else plan.barriers

    def against_start(self, firing: Firing, base: int) -> str | None:
        """Why `firing` may not start while the step `base` is the one being committed."""
        stage, step = firing.stage, firing.step
        if stage.never_early:
            return stage.never_early
        if stage.name in self._barriers or stage.name in self._conditions.stops_before:
            return "it keeps a barrier"
        if stage.name in self._conditions.withheld:
            return self._conditions.withheld[stage.name]
        if step > self._conditions.last_step:
            return "its step is beyond the recursion limit"
        if step > base + self._conditions.max_steps_ahead:
            return "its step is too far ahead"
        reason = self._against_passing(step) or self._against_input(firing)
        if reason is None and self._conditions.gates(stage):
            reason = self.against_routing(firing)
        return reason

    def against_routing(self, firing: Firing) -> str | None:
        """Why the conditional edges of `firing` may not be evaluated yet."""
        keys = firing.stage.route_reads.keys.within(self._plan.keys)
        return self._against_reading(keys, firing.step) if keys else None

    def _against_passing(self, step: int) -> str | None:
        """A barrier lies, or may come to lie, before `step`."""
        stamp = self._frontier.may_fire(self._barriers | self._conditions.stops_after, step - 1)
        stamp = stamp or self._frontier.may_fire(self._conditions.stops_before, step)
        return f"{_named(stamp)} is, or may lead to, a barrier" if stamp else None

    def _against_input(self, firing: Firing) -> str | None:
        stage, step = firing.stage, firing.step
        if stage.touches_store and self._conditions.has_store:
            stamp = self._frontier.unsettled(frozenset({STORE_KEY}), step)
            if stamp:
                return f"{_named(stamp)} may touch the store"
        if stage.mutates_left:
            reason = self._against_reading(stage.mutates_left, step)
            if reason or self._values.changeable(stage.mutates_left, step):
                return "it changes an object outside the graph, in which a node may have left a value of the state"
        if firing.is_push:
            return self._against_packet(firing)
        if not (stage.pure or stage.unfinished or self._conditions.chains):
            # What several siblings lead to is a join to whoever drew it, though one of them is enough to trigger it.
            stamp = self._frontier.may_trigger(stage.name, step)
            if stamp:
                return f"{_named(stamp)} may still lead to it, in the same step"
        reads = stage.reads.keys.within(self._plan.keys)
        partly = self.unfinished(firing)
        reason = self._against_reading(reads - partly, step) or self._against_part(firing, partly)
        if reason is None and self._values.changeable(reads & stage.mutates.keys.within(reads), step):
            reason = "it may change a value in place"
        return reason

    def unfinished(self, firing: Firing) -> frozenset[str]:
        """The keys of which a firing would be given a part, if it started now."""
        keys = firing.stage.unfinished
        return frozenset(key for key in keys if self._frontier.unsettled(frozenset({key}), firing.step))

    def _against_part(self, firing: Firing, keys: frozenset[str]) -> str | None:
        if not keys:
            return None
        stamp = self._frontier.mutator_before(firing.step)
        if stamp:
            return f"{_named(stamp)} may change what it reads in place"
        short = sorted(key for key in keys if not self._values.suffices(firing, key))
        return f"too little is known of {short[0]!r}" if short else None

    def _against_packet(self, firing: Firing) -> str | None:
        if firing.stage.may_change_packet and self._values.packet_shared(firing):
            return "it may change a value of its packet in place"
        stamp = self._frontier.mutator_before(firing.step, packets=True)
        if stamp and self._values.packet_shared(firing):
            return f"{_named(stamp)} may change a value of its packet in place"
        return None

    def _against_reading(self, keys: frozenset[str], step: int) -> str | None:
        stamp = self._frontier.unsettled(keys, step)
        if stamp:
            return f"{_named(stamp)} may still write what it reads"
        if not self._values.computable(keys, step):
            return "what it reads is known only after the commit"
        stamp = self._frontier.mutator_before(step)
        if stamp and self._values.changeable(keys, step):
            return f"{_named(stamp)} may change what it reads in place"
        return None


def _named(stamp: Pointstamp) -> str:
    step, stage = stamp
    return f"{stage!r} of step {step}"
