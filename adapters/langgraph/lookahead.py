"""Lookahead: what the machine decides is run, and what LangGraph's loop does becomes events.

Owns the early firings of one run. Always true:
  every early firing is one of LangGraph's background tasks, so that whatever ends the run stops and awaits it;
  nothing of an early firing is persisted or streamed by step before LangGraph itself asks for that firing;
  LangGraph's channels are only read.
"""

from __future__ import annotations

import contextvars
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from langgraph.types import Send

from alto_lg.adapters.langgraph.config_keys import ANCESTRY, PARTIALS
from alto_lg.adapters.langgraph.direct import has_handlers
from alto_lg.adapters.langgraph.early import EarlyFiring, Handover
from alto_lg.adapters.langgraph.emissions import Emissions
from alto_lg.adapters.langgraph.internals import (
    CONF,
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    PULL,
    PUSH,
    TASKS,
    PregelExecutableTask,
)
from alto_lg.adapters.langgraph.preparation import Preparation, describe, step_of
from alto_lg.adapters.langgraph.projection import Projection, equal, is_waiting
from alto_lg.adapters.langgraph.promising import Promising
from alto_lg.adapters.langgraph.quiet import QuietSteps
from alto_lg.adapters.langgraph.unfinished import UnfinishedReads
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.machine import Machine
from alto_lg.engine.messages import (
    Adopt,
    BodyEnded,
    Command,
    Drop,
    FiringEnded,
    FiringFailed,
    Misled,
    Official,
    Promised,
    Release,
    Start,
    StepBegan,
    Withdrawn,
    WroteSoFar,
)
from alto_lg.engine.plan import Stage
from alto_lg.engine.statistics import Tally
from alto_lg.errors import AltoWarning

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.run import AcceleratedRun
    from alto_lg.adapters.langgraph.wired import WiredPlan


class Future(Protocol):
    """The outcome of an early firing, of asyncio's kind or of a thread's."""

    def cancelled(self) -> bool: ...

    def exception(self) -> BaseException | None: ...


