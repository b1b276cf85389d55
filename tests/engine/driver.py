"""Driver: plays LangGraph's part against the machine, with no event loop.

Owns the state of one imagined run. Always true:
  a firing sees what LangGraph would have given it, or what the machine said was settled, and never more;
  every value is appended, so that a change in the order of writes is a change in the state;
  after each event the machine's counts agree with the firings that it knows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.machine import Machine
from alto_lg.engine.messages import (
    Adopt,
    BodyEnded,
    Command,
    Conditions,
    Drop,
    Emission,
    FiringEnded,
    FiringFailed,
    Key,
    Official,
    Packet,
    Promised,
    Release,
    Start,
    StepBegan,
    Withdrawn,
)
from alto_lg.engine.plan import Plan, Stage
from engine.plans import Known, conditions

State = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A `Send`."""

    stage: str
    payload: Any = None


Target = str | Parcel


@dataclass(frozen=True, slots=True)
class Deed:
    """What a node's body did: one more item for each key that it wrote, and where it goes by itself."""

    writes: Mapping[str, Any] = field(default_factory=dict)
    goto: Sequence[Target] = ()


Body = Callable[[Any], Deed]
Route = Callable[[State], Sequence[Target]]


@dataclass(frozen=True, slots=True, repr=False)
class Program:
    """A plan with code: bodies get the state (or the payload), routes the state with the node's own writes in it."""

    plan: Plan
    first: str
    bodies: Mapping[str, Body] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """What a failure is understood by: each stage in a line, with what is true of it."""
        lines = [_shown(one) for one in self.plan.stages.values()]
        joins = [f"{sorted(one.sources)} together to {one.target}" for one in self.plan.joins]
        return "\n".join([f"<program from {self.first}", *lines, *joins, f"routed: {sorted(self.routes)}>"])

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        printer.text(repr(self))

    def body(self, stage: str, given: Any) -> Deed:
        return self.bodies[stage](given) if stage in self.bodies else Deed()

    def emission(self, stage: Stage, deed: Deed, going: Sequence[Target]) -> Emission:
        targets = [*stage.certain, *deed.goto, *going]
        triggered = tuple(name for name in targets if isinstance(name, str) and name not in self.deferred)
        return Emission(
            keys=frozenset(deed.writes),
            activates=triggered,
            arrives=tuple((join.channel, stage.name) for join in self.plan.joins if stage.name in join.sources),
            packets=tuple(Packet(one.stage, one) for one in targets if isinstance(one, Parcel)),
        )


@dataclass(frozen=True, slots=True)
class Committed:
    """One firing, as the run committed it."""

    step: int
    stage: str
    given: Any
    writes: tuple[tuple[str, Any], ...]
    goes: tuple[str, ...]


@dataclass(slots=True)
class _Job:
    """One firing that runs: what it was given, when, and how far it is. Times are counts of events."""

    given: Any
    started: int
    route_state: State | None = None
    deed: Deed | None = None
    ended: int | None = None
    emission: Emission | None = None


