"""Watching: one spec, run once, and all that a user could see of it.

Owns the acting side. Always true:
  each watching has a graph, a saver, a module and a loop of its own, so nothing of one run can reach another;
  what may be changed in place later is copied when it is streamed.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dropin import compare
from dropin.watch import Tempo
from langgraph.types import Command
from sim.loop import Deadlock, Endless, Leak, run

import alto_lg
from alto_lg.adapters.langgraph.acceleration import acceleration_of
from alto_lg.errors import MissingCheckpointer
from random_graphs.build import compiled, input_of
from random_graphs.effects import Note, Notes, noting
from random_graphs.spec import Spec

App: TypeAlias = Any
Implementation = Callable[[App, Spec], App]

RESUMES_MAX = 5
_NO_SAVER = "LangGraph asked a checkpointer that is not there"
_ELAPSED = re.compile(r"elapsed: [0-9.]+s")


def plain(graph: App, spec: Spec) -> App:
    """LangGraph itself."""
    return graph


def ours(graph: App, spec: Spec) -> App:
    """The accelerated graph. How long a node holds the loop says nothing on a machine that is shared."""
    return alto_lg.accelerate(graph, overlap=spec.run.overlap, blocking_s=0)


@dataclass(frozen=True, slots=True)
class Watched:
    """One run, or one run with its resumptions: a list entry for each input that was given.

    late: what was streamed as it was when the run had ended, where that can differ from what it was when it came.
    notes: how often each node ran, by graph, step and what it saw. broken: tasks left behind, handler calls, a
    deadlock. warned: proofs that failed. Statistics are of all inputs together.
    """

    results: tuple[Any, ...]
    errors: tuple[Any, ...]
    streams: tuple[Any, ...]
    tasks: tuple[Any, ...]
    history: Any
    state: Any
    notes: Counter[tuple[Any, ...]]
    broken: str = ""
    late: Any = field(default=None, compare=False)
    warned: tuple[str, ...] = field(default=(), compare=False)
    firings: int = field(default=0, compare=False)
    early: int = field(default=0, compare=False)
    dropped: int = field(default=0, compare=False)
    plain: str | None = field(default=None, compare=False)
    times: tuple[Note, ...] = field(default=(), compare=False)
    most_at_once: int = field(default=0, compare=False)
    changed_packets: int = field(default=0, compare=False)

    @property
    def streamed(self) -> tuple[Any, ...]:
        """What came while it ran."""
        return self.results, self.tasks, self.streams

    @property
    def ended_well(self) -> bool:
        return not any(self.errors) and not self.broken


FIELDS = ("errors", "results", "state", "history", "tasks", "streams", "notes", "broken")
"""What is compared, the plainest first."""


class Bench:
    """Runs one spec again and again.

    The graph is compiled once, and accelerated once, unless its runs leave something behind outside their thread.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        nodes = list(spec.every_node())
        self._shared = not any(node.keeps or node.stirs or node.store or node.caches for node in nodes)
        self._made: dict[Implementation, tuple[App, App]] = {}
        self._threads = itertools.count()

    def graphs(self, implementation: Implementation) -> tuple[App, App]:
        """LangGraph's graph, and what the implementation makes of it."""
        if not self._shared:
            graph = compiled(self.spec)
            return graph, implementation(graph, self.spec)
        if implementation not in self._made:
            graph = self._made[plain][0] if plain in self._made else compiled(self.spec)
            self._made[implementation] = graph, implementation(graph, self.spec)
        return self._made[implementation]

    def input(self) -> dict[str, Any]:
        """What a run begins with."""
        return input_of(self.spec)

    def config(self) -> dict[str, Any]:
        """Of a thread of its own."""
        limits = {"max_concurrency": self.spec.run.at_once} if self.spec.run.at_once else {}
        thread = {"thread_id": str(next(self._threads))}
        return {"recursion_limit": self.spec.run.limit, "configurable": thread, **limits}


def watch(bench: Bench, implementation: Implementation, tempo: Tempo) -> Watched:
    """Run a spec on virtual time."""
    found = Found()
    now = _Clock()

    async def main() -> None:
        now.start()
        await _look(bench, implementation, found)

    with caught_warnings(found), noting(now, tempo.stretch) as notes:
        try:
            run(main, seed=tempo.seed, schedule=tempo.schedule)
        except (Leak, Deadlock, Endless) as broken:
            found.broken = f"{type(broken).__name__}: {broken}"
    return found.watched(notes)


class _Clock:
    """Virtual seconds, also for code that runs in what stands for a thread."""

    def __init__(self) -> None:
        self._loop: Any = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> float:
        return float(self._loop.time())