class Lookahead:
    """The early firings of one run."""

    def __init__(self, loop: AcceleratedRun, wired: WiredPlan, run: Ancestry) -> None:
        self.tally = Tally()
        self.loop = loop
        self._wired = wired
        self._run = run
        self.now = loop.clock()
        self._written: defaultdict[int, defaultdict[str, list[tuple[Firing, Any]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._early: dict[Firing, EarlyFiring] = {}
        self._official: dict[str, Firing] = {}  # by the id of LangGraph's task
        self._mutates_left: dict[str, bool] = {}
        self._started: dict[Firing, float] = {}
        self._emissions = Emissions(wired)
        self._context = contextvars.copy_context()
        manager = loop.manager
        traced = manager is not None and has_handlers(manager)
        self._quiet = QuietSteps(wired, run, can_be=not loop.chains, of_many=not traced)
        self._promised: defaultdict[Firing, dict[int, Send]] = defaultdict(dict)
        self._over = False

    # ── what a run needs that has steps which are not quiet ─────────────────────────────────────────────────

    @cached_property
    def machine(self) -> Machine:
        return Machine(self._wired.plan, self.loop.conditions(self._wired), self, self._run)

    @cached_property
    def projection(self) -> Projection:
        return Projection(self.loop.channels, step_of(self.loop), self._values_at, self._wired.wiring.reducers)

    @cached_property
    def _preparation(self) -> Preparation:
        return Preparation(self.loop, self.projection, self._wired, self.tally)

    @cached_property
    def _unfinished(self) -> UnfinishedReads:
        return UnfinishedReads(
            self._wired.readings,
            self.machine,
            self.projection,
            self._written,
            step_of(self.loop),
            self._wired.wiring.reducers,
            live=self.loop.on_event_loop,
        )

    @property
    def _has_looked(self) -> bool:
        """Whether there has been any such step."""
        return "machine" in vars(self)

    # ── what the loop reports ───────────────────────────────────────────────────────────────────────────────

    def step_began(self) -> None:
        """LangGraph has prepared the tasks of a step: adopt what ran already, and look on from there."""
        now, loop = self.now(), self.loop
        self.tally.step_began(now)
        queue = loop.channels[TASKS]
        packets: Sequence[Send] = queue.get() if queue.is_available() else ()
        if self._early or not self._quiet.begin(loop.step, loop.tasks, packets, now):
            self._quiet.catch_up(self.machine, self._emissions)
            self._begin(packets, now)
            return
        for quiet in self._quiet.firings.values():
            known = self.machine.firing(loop.step, ("pull", quiet.task.name)) if self._has_looked else None
            waited_for = known.waited_for if known is not None else None
            describe(quiet.task.config, quiet.ancestry, self.tally, loop, waited_for)
            self.tally.firings += 1

    def went_on(self, task: PregelExecutableTask) -> None:
        """The only task of a quiet step has been committed, and so is the next, which has this one."""
        now, step, quiet = self.now(), self.loop.step, self._quiet
        self.tally.ran(quiet.step, quiet.started, now)
        ancestry = quiet.go_on(step, task, now)
        describe(task.config, ancestry, self.tally, self.loop)
        self.tally.firings += 1
        self.step_committed()

    def is_in_quiet(self, task: PregelExecutableTask) -> bool:
        """Whether a task that is about to run belongs to a quiet step."""
        return task.id in self._quiet.firings

    def is_quiet(self, stage: str) -> bool:
        """Whether a step with one firing of a stage would be quiet."""
        return self._wired.is_quiet((stage,))

    def _begin(self, packets: Sequence[Send], now: float) -> None:
        loop = self.loop
        self._context = contextvars.copy_context()
        self._unfinished.look()  # what is committed now comes before all else, and is about to be forgotten
        for step in [step for step in self._written if step < loop.step]:
            del self._written[step]
        self._official.clear()
        self._mutates_left.clear()
        tasks: dict[Any, PregelExecutableTask] = {}
        officials: list[Official] = []
        for task in loop.tasks.values():
            official = self._official_of(task, packets, tasks)
            tasks[official.key] = task
            officials.append(official)
        self._act(self.machine.handle(StepBegan(loop.step, tuple(officials), self._seen(), self._dormant())), tasks)
        for key, task in tasks.items():
            firing = self.machine.firing(loop.step, key)
            assert firing is not None
            self._official[task.id] = firing
            self.tally.firings += 1
            if firing.status is Status.RUNNING and not firing.early:
                self._started[firing] = now
                describe(task.config, firing.ancestry, self.tally, loop, firing.waited_for)
                self._listen(firing, task)
                if task.writes:  # restored from a checkpoint: it does not run again
                    self.task_ended(task.id, task.writes)
        current = set(self._official.values())
        self._started = {firing: at for firing, at in self._started.items() if firing in current or firing.early}
        packets_ahead = (firing.packet for firing in self.machine.known())
        self._emissions.keep_only({packet[0] for packet in packets_ahead if isinstance(packet, tuple)})

    def step_committed(self) -> None:
        """The writes of a step have been applied."""
        if self._has_looked:
            self.projection.committed()

    def task_ended(self, task_id: str, writes: Sequence[tuple[str, Any]]) -> None:
        """LangGraph has committed a task's writes to its step (or its failure)."""
        if self._quiet.firings:
            quiet = self._quiet.firings.get(task_id)
            if quiet is not None:
                quiet.writes = writes
                self.tally.ran(self._quiet.step, self._quiet.started, self.now())
            return
        firing = self._official.get(task_id)
        if firing is None or firing.status is not Status.RUNNING:
            return
        channels = {channel for channel, _ in writes}
        if ERROR_SOURCE_NODE in channels:
            return  # its error handler runs now, in the same step, and stands for it
        if ERROR in channels or INTERRUPT in channels:
            self.machine.handle(FiringFailed(firing))
            return
        self._ended(firing, writes)

    def run_ended(self, why: str) -> None:
        """The run is over: what was started early and not adopted was for nothing."""
        broken = self.machine.broken if self._has_looked else None
        for early in self._early.values():
            self.tally.dropped(broken or why)
            early.cancel()
        self._over = True
        # LangGraph's loops do not outlive their runs, and neither do these: no cycle is left for the collector.
        self._early.clear()
        for name in ("machine", "projection", "_preparation", "_unfinished", "loop"):
            vars(self).pop(name, None)
        if broken:
            warnings.warn(
                f"{broken}; the run went on without early starts. The answer is LangGraph's. "
                "If a node declares what it reads or writes, check the declaration; otherwise please report this.",
                AltoWarning,
                stacklevel=2,
            )

    def save_to_await(self) -> Any:
        """What an adopted firing waits for before it commits; see the run's."""
        return None if self._over else self.loop.save_to_await()

    # ── what the rules ask ──────────────────────────────────────────────────────────────────────────────────

    def computable(self, keys: frozenset[str], step: int) -> bool:
        return all(self.projection.computable(key, step) for key in self._wired.tops(keys))

    def changeable(self, keys: frozenset[str], step: int) -> bool:
        return any(self.projection.was_changeable(key, step) for key in self._wired.tops(keys))

    def packet_shared(self, firing: Firing) -> bool:
        assert isinstance(firing.packet, tuple)
        return self._emissions.is_shared(firing.packet[0])

    def suffices(self, firing: Firing, key: str) -> bool:
        return self._unfinished.suffices(firing, key)

    # ── what an early firing reports ────────────────────────────────────────────────────────────────────────

    def body_ended(self, firing: Firing) -> None:
        """Its conditional edges want to read the state."""
        self._act(self.machine.handle(BodyEnded(firing)))

    def early_ended(self, early: EarlyFiring, future: Future) -> None:
        """Its task has ended, one way or another."""
        firing = early.firing
        if self._over or firing.status is Status.DROPPED or future.cancelled():
            return
        self.tally.ran(firing.step, early.started, self.now())
        if firing.status is not Status.RUNNING:
            return  # it was adopted, and on threads the official task was the first to tell of its end
        if future.exception() is not None:
            self.machine.handle(FiringFailed(firing))
            return
        self.loop.early_ended(early)
        self._ended(firing, early.task.writes)

    def _ended(self, firing: Firing, writes: Sequence[tuple[str, Any]]) -> None:
        if firing in self._started:
            self.tally.ran(firing.step, self._started.pop(firing), self.now())
        emission = self._emissions.of(writes, self._promised.pop(firing, {}))
        undeclared = self._emissions.outside_plan(firing, emission)
        if undeclared:
            self.machine.break_off(undeclared)
        written = self._written[firing.step]
        for key, value in writes:
            if key in self._wired.keys:
                written[key].append((firing, value))
        for reader in self._unfinished.misled(firing) if self._wired.plan.unfinished else ():
            self._act(self.machine.handle(Misled(reader)))
        self._act(self.machine.handle(FiringEnded(firing, emission)))
        self._unfinished.look(None if firing.stage.streams else firing)  # what it had promised is final now, too

    # ── partial updates ─────────────────────────────────────────────────────────────────────────────────────

    def _listen(self, firing: Firing, task: PregelExecutableTask) -> None:
        """A streaming node tells of its partial updates."""
        if firing.stage.streams:
            writers = self.loop.acceleration.original.nodes[firing.stage.name].writers
            promising = Promising(self, firing, task.config, writers, on_loop=self.loop.on_event_loop)
            task.config[CONF][PARTIALS] = promising
            tail = self._wired.tails.get(firing.stage.name)
            if tail is not None:
                from alto_lg.adapters.langgraph.streamed import follow

                follow(tail, task.config, promising)

    def may_promise(self, firing: Firing) -> bool:
        """Whether the conditional edges of a running firing may be run on what it has written so far."""
        if self._over or firing.status is not Status.RUNNING or not self.machine.may_route(firing):
            return False
        early = self._early.get(firing)
        if early is not None:
            early.settled |= self._settled(firing)
        return True

    def promised(self, firing: Firing, writes: Sequence[tuple[str, Any]]) -> None:
        """What a firing would give out if it ended now. (What else there was may come back: the end will tell.)"""
        with self.loop.lock:
            if self._over or firing.status is not Status.RUNNING:
                return
            self._wrote_so_far(firing, writes)
            packets = [value for channel, value in writes if channel == TASKS and isinstance(value, Send)]
            known = self._promised[firing]
            for index, packet in enumerate(packets):
                if index in known:
                    if equal(known[index], packet):
                        continue
                    self._act(self.machine.handle(Withdrawn(firing, index)))
                known[index] = packet
                self._act(self.machine.handle(Promised(firing, index, self._emissions.packet(packet))))

    def _wrote_so_far(self, firing: Firing, writes: Sequence[tuple[str, Any]]) -> None:
        """Those who may be given a part of a list are given what there is of it."""
        keys = self._wired.plan.unfinished
        if not keys.isdisjoint(firing.stage.writes.keys.within(self._wired.plan.keys)):
            written: defaultdict[str, list[Any]] = defaultdict(list)
            for key, value in writes:
                if key in keys:
                    written[key].append(value)
            self._unfinished.wrote_so_far(firing, written)
            self._act(self.machine.handle(WroteSoFar(firing)))

    @property
    def is_over(self) -> bool:
        return self._over

    def cannot_promise(self) -> None:
        """A conditional edge raised on a partial update."""
        self.tally.unpromised += 1

    # ── acting ──────────────────────────────────────────────────────────────────────────────────────────────

    def _act(self, commands: Sequence[Command], tasks: dict[Any, PregelExecutableTask] | None = None) -> None:
        for command in commands:
            match command:
                case Start(firing):
                    self._start(firing)
                case Release(firing):
                    self._early[firing].release(self._settled(firing))
                case Adopt(firing, key):
                    assert tasks is not None
                    self._adopt(self._early.pop(firing), tasks[key])
                case Drop(firing, why):
                    self.tally.dropped(why)
                    self._early.pop(firing).cancel()

    def _start(self, firing: Firing) -> None:
        packet = self._emissions.packet_of(firing) if firing.is_push else None
        early = self.loop.early_firing(firing)
        early.started = self.now()
        reads = firing.stage.reads.keys.within(self._wired.plan.keys) if packet is None else frozenset()
        if packet is None and firing.stage.unfinished:
            early.given = self._unfinished.give(firing, early.idle)
            reads -= frozenset(early.given)
        routes = self._settled(firing) if self.machine.conditions.gates(firing.stage) else frozenset()
        early.settled = self._wired.tops(reads) | routes
        early.values = {key: self.projection.value(key, firing.step) for key in self._wired.tops(reads)}
        try:
            task = self._preparation.task(early, packet)
        except Exception:  # a state model that refuses the values: LangGraph will raise it when it gets there
            self.machine.decline(firing)
            return
        self._early[firing] = early
        self._listen(firing, task)
        self.tally.early_starts += 1
        early.start(self, task, self._context.copy())

    def _settled(self, firing: Firing) -> frozenset[str]:
        return self._wired.tops(firing.stage.route_reads.keys.within(self._wired.plan.keys))

    def _adopt(self, early: EarlyFiring, task: PregelExecutableTask) -> None:
        """The early firing becomes LangGraph's task: the loop awaits it where it would have run it."""
        early.release(self._wired.keys)
        task.config[CONF][ANCESTRY] = early.firing.ancestry
        adopted = replace(task, proc=Handover(early, task.writes), retry_policy=(), timeout=None, cache_key=None)
        self.loop.tasks[task.id] = adopted

    # ── the committed step, in the machine's words ──────────────────────────────────────────────────────────

    def _official_of(
        self, task: PregelExecutableTask, packets: Sequence[Send], others: Mapping[Any, PregelExecutableTask]
    ) -> Official:
        stage = self._wired.plan.stages[task.name]
        path = task.path
        if path[0] == PULL and len(path) == 2:
            key: tuple[str, Any] = ("pull", task.name)
            valid, mutates = self._is_unchanged(key), self._may_mutate_state(task.name)
            return Official(key, task.name, None, valid=valid, may_mutate=mutates)
        if path[0] == PUSH and isinstance(path[1], int):
            packet = packets[path[1]]
            self._emissions.hold(packet)
            occurrence = 0
            while ("push", (id(packet), occurrence)) in others:
                occurrence += 1
            key = ("push", (id(packet), occurrence))
            mutates = self._may_mutate_left(stage) or (
                stage.may_change_packet and self._emissions.is_shared(id(packet))
            )
            return Official(key, task.name, path[1], may_mutate=mutates)
        return Official(("other", task.id), task.name, None, may_mutate=stage.may_mutate)

    def _is_unchanged(self, key: tuple[str, Any]) -> bool:
        """C3: an early firing counts only if LangGraph would have given it the same values."""
        firing = self.machine.firing(self.loop.step, key)
        if firing is None or not firing.early:
            return True
        if not self._unfinished.agree(firing):
            return False
        values = self._early[firing].values
        atoms = firing.stage.reads.keys.within(self._wired.plan.keys)
        return all(
            self._wired.same(atoms, key, value, self.projection.value(key, self.loop.step))
            for key, value in values.items()
        )

    def _may_mutate_state(self, name: str) -> bool:
        stage = self._wired.plan.stages[name]
        keys = stage.mutates.keys.within(self._wired.plan.keys)
        return self._may_mutate_left(stage) or self.changeable(keys, self.loop.step)

    def _may_mutate_left(self, stage: Stage) -> bool:
        """Asked once a step: the tasks of a fan-out are of one stage."""
        if not stage.mutates_left:
            return False
        known = self._mutates_left.get(stage.name)
        if known is None:
            known = self._mutates_left[stage.name] = self.changeable(stage.mutates_left, self.loop.step)
        return known

    def _seen(self) -> dict[str, frozenset[str]]:
        channels: Mapping[str, Any] = self.loop.channels
        return {join.channel: frozenset(channels[join.channel].seen) for join in self._wired.plan.joins}

    def _dormant(self) -> frozenset[str]:
        """Deferred nodes that wait for the end of the run, or for a step that activates nothing else."""
        plan, nodes, channels = self._wired.plan, self.loop.nodes, self.loop.channels
        return frozenset(
            name
            for name in plan.deferred
            if any(is_waiting(channels[trigger]) for trigger in nodes[name].triggers if trigger in channels)
        )

    def _values_at(self, step: int, key: str) -> Sequence[Any]:
        written = self._written[step][key] if step in self._written else ()
        certain = (entry for entry in written if entry[0].is_certain)
        return [value for _, value in sorted(certain, key=lambda entry: entry[0].ancestry.order)]
