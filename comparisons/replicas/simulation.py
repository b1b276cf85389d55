"""A discrete-event simulation of many servers behind one client: recorded requests, the real scheduler, no waiting.

simpy keeps the events. The servers are those of the simulated server (`sim/batching.py`), the scheduler is the one that
the client pool asks (`alto_lg.routing`), and the requests are call graphs that were recorded of an arm; nothing of
these is written again here. Always true: nothing takes time but the servers; the same arguments give the same figures.

Left out: the network, the clients' own work, and whatever a node does besides asking a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import simpy

from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.replicas.call_graph import CallGraph, Trigger
from alto_lg.comparisons.replicas.jobs import END, Plan, job_of, plan_of, shared_blocks
from alto_lg.comparisons.sim.batching import BatchModel, Job, Progress
from alto_lg.comparisons.sim.profiles import PROFILES, Profile
from alto_lg.routing import Call, Rules, Scheduler, Start

_FRESH = 1 << 40
"""Numbers of blocks of one arrival are this far from those of the next."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The servers. slots, cache_blocks: None for what the profile says."""

    replicas: int
    profile: str = "h100-8b"
    slots: int | None = None
    cache_blocks: int | None = None

    @property
    def server_profile(self) -> Profile:
        """The profile of each."""
        found = PROFILES[self.profile]
        return found if self.cache_blocks is None else replace(found, cache_blocks=self.cache_blocks)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Which requests arrive when. due_s: seconds from the start. requests: positions among the recorded graphs.

    fresh: no request has been asked before: what it does not share with other requests, it shares with none, though
    its graph was replayed already. Otherwise a request that comes again finds itself in the caches.
    """

    due_s: tuple[float, ...]
    requests: tuple[int, ...]
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Simulated:
    """latencies_s: of each request, in the order of arrival, from when it was due. use: of all servers together."""

    latencies_s: tuple[float, ...]
    use: ServerUse


def simulate(graphs: Sequence[CallGraph], arrivals: Arrivals, fleet: Fleet, rules: Rules, *, seed: int) -> Simulated:
    """All arrivals on idle servers with empty caches, to the end of the last."""
    return _Simulation(graphs, arrivals, fleet, rules, seed).run()


class _Simulation:
    def __init__(self, graphs: Sequence[CallGraph], arrivals: Arrivals, fleet: Fleet, rules: Rules, seed: int) -> None:
        self.env = simpy.Environment()
        names = [str(number) for number in range(fleet.replicas)]
        self.servers = {name: _Server(self.env, fleet) for name in names}
        self.scheduler = Scheduler(names, rules, random=Random(seed))
        self.by_rank = rules.by_rank
        self.calls = self.completion_tokens = 0
        self.ended_at = 0.0
        self.running: dict[Call, _Asked] = {}
        self._arrivals, self._slots = arrivals, fleet.slots or fleet.server_profile.slots
        self._plans = [plan_of(graph) for graph in graphs]
        self.shared = shared_blocks(graphs) if arrivals.fresh else None
        self.latencies_s: dict[int, float] = {}

    def run(self) -> Simulated:
        for number, (due, request) in enumerate(zip(self._arrivals.due_s, self._arrivals.requests, strict=True)):
            _at(self.env, due, _Request(self, number, self._plans[request], due).begin)
        self.env.run()
        latencies_s = tuple(self.latencies_s[number] for number in range(len(self._arrivals.due_s)))
        uses = [server.use(self.ended_at, self._slots) for server in self.servers.values()]
        use = replace(ServerUse.together(uses), calls=self.calls, completion_tokens=self.completion_tokens)
        return Simulated(latencies_s, use)

    def submit(self, call: Call, asked: _Asked) -> None:
        self.running[call] = asked
        self.act(self.scheduler.submit(call, self.env.now))

    def act(self, decisions: Sequence[object]) -> None:
        for decision in decisions:
            assert isinstance(decision, Start), "servers of the simulation never fail, so nothing is given up"
            self.running[decision.call].start(self.servers[decision.endpoint])

    def blocks(self, blocks: Sequence[int], number: int) -> Sequence[int]:
        """Those of a template are everybody's; those of a request its own arrival's, where each arrival is fresh."""
        if self.shared is None:
            return blocks
        return [one if one in self.shared else one + (number + 1) * _FRESH for one in blocks]


class _Request:
    """One arrival: how much each of its calls still waits for."""

    __slots__ = ("due", "needs", "number", "plan", "simulation")

    def __init__(self, simulation: _Simulation, number: int, plan: Plan, due: float) -> None:
        self.simulation, self.number, self.plan, self.due = simulation, number, plan, due
        self.needs = dict(plan.needs)

    def begin(self) -> None:
        for at, needed in self.plan.needs.items():
            if not needed:
                self._go_on(at)

    def told(self, trigger: Trigger) -> None:
        """Something has happened: what waited for nothing else begins."""
        for at, one_is_enough in self.plan.begins.get(trigger, ()):
            if self.needs[at] == 0:
                assert one_is_enough, "a call begins when all that it waits for has happened, and each happens once"
                continue
            self.needs[at] -= 1
            if self.needs[at] == 0:
                self._go_on(at)

    def _go_on(self, at: int) -> None:
        simulation = self.simulation
        if at == END:
            simulation.ended_at = simulation.env.now
            simulation.latencies_s[self.number] = simulation.env.now - self.due
            return
        recorded = self.plan.graph.calls[at]
        call = Call(
            rank=self.number,
            blocks=simulation.blocks(recorded.route, self.number),
            templates=recorded.route[:1],
            prompt_tokens=recorded.prompt_tokens,
        )
        simulation.submit(call, _Asked(self, at, call))


class _Asked:
    """One call under way: which of its answers still are, and who is told of them."""

    __slots__ = ("at", "call", "left", "recorded", "request", "told")

    def __init__(self, request: _Request, at: int, call: Call) -> None:
        self.request, self.at, self.call = request, at, call
        self.recorded = request.plan.graph.calls[at]
        self.left = len(self.recorded.answers)
        self.told = 0

    def start(self, server: _Server) -> None:
        request, simulation = self.request, self.request.simulation
        simulation.calls += 1
        priority = request.number if simulation.by_rank else 0
        for choice, answer in enumerate(self.recorded.answers):
            blocks = simulation.blocks(answer.blocks, request.number)
            heard = self._heard_of_other if choice else self._heard
            server.start(job_of(self.recorded, answer, priority=priority, blocks=blocks), heard)

    def _heard(self, progress: Progress) -> None:
        """Of the first answer, which is the one that may be read while it is written."""
        simulation = self.request.simulation
        if not self.told:
            simulation.scheduler.first_token(self.call, simulation.env.now)
        marks = self.recorded.answers[0].marks[self.told : self.told + progress.tokens]
        self.told += progress.tokens
        for mark in marks:
            self.request.told(Trigger(self.at, mark))
        self._heard_of_other(progress)

    def _heard_of_other(self, progress: Progress) -> None:
        self.left -= progress.ended
        if self.left or not progress.ended:
            return
        simulation = self.request.simulation
        written = sum(answer.tokens for answer in self.recorded.answers)
        simulation.completion_tokens += written
        del simulation.running[self.call]
        simulation.act(simulation.scheduler.ended(self.call, simulation.env.now, written))
        self.request.told(Trigger(self.at))


class _Server:
    """One server model on the clock of the simulation."""

    def __init__(self, env: simpy.Environment, fleet: Fleet) -> None:
        self._env = env
        self._model = BatchModel(fleet.server_profile, slots=fleet.slots, order="priority")
        self._heard: dict[int, Callable[[Progress], None]] = {}
        self._wakes_at: float | None = None

    def start(self, job: Job, heard: Callable[[Progress], None]) -> None:
        self._heard[self._model.submit(job, self._env.now)] = heard
        self._arm()

    def use(self, elapsed_s: float, slots: int) -> ServerUse:
        counted = self._model.statistics()
        return ServerUse(
            calls=counted.submitted,
            streams=counted.submitted,
            prompt_tokens=counted.prompt_tokens,
            cached_tokens=counted.cached_tokens,
            completion_tokens=0,
            slot_s=counted.running_stream_s,
            waiting_s=counted.waiting_stream_s,
            busy_s=counted.busy_s,
            elapsed_s=elapsed_s,
            slots=slots,
            busiest_s=counted.busy_s,
            busiest_slot_s=counted.running_stream_s,
        )

    def _arm(self) -> None:
        due = self._env.now if self._model.has_undelivered else self._model.due()
        if due is not None and (self._wakes_at is None or due < self._wakes_at):
            # A later wake-up that is set already finds nothing new, and sets the next one.
            self._wakes_at = due
            _at(self._env, due, lambda: self._wake(due))

    def _wake(self, due: float) -> None:
        if self._wakes_at != due:
            return
        self._wakes_at = None
        for progress in self._model.advance(self._env.now):
            heard = self._heard.pop(progress.stream) if progress.ended else self._heard[progress.stream]
            heard(progress)
        self._arm()


def _at(env: simpy.Environment, due: float, act: Callable[[], None]) -> None:
    event = env.timeout(max(0.0, due - env.now))
    assert event.callbacks is not None
    event.callbacks.append(lambda _: act())
