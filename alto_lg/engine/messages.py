"""What can happen to a run, and what may be done about it.

Events go into the machine, commands come out. All are frozen; none carries a clock, a task or a channel.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing
from alto_lg.engine.plan import Stage


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one run allows, fixed when it starts.

    last_step: the recursion limit, as the last step that may run.
    max_steps_ahead: how many steps beyond the committed one may be under way.
    chains: nodes may start before their predecessor has ended (`overlap="chains"`).
    has_store: the run has a store.
    can_pause: `interrupt()` can pause the run (it has a checkpointer), so a stage that may call it is a barrier.
    stops_before, stops_after: stages that the run pauses before, or after.
    gate_at_start: firings hold a bounded resource while they run, so none may wait half-way.
    withheld: stages that may not start early in this run, with the reason.
    """

    last_step: int
    max_steps_ahead: int
    chains: bool = False
    has_store: bool = False
    can_pause: bool = False
    stops_before: frozenset[str] = frozenset()
    stops_after: frozenset[str] = frozenset()
    gate_at_start: bool = False
    withheld: Mapping[str, str] = field(default_factory=dict)

    def gates(self, stage: Stage) -> bool:
        """Whether what the stage's conditional edges read must be settled before it starts."""
        return self.gate_at_start or stage.gate_at_start


Key = tuple[str, Hashable]
"""What makes a firing the only one of its kind in a step: ("pull", stage) or ("push", identity of the packet)."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One `Send`: where to, and an identity that the committed step will show again.

    promised: it is what its sender promised for its place, under whatever identity it was promised.
    """

    stage: str
    identity: Hashable
    promised: bool = False


@dataclass(frozen=True, slots=True)
class Emission:
    """What a finished firing gave out, besides values.

    keys: the state keys that it wrote. activates: stages that it triggered. arrives: joins that it reached, as
    (channel, source). packets: its sends, in order.
    """

    keys: frozenset[str] = frozenset()
    activates: tuple[str, ...] = ()
    arrives: tuple[tuple[str, str], ...] = ()
    packets: tuple[Packet, ...] = ()


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Official:
    """A firing as the committed step has it.

    valid: False if it was started early and its input turned out to differ. may_mutate: its input has a value that
    it may change in place. ancestry: who it comes from, where the machine has not heard of its sender.
    """

    key: Key
    stage: str
    index: int | None
    valid: bool = True
    may_mutate: bool = False
    ancestry: Ancestry | None = None


@dataclass(frozen=True, slots=True)
class StepBegan:
    """Everything before `step` is committed, and these firings are the step.

    seen: what each join has seen. dormant: deferred stages that are activated.
    """

    step: int
    firings: tuple[Official, ...]
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dormant: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FiringEnded:
    """A firing finished, and this is what it gave out."""

    firing: Firing
    emission: Emission


@dataclass(frozen=True, slots=True)
class FiringFailed:
    """A firing raised, or paused the run: nothing beyond its step will commit in this run."""

    firing: Firing


@dataclass(frozen=True, slots=True)
class BodyEnded:
    """An early firing has run its body and wants to evaluate its conditional edges."""

    firing: Firing


@dataclass(frozen=True, slots=True)
class Promised:
    """A firing that still runs is likely to give out this packet, as the one at `index` among its packets."""

    firing: Firing
    index: int
    packet: Packet


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a running firing promised for this place is not what it will give out."""

    firing: Firing
    index: int


@dataclass(frozen=True, slots=True)
class WroteSoFar:
    """A running firing has written more to a key of which others may be given a part."""

    firing: Firing


@dataclass(frozen=True, slots=True)
class Misled:
    """An early firing was given, of what another has written so far, something that this one wrote otherwise."""

    firing: Firing


Event = StepBegan | FiringEnded | FiringFailed | BodyEnded | Promised | Withdrawn | WroteSoFar | Misled


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Start:
    """Run this firing now, before its step; `may_mutate` was ruled out."""

    firing: Firing


@dataclass(frozen=True, slots=True)
class Release:
    """The keys that this firing's conditional edges read are settled: evaluate them."""

    firing: Firing


@dataclass(frozen=True, slots=True)
class Adopt:
    """This early firing is the committed step's: take what it did."""

    firing: Firing
    key: Key


@dataclass(frozen=True, slots=True)
class Drop:
    """Cancel this early firing and forget what it did."""

    firing: Firing
    why: str


Command = Start | Release | Adopt | Drop