class Found:
    """What one watching has found so far."""

    def __init__(self) -> None:
        self.runs: list[tuple[Any, ...]] = []
        self.history: Any = None
        self.state: Any = None
        self.broken = ""
        self.warned: list[str] = []
        self.statistics: list[Any] = []
        self.changed_packets = 0

    def watched(self, handler: Notes) -> Watched:
        notes = handler.notes
        columns: Any = zip(*self.runs, strict=True) if self.runs else ((),) * 5
        results, errors, streams, tasks, late = columns
        counted = [one for one in self.statistics if one is not None]
        return Watched(
            results,
            errors,
            streams,
            tasks,
            self.history,
            self.state,
            Counter((note.graph, note.step, note.node, note.saw) for note in notes),
            self.broken,
            late,
            warned=tuple(self.warned),
            firings=sum(one.firings for one in counted),
            early=sum(one.early_starts for one in counted),
            dropped=sum(one.dropped for one in counted),
            plain=next((one.plain for one in counted if one.plain), None),
            times=tuple(notes),
            most_at_once=handler.most_at_once,
            changed_packets=self.changed_packets,
        )


@contextmanager
def caught_warnings(found: Found) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", alto_lg.AltoWarning)
        yield
    found.warned = [str(one.message) for one in caught if issubclass(one.category, alto_lg.AltoWarning)]


async def _look(bench: Bench, implementation: Implementation, found: Found) -> None:
    spec, config = bench.spec, bench.config()
    graph, app = bench.graphs(implementation)
    given: Any = bench.input()
    for place in range(RESUMES_MAX):
        current = graph if spec.run.handed_over and place % 2 else app
        found.runs.append(await _once(current, spec, given, config, found))
        found.statistics.append(statistics_of(current))
        if not spec.run.saver or found.runs[-1][1] is not None:
            break
        state = await graph.aget_state(config)
        given = continuation(state)
        if given is OVER:
            break
    if spec.run.saver:
        await _saved(graph, found, config)


def statistics_of(app: App) -> Any:
    """Of the last run; None where it was LangGraph's own."""
    return alto_lg.statistics(app) if acceleration_of(app) is not None else None


OVER = object()


def continuation(state: Any) -> Any:
    """The input that goes on from a pause; `OVER` where there is nothing to go on with."""
    asked = sorted(state.interrupts, key=lambda one: str(one.value))
    if len(asked) == 1:
        return Command(resume=f"re {asked[0].value}")
    if asked:
        return Command(resume={one.id: f"re {one.value}" for one in asked})
    return None if state.next else OVER


async def _saved(graph: App, found: Found, config: Any) -> None:
    """What the saver holds, as LangGraph reads it."""
    try:
        found.history = compare.history([item async for item in graph.aget_state_history(config)])
        found.state = compare.snapshot(await graph.aget_state(config, subgraphs=True))
    except Exception as raised:  # writes that conflict make LangGraph raise here, too
        found.history = compare.error(raised)


def is_changed_packet(event: compare.Event) -> bool:
    """Whether a task is announced whose packet was changed already: a list of its own begins with two items."""
    _, mode, payload = event
    begun = payload.get("payload", {}) if mode == "debug" else payload if mode == "tasks" else {}
    packet = begun.get("input")
    if not isinstance(packet, dict) or "from" not in packet:
        return False
    return any(isinstance(item, list) and item[:1] == [packet["item"]] and len(item) > 2 for item in packet.values())


async def _once(app: App, spec: Spec, given: Any, config: Any, found: Found) -> tuple[Any, ...]:
    """Result, error, streams and tasks of one input."""
    settings: Mapping[str, Any] = {"durability": spec.run.durability} if spec.run.saver else {}
    try:
        if not spec.run.modes:
            return compare.plain(await app.ainvoke(given, config, **settings)), None, [], [], None
    except Exception as raised:
        return None, error_of(raised), [], [], None
    events: list[compare.Event] = []
    copies: list[compare.Event] = []
    failure: Exception | None = None
    try:
        async for event in app.astream(given, config, stream_mode=list(spec.run.modes), subgraphs=True, **settings):
            events.append(event)
            found.changed_packets += is_changed_packet(event)
            if spec.changes_in_place:
                copies.append(copy.deepcopy(event))
    except Exception as raised:
        failure = raised
    return seen(events, copies, failure)


def seen(events: list[compare.Event], copies: list[compare.Event], failure: Exception | None) -> tuple[Any, ...]:
    """Events as they are compared: as they were when they came, and where it matters as they are now."""
    result, tasks, streams = _streamed(copies or events)
    return result, error_of(failure), streams, tasks, _streamed(events) if copies else None


def _streamed(events: list[compare.Event]) -> tuple[Any, ...]:
    return compare.result(events), compare.task_events(events), compare.streams(events)


def error_of(raised: Exception | None) -> Any:
    """An error without what a real clock measured. Where ours says LangGraph's in better words, it is of its class."""
    if isinstance(raised, MissingCheckpointer):
        return ("error", "AttributeError", _NO_SAVER)
    described = compare.error(raised)
    if described and described[1] == "AttributeError" and "_put_checkpoint_fut" in described[2]:
        return ("error", "AttributeError", _NO_SAVER)
    return described and (*described[:2], _ELAPSED.sub("", described[2]))