class Run:
    """One run of a program, driven by the machine. `finish` what runs, in any order, until `over`."""

    def __init__(self, program: Program, allowed: Conditions | None = None, values: Known | None = None) -> None:
        self.program = program
        self.values = values or Known()
        self.machine = Machine(program.plan, allowed or conditions(), self.values, Ancestry.request())
        self.state: dict[str, tuple[Any, ...]] = dict.fromkeys(program.plan.keys, ())
        self.step = 0
        self.committed: list[Committed] = []
        self.early: list[str] = []  # "stage@step" of every early start, in order
        self.adopted: list[str] = []
        self.dropped: list[Drop] = []
        self.jobs: dict[Firing, _Job] = {}
        self.over = False
        self._now = 0
        self._written: defaultdict[int, defaultdict[str, list[tuple[Firing, Any]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._promised: defaultdict[Firing, dict[int, Parcel]] = defaultdict(dict)
        self._seen: dict[str, frozenset[str]] = {join.channel: frozenset() for join in program.plan.joins}
        self._postponed: set[str] = set()
        self._officials: dict[Key, Firing] = {}
        self._begin([(program.first, None)])

    # ── what a test does ────────────────────────────────────────────────────────────────────────────────────

    def running(self) -> list[Firing]:
        """What could finish now, earliest ancestry first. A gated firing cannot."""
        able = [firing for firing, job in self.jobs.items() if job.ended is None and not firing.gated]
        return sorted((one for one in able if one.status is Status.RUNNING), key=lambda firing: firing.ancestry.order)

    def finish(self, name: str) -> None:
        """End the running firing that is called so: "stage", "stage@step", or its ancestry as text."""
        found = [one for one in self.running() if name in (one.stage.name, _label(one), str(one.ancestry))]
        assert found, f"{name} does not run; {self.running()} do"
        self.advance(found[0])

    def finish_all(self) -> None:
        """Go on to the end, earliest ancestry first."""
        while not self.over:
            self.advance(self.running()[0])

    def advance(self, firing: Firing) -> None:
        """Let one firing run on to its end, or to its gate."""
        self._now += 1
        job = self.jobs[firing]
        if job.deed is None:
            job.deed = self.program.body(firing.stage.name, job.given)
            if firing.stage.name in self.program.routes and job.route_state is None:
                self._handle(BodyEnded(firing))
                return
        self._end(firing, job, job.deed)
        self._commit_if_done()

    def packets_to_come(self, firing: Firing) -> list[Parcel]:
        """What the body of a running firing will send, as far as that does not depend on the state."""
        deed = self.program.body(firing.stage.name, self.jobs[firing].given)
        return [target for target in deed.goto if isinstance(target, Parcel)]

    def promise(self, firing: Firing, index: int, parcel: Parcel) -> None:
        """A running firing promises a packet; another one than before for that place, if there was one."""
        if index in self._promised[firing]:
            self._handle(Withdrawn(firing, index))
        self._promised[firing][index] = parcel
        self._handle(Promised(firing, index, Packet(parcel.stage, parcel)))

    def fail(self, name: str) -> None:
        found = [one for one in self.running() if name in (one.stage.name, _label(one))]
        self._handle(FiringFailed(found[0]))

    def names(self) -> list[str]:
        """What runs now, as "stage@step"."""
        return [_label(firing) for firing in self.running()]

    # ── LangGraph's part ────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, firings: Sequence[tuple[str, Parcel | None]]) -> None:
        allowed = self.machine.conditions
        if not firings or self.step > allowed.last_step:
            self.over = True
            return
        officials: list[Official] = []
        for index, (name, parcel) in enumerate(firings):
            officials.append(self._official(name, parcel, index, {one.key for one in officials}))
        self._handle(StepBegan(self.step, tuple(officials), dict(self._seen), frozenset(self._postponed)))
        self._officials = {}
        for official, (_, parcel) in zip(officials, firings, strict=True):
            firing = self.machine.firing(self.step, official.key)
            assert firing is not None
            self._officials[official.key] = firing
            if firing not in self.jobs:
                given = self._read(firing.stage, self.step) if parcel is None else parcel.payload
                self.jobs[firing] = _Job(given, self._now)
            job = self.jobs[firing]
            for key, value in (job.route_state or {}).items():
                assert value == self.state[key], f"{firing!r} routed by another {key} than the committed one"
            job.route_state = dict(self.state)
        self._commit_if_done()

    def _official(self, name: str, parcel: Parcel | None, index: int, others: set[Key]) -> Official:
        key: Key = ("pull", name)
        if parcel is not None:
            occurrence = 0
            while ("push", (parcel, occurrence)) in others:
                occurrence += 1
            key = ("push", (parcel, occurrence))
        stage = self.program.plan.stages[name]
        known = self.machine.firing(self.step, key)
        valid = known is None or not known.early or parcel is not None
        if not valid:
            assert known is not None
            valid = self.jobs[known].given == self._read(stage, self.step)
        reads = stage.reads.keys.within(self.program.plan.keys)
        mutates = stage.mutates.keys.within(reads) & self.values.changeable_keys
        return Official(
            key, name, None if parcel is None else index, valid=valid, may_mutate=bool(mutates) and parcel is None
        )

    def _commit_if_done(self) -> None:
        if self.over or any(self.jobs[firing].ended is None for firing in self._officials.values()):
            return
        current = sorted(self._officials.values(), key=lambda firing: firing.ancestry.order)
        done = [(firing, self.jobs[firing]) for firing in current]
        self.committed.extend(_record(firing, job) for firing, job in done)
        for key in self.state:
            self.state[key] = self._at(key, self.step + 1)
        for channel, seen in self._seen.items():
            sources = next(join.sources for join in self.program.plan.joins if join.channel == channel)
            self._seen[channel] = frozenset() if seen == sources else seen
        following = self._following([job.emission for _, job in done if job.emission is not None], done)
        self._written.pop(self.step, None)
        self.step += 1
        if self._postponed and all(parcel is not None for _, parcel in following):  # packets are no triggers
            following = [*((name, None) for name in sorted(self._postponed)), *following]
            self._postponed.clear()
        self._begin(following)

    def _following(
        self, emissions: Sequence[Emission], done: Sequence[tuple[Firing, _Job]]
    ) -> list[tuple[str, Parcel | None]]:
        triggered: set[str] = set()
        sent: list[tuple[str, Parcel | None]] = []
        for emission in emissions:
            triggered.update(emission.activates)
            sent.extend((packet.stage, packet.identity) for packet in emission.packets)  # type: ignore[misc]
            for channel, source in emission.arrives:
                self._seen[channel] |= {source}
        for firing, _ in done:
            self._postponed.update(self.program.deferred & firing.stage.certain)
        for join in self.program.plan.joins:
            if self._seen[join.channel] == join.sources:
                triggered.add(join.target)
        return [*((name, None) for name in sorted(triggered)), *sent]

    # ── values ──────────────────────────────────────────────────────────────────────────────────────────────

    def _at(self, key: str, step: int) -> tuple[Any, ...]:
        items = list(self.state[key])
        for at in range(self.step, step):
            written = self._written[at][key] if at in self._written else []
            certain = [entry for entry in written if entry[0].is_certain]
            items += [value for _, value in sorted(certain, key=lambda entry: entry[0].ancestry.order)]
        return tuple(items)

    def _read(self, stage: Stage, step: int) -> State:
        return {key: self._at(key, step) for key in sorted(stage.reads.keys.within(self.program.plan.keys))}

    def _routing_state(self, stage: Stage, step: int) -> State:
        return {key: self._at(key, step) for key in sorted(stage.route_reads.keys.within(self.program.plan.keys))}

    def _end(self, firing: Firing, job: _Job, deed: Deed) -> None:
        going: Sequence[Target] = ()
        route = self.program.routes.get(firing.stage.name)
        if route is not None:
            assert job.route_state is not None
            seen = {
                key: (*job.route_state[key], *([deed.writes[key]] if key in deed.writes else []))
                for key in firing.stage.route_reads.keys.within(self.program.plan.keys)
            }
            going = route(seen)
        job.emission = self._kept(firing, self.program.emission(firing.stage, deed, going))
        job.ended = self._now
        for key, value in deed.writes.items():
            self._written[firing.step][key].append((firing, value))
        self._handle(FiringEnded(firing, job.emission))

    def _kept(self, firing: Firing, emission: Emission) -> Emission:
        """The emission, with the packets marked that are what was promised."""
        promised = self._promised.pop(firing, {})
        packets = [
            replace(packet, promised=index in promised and _same(promised[index], packet.identity))
            for index, packet in enumerate(emission.packets)
        ]
        return replace(emission, packets=tuple(packets))

    # ── the machine ─────────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, event: Any) -> None:
        commands = self.machine.handle(event)
        for command in commands:
            self._obey(command)
        check_counts(self.machine)

    def _obey(self, command: Command) -> None:
        match command:
            case Start(firing):
                parcel = firing.packet[0] if isinstance(firing.packet, tuple) else None
                given = self._read(firing.stage, firing.step) if parcel is None else parcel.payload
                job = self.jobs[firing] = _Job(given, self._now)
                self.early.append(_label(firing))
                if firing.stage.gate_at_start or self.machine.conditions.gate_at_start:
                    job.route_state = self._routing_state(firing.stage, firing.step)
            case Release(firing):
                self.jobs[firing].route_state = self._routing_state(firing.stage, firing.step)
            case Adopt(firing):
                self.adopted.append(_label(firing))
            case Drop(firing):
                self.dropped.append(command)
                del self.jobs[firing]


def _same(one: Parcel, other: Any) -> bool:
    return one.stage == other.stage and bool(one.payload == other.payload)


def check_counts(machine: Machine) -> None:
    """The frontier counts exactly the firings that are known and whose writes are not."""
    waiting = (one for one in machine.known() if one.status not in (Status.ENDED, Status.DROPPED))
    expected = Counter((one.step, one.stage.name) for one in waiting)
    counted = machine._frontier._outstanding
    assert counted == expected, f"counted {dict(counted)}, known {dict(expected)}"


def _shown(stage: Stage) -> str:
    traits = ("barrier", "pure", "touches_store", "gate_at_start", "may_interrupt", "never_early")
    about = {
        "reads": stage.reads.keys,
        "routes by": stage.route_reads.keys,
        "writes": stage.writes.keys,
        "mutates": stage.mutates.keys,
        "certain": sorted(stage.certain),
        "may": sorted(stage.successors - stage.certain),
    }
    said = [f"{words} {value}" for words, value in about.items() if value]
    return f"  {stage.name}: " + "; ".join([*said, *(trait for trait in traits if getattr(stage, trait))])


def _label(firing: Firing) -> str:
    return f"{firing.stage.name}@{firing.step}"


def _record(firing: Firing, job: _Job) -> Committed:
    assert job.deed is not None and job.emission is not None
    emission = job.emission
    goes = (*sorted(set(emission.activates)), *(packet.stage for packet in emission.packets))
    return Committed(firing.step, firing.stage.name, job.given, tuple(sorted(job.deed.writes.items())), goes)
