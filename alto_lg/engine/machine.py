"""Machine: what may start now. Events in, commands out; no clock, no asyncio, no input or output, no randomness.

Owns every firing that is certain and not committed yet. Always true:
  a firing is started before its step only if nothing outstanding could still write, or change in place, what it
  reads, before that step (the frontier says so), and no barrier lies between;
  firings are started in the order in which they will commit, earliest first;
  a firing that the committed step does not ask for, or asks for with another input, is never adopted, and after it
  nothing more of the run is started early.

Theory of operation. LangGraph commits step by step; the step that it is at is the *base*. A firing that ends makes
its successors certain: its packets, the stages that it triggered, the joins that it completed. They belong to the
next step and wait there as firings of their own, which is what keeps the frontier complete. `_settle` walks over
the waiting ones and starts those whose inputs are settled. When LangGraph reaches their step, `StepBegan` lists what
it asks for; what is there already is adopted, the rest runs as it always did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

from alto_lg.engine import completion
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.frontier import Changes, Frontier, Pointstamp
from alto_lg.engine.joins import Joins
from alto_lg.engine.messages import (
    Adopt,
    BodyEnded,
    Command,
    Conditions,
    Drop,
    Emission,
    Event,
    FiringEnded,
    FiringFailed,
    Key,
    Misled,
    Official,
    Packet,
    Promised,
    Release,
    Start,
    StepBegan,
    Withdrawn,
    WroteSoFar,
)
from alto_lg.engine.plan import Plan
from alto_lg.engine.promises import Promises
from alto_lg.engine.rules import Rules, Values


class Machine:
    """The lookahead of one run of one graph."""

    def __init__(self, plan: Plan, conditions: Conditions, values: Values, run: Ancestry) -> None:
        self.plan = plan
        self.conditions = conditions
        self.halted: str | None = None  # why nothing more is started early
        self.broken: str | None = None  # why nothing that was started early is adopted any more
        self.run = run
        self._base = -1
        self._frontier = Frontier(plan)
        self._steps: defaultdict[int, dict[Key, Firing]] = defaultdict(dict)
        self._joins = Joins(plan)
        self._dormant: set[Pointstamp] = set()  # activated deferred stages, with the first step they may fire in
        self._pending: dict[Firing, None] = {}  # waiting to start or to route, ahead of the base
        self._fresh: list[Firing] = []  # those of them that were not looked at yet
        self._promises = Promises()
        self._moved = False  # the frontier moved, so that all of them deserve another look
        self._rules = Rules(plan, conditions, values, self._frontier)

    def handle(self, event: Event) -> list[Command]:
        """Take note of an event and say what may be done about it."""
        commands: list[Command] = []
        match event:
            case StepBegan():
                commands = self._begin(event)
            case FiringEnded(firing, emission):
                if firing.status is not Status.RUNNING:
                    return commands
                commands.extend(self._end(firing, emission))
            case Promised(firing, index, packet):
                if firing.status is Status.RUNNING and not self.broken:
                    self._expect_packet(firing, index, packet, is_promise=True)
            case Withdrawn(firing, index):
                withdrawn = self._promises.take(firing, index)
                if withdrawn is not None:
                    commands.extend(self._withdraw(withdrawn))
            case FiringFailed(firing):
                if firing.status is Status.RUNNING:
                    firing.status = Status.FAILED
                    self._halt_for(firing)
                return commands
            case BodyEnded(firing):
                firing.gated = True
                self._look_at(firing)
            case WroteSoFar(firing):
                self._look_at_readers(firing)
            case Misled(firing):
                commands.extend(self._redo(firing))
        commands.extend(self._settle())
        return commands

    def firing(self, step: int, key: Key) -> Firing | None:
        """The firing that is known under a key."""
        return self._steps[step].get(key) if step in self._steps else None

    def may_route(self, firing: Firing) -> bool:
        """Whether the conditional edges of a running firing may be evaluated now."""
        return firing.step <= self._base or self._rules.against_routing(firing) is None

    def unfinished(self, firing: Firing) -> frozenset[str]:
        """The keys that somebody may still write, and of which a firing may be given a part."""
        return self._rules.unfinished(firing)

    def prefix(self, key: str, step: int) -> list[Firing]:
        """The firings whose writes to `key` come first, before `step`, in LangGraph's order; see `completion`."""
        return completion.prefix(self.plan, self.known(), self._dormant, key, step)

    def is_complete(self, group: Ancestry, key: str, step: int) -> bool:
        """Whether all is known that firings at or below `group` write to `key` before `step`."""
        return completion.is_complete(self.plan, self.known(), group, key, step)

    def rely(self, reader: Firing, on: Firing) -> None:
        """A firing was given what another has given out, and may take back: it is certain no sooner than that is."""
        if not on.is_known:
            self._promises.rely(reader, on)

    def known(self) -> Iterator[Firing]:
        """Every firing that is known and not committed, step by step."""
        return (firing for step in sorted(self._steps) for firing in self._steps[step].values())

    def ended_at(self, step: int) -> list[Firing]:
        """Firings of a step whose writes are known, in the order in which LangGraph applies them."""
        ended = [firing for firing in self._steps.get(step, {}).values() if firing.status is Status.ENDED]
        return sorted(ended, key=lambda firing: firing.ancestry.order)

    def decline(self, firing: Firing) -> None:
        """A firing that was to start could not be prepared: its own step will say why."""
        self._uncount(firing)
        firing.status, firing.early, firing.declined = Status.WAITING, False, True
        self._count(firing)

    def _halt_for(self, firing: Firing) -> None:
        if firing.is_certain:
            self.halted = self.halted or f"{firing.ancestry} did not finish"

    def break_off(self, why: str) -> None:
        """A proof has failed: start nothing more early, and adopt nothing that was."""
        self.broken = self.broken or why
        self.halted = self.halted or why

    # ── the committed step ──────────────────────────────────────────────────────────────────────────────────

    def _begin(self, event: StepBegan) -> list[Command]:
        predicted = _in_order(self._steps.pop(event.step, {}))
        self._base = event.step
        for step in [step for step in self._steps if step < event.step]:
            del self._steps[step]
        self._joins.begin(event.step, event.seen)
        self._dormant = {stamp for stamp in self._dormant if stamp[0] > event.step}
        self._dormant.update((event.step + 1, stage) for stage in event.dormant)
        if any(not official.valid for official in event.firings):
            self.break_off("the input of an early firing differs from the committed one")
        commands: list[Command] = []
        current = self._steps[event.step]
        for official in event.firings:
            firing = predicted.pop(official.key, None)
            if firing is not None and firing.early and self.broken:
                commands.append(self._drop(firing))
                firing = None
            if firing is None:
                firing = self._unforeseen(official, event.step)
            elif firing.early:
                firing.gated = False
                commands.append(Adopt(firing, official.key))
            current[official.key] = firing
            if firing.status is Status.WAITING:
                firing.status = Status.RUNNING
                firing.may_mutate = official.may_mutate
        if predicted:
            names = ", ".join(str(firing.ancestry) for firing in predicted.values())
            self.break_off(f"the committed step {event.step} does not have {names}")
            commands.extend(self._drop(firing) for firing in predicted.values() if firing.early)
        if self.broken:
            commands.extend(self._drop_ahead())
        commands.extend(self._recount())
        return commands

    def _unforeseen(self, official: Official, step: int) -> Firing:
        stage, ancestry = self.plan.stages[official.stage], official.ancestry
        packet = official.key[1] if official.key[0] == "push" else None
        if ancestry is None and official.index is not None:
            ancestry = self.run.sent(stage.name, step, official.index, run=self.run)
        elif ancestry is None:
            ancestry = self.run.triggered(stage.name, step)
        return Firing(stage, step, ancestry, packet=packet)

    def _drop(self, firing: Firing) -> Drop:
        firing.status = Status.DROPPED
        return Drop(firing, self.broken or "")

    def _drop_ahead(self) -> Iterator[Drop]:
        self._promises.clear()
        for step in [step for step in self._steps if step > self._base]:
            for firing in self._steps.pop(step).values():
                if firing.early:
                    yield self._drop(firing)

    def _recount(self) -> Iterator[Command]:
        """Every count that a committed step may have changed, anew; once a step, over what is not committed."""
        self._frontier.clear()
        self._pending.clear()
        self._fresh.clear()
        for firing in self.known():
            if firing.status not in (Status.ENDED, Status.DROPPED):
                self._count(firing)
            else:
                if firing.may_mutate:
                    self._frontier.reduce(firing.step, firing.stage.name)
                if firing.is_known:
                    self._note_fired(firing)
            if firing.step > self._base and (firing.gated or firing.status is Status.WAITING):
                self._pending[firing] = None
        for step, stage in self._dormant:
            self._frontier.lurk(step, stage)
        for firing in [firing for firing in self.known() if firing.status is Status.RUNNING]:
            yield from self._expect_chain(firing)
        self._moved = True

    # ── what an ended firing makes certain ──────────────────────────────────────────────────────────────────

    def _end(self, firing: Firing, emission: Emission) -> Iterator[Command]:
        if firing.is_certain:
            yield from self._publish(firing, emission)
        else:
            yield from self._promise_in_turn(firing, emission)
        # Successors first, so that no moment exists in which nothing stands for what they may do.
        self._uncount(firing)
        firing.status = Status.ENDED
        self._note_reducing(firing, emission)
        if firing.is_certain:
            self._note_fired(firing)
            yield from self._confirm_readers(firing)
        self._look_at_readers(firing)

    def _look_at_readers(self, writer: Firing) -> None:
        if not self.plan.unfinished.isdisjoint(writer.stage.writes.keys.within(self.plan.keys)):
            self._fresh += [waiting for waiting in self._pending if waiting.stage.unfinished]

    def _publish(self, firing: Firing, emission: Emission) -> Iterator[Command]:
        """What a certain firing gave out makes more firings certain."""
        for index, packet in enumerate(emission.packets):
            child = self._promises.take(firing, index)
            if child is not None and (packet.promised or _carries(child, packet)):
                yield from self._make_certain(child, packet)
                continue
            if child is not None:
                yield from self._withdraw(child)
            self._expect_packet(firing, index, packet)
        for child in self._promises.take_all(firing):
            yield from self._withdraw(child)
        for stage in emission.activates:
            yield from self._expect(stage, firing.step + 1)
        for child in self._promises.untrigger(firing):
            yield from self._withdraw(child)
        for channel, source in emission.arrives:
            self._joins.arrive(channel, firing.step, source)
        for stage in firing.stage.successors & self.plan.deferred:
            self._dormant.add((firing.step + 1, stage))
            self._frontier.lurk(firing.step + 1, stage)

    def _note_reducing(self, firing: Firing, emission: Emission) -> None:
        firing.may_mutate = firing.is_certain and not emission.keys.isdisjoint(self.plan.reduced_in_place)
        if firing.may_mutate:
            self._frontier.reduce(firing.step, firing.stage.name)

    def _note_fired(self, firing: Firing) -> None:
        if firing.stage.unfinished and not firing.is_push:
            self._frontier.fire(firing.step, firing.stage.name)
            self._moved = True

    def _expect_packet(self, sender: Firing, index: int, packet: Packet, *, is_promise: bool = False) -> None:
        if packet.stage not in self.plan.stages:
            return  # LangGraph ignores it, with a warning of its own
        step = sender.step + 1
        ancestry = sender.ancestry.sent(packet.stage, step, index, run=self.run)
        child = Firing(self.plan.stages[packet.stage], step, ancestry, packet=self._numbered(step, packet))
        if is_promise:
            child.promised_by = sender
            self._promises.make(sender, index, child)
        self._add(child)

    def _numbered(self, step: int, packet: Packet) -> tuple[Hashable, int]:
        occurrence = 0
        while ("push", (packet.identity, occurrence)) in self._steps[step]:
            occurrence += 1  # one Send object, sent more than once
        return packet.identity, occurrence

    # ── promises ────────────────────────────────────────────────────────────────────────────────────────────

    def _promise_in_turn(self, firing: Firing, emission: Emission) -> Iterator[Command]:
        """The packets of an uncertain firing are promises, and so are triggers of stages that read parts of lists.

        All else that it gave out has to wait.
        """
        for index, packet in enumerate(emission.packets):
            child = self._promises.take(firing, index)
            if child is not None and packet.promised:
                self._rename(child, packet)
                self._promises.make(firing, index, child)
                continue
            if child is not None:
                yield from self._withdraw(child)
            self._expect_packet(firing, index, packet, is_promise=True)
        kept = [self._promises.take(firing, index) for index in range(len(emission.packets))]
        for child in self._promises.take_all(firing):
            yield from self._withdraw(child)
        for index, child in enumerate(kept):
            if child is not None:
                self._promises.make(firing, index, child)
        for stage in emission.activates:
            if stage in self.plan.stages and self.plan.stages[stage].unfinished:
                yield from self._expect(stage, firing.step + 1, promised_by=firing)
        self._promises.hold(firing, emission)

    def _make_certain(self, firing: Firing, packet: Packet) -> Iterator[Command]:
        """Its sender has ended, and gave out what it had promised."""
        self._rename(firing, packet)
        firing.promised_by = None
        yield from self._confirm(firing)

    def _confirm(self, firing: Firing) -> Iterator[Command]:
        """There is one reason less to doubt it. If it was the last, what it gave out counts."""
        if firing.status is Status.RUNNING:
            yield from self._expect_chain(firing)
        if not firing.is_certain:
            return
        if firing.status is Status.FAILED:
            self._halt_for(firing)
        emission = self._promises.release(firing)
        if emission is not None:
            yield from self._publish(firing, emission)
            self._note_reducing(firing, emission)
            self._note_fired(firing)
            yield from self._confirm_readers(firing)

    def _confirm_readers(self, firing: Firing) -> Iterator[Command]:
        """What it gave out is final, and is what others were given of it."""
        for reader in self._promises.confirm(firing):
            yield from self._confirm(reader)

    def _redo(self, reader: Firing) -> Iterator[Command]:
        """It was given something that will not be. It fires in its own step, where nothing can mislead it."""
        if reader.status is Status.DROPPED or reader.is_known:
            return  # if others have gone on from it already, the commit will tell
        fresh = Firing(reader.stage, reader.step, reader.ancestry, declined=True)
        self._promises.replace(reader, fresh)
        yield from self._withdraw(reader)
        self._add(fresh)

    def _rename(self, firing: Firing, packet: Packet) -> None:
        del self._steps[firing.step][firing.key]
        firing.packet = self._numbered(firing.step, packet)
        self._steps[firing.step][firing.key] = firing

    def _withdraw(self, firing: Firing) -> Iterator[Command]:
        """It will not be: neither will anything that it promised in turn."""
        sender = firing.promised_by.ancestry if firing.promised_by else "a firing before it"
        for child in (*self._promises.take_all(firing), *self._promises.untrigger(firing)):
            yield from self._withdraw(child)
        self._promises.release(firing)
        self._promises.rely_no_more(firing)
        del self._steps[firing.step][firing.key]
        self._pending.pop(firing, None)
        if firing.status is not Status.ENDED:
            self._uncount(firing)
        firing.status = Status.DROPPED
        if firing.early:
            yield Drop(firing, f"{sender} did not give out what it promised")
        for reader in self._promises.relying(firing):
            yield from self._redo(reader)

    def _expect(self, stage: str, step: int, *, promised_by: Firing | None = None) -> Iterator[Command]:
        if stage not in self.plan.stages:
            return
        known = self._steps[step].get(("pull", stage))
        if known is None:
            firing = Firing(self.plan.stages[stage], step, self.run.triggered(stage, step))
            if promised_by is not None:
                self._promises.trigger(promised_by, firing)
            self._add(firing)
        elif known.promised_by is not None:
            if promised_by is not None:
                self._promises.trigger(promised_by, known)
                return
            self._promises.triggered(known)
            yield from self._confirm(known)

    def _expect_chain(self, firing: Firing) -> Iterator[Command]:
        """What a running firing activates by unconditional edges is certain before it has ended, if it is so itself.

        A stage that may be given a part of a list starts on what its sender has written so far.
        """
        for name in firing.stage.certain:
            stage, is_certain = self.plan.stages[name], firing.promised_by is None
            if stage.unfinished or (is_certain and (self.conditions.chains or stage.pure)):
                yield from self._expect(name, firing.step + 1, promised_by=None if is_certain else firing)

    def _add(self, firing: Firing) -> None:
        self._steps[firing.step][firing.key] = firing
        self._count(firing)
        self._look_at(firing)

    def _look_at(self, firing: Firing) -> None:
        self._pending[firing] = None
        self._fresh.append(firing)

    # ── what may start ──────────────────────────────────────────────────────────────────────────────────────

    def _settle(self) -> Iterator[Command]:
        if self.halted:
            return
        # First, so that nobody who asks about the frontier misses what they lead to.
        for target, step in list(self._joins.completed(self._frontier)):
            yield from self._expect(target, step)
        if not self._frontier.count_at(self._base):
            return  # LangGraph is about to commit the step by itself: nothing to gain
        while self._moved or self._fresh:  # a start can make more certain
            looked_at = list(self._pending) if self._moved else self._fresh
            self._moved, self._fresh = False, []
            for firing in sorted(looked_at, key=lambda firing: firing.ancestry.order):
                if firing.gated and self._rules.against_routing(firing) is None:
                    firing.gated = False
                    self._pending.pop(firing, None)
                    yield Release(firing)
                elif self._may_start(firing):
                    self._start(firing)
                    yield Start(firing)
                    yield from self._expect_chain(firing)

    def _may_start(self, firing: Firing) -> bool:
        if firing.status is not Status.WAITING or firing.declined or self._paused_before(firing.step):
            return False
        reason = self._rules.against_start(firing, self._base)
        firing.waited_for = reason or firing.waited_for
        return reason is None

    def _paused_before(self, step: int) -> bool:
        """Whether a firing that is known, ended or not, will pause the run before `step` begins."""
        before, after = self.conditions.stops_before, self.conditions.stops_after
        return bool(before or after) and any(
            (firing.stage.name in before and self._base < firing.step <= step)
            or (firing.stage.name in after and firing.step < step)
            for firing in self.known()
        )

    def _start(self, firing: Firing) -> None:
        # It was found unable to change anything that there is: its pointstamp says so from now on.
        self._uncount(firing)
        firing.status, firing.early, firing.may_mutate = Status.RUNNING, True, False
        self._count(firing)
        self._pending.pop(firing, None)

    def _count(self, firing: Firing) -> None:
        self._frontier.add(firing.step, firing.stage.name, changes=_changes(firing))

    def _uncount(self, firing: Firing) -> None:
        if self._frontier.remove(firing.step, firing.stage.name, changes=_changes(firing)):
            self._moved = True


def _carries(firing: Firing, packet: Packet) -> bool:
    return isinstance(firing.packet, tuple) and firing.packet[0] is packet.identity


def _changes(firing: Firing) -> Changes:
    """Before it has started, what its code might change; afterwards, what it might change of the input that it has."""
    if firing.status is not Status.WAITING:
        return Changes.STATE if firing.may_mutate else Changes.NOTHING
    if firing.stage.may_mutate:
        return Changes.STATE
    return Changes.PACKET if firing.is_push and firing.stage.may_change_packet else Changes.NOTHING


def _in_order(predicted: dict[Key, Firing]) -> dict[Key, Firing]:
    """One `Send` object that was sent more than once is numbered as LangGraph will number it."""
    ordered: dict[Key, Firing] = {}
    for firing in sorted(predicted.values(), key=lambda firing: firing.ancestry.order):
        if isinstance(firing.packet, tuple):
            occurrence = 0
            while ("push", (firing.packet[0], occurrence)) in ordered:
                occurrence += 1
            firing.packet = (firing.packet[0], occurrence)
        ordered[firing.key] = firing
    return ordered
