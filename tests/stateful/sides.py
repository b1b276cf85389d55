"""Sides: one of the two that live the same life, with a saver of its own.

Owns the acting. Always true:
  both apps of a side share its saver, its nodes and its cache, so whichever runs a thread finds all of it;
  what an operation showed is written down, whether it ended well or not; nothing is judged here.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from crashes.stopping import no_collector, run_until
from dropin import compare
from dropin.watch import App, state_of
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, StateUpdate
from random_graphs.build import compiled, input_of
from random_graphs.effects import noting
from random_graphs.spec import Spec

from stateful.early import counted
from stateful.graphs import LIMIT
from stateful.operations import (
    Bulk,
    Calm,
    Cancel,
    Crash,
    Cut,
    Delete,
    Fork,
    GoOn,
    Invoke,
    Resume,
    StopEarly,
    Together,
    Travel,
    Update,
)

Runner = Literal["langgraph", "alto"]
OTHER: dict[Runner, Runner] = {"langgraph": "alto", "alto": "langgraph"}
MODES = ("values", "updates", "debug")


@dataclass(slots=True)
class Seen:
    """What one operation showed, on one thread. ended: False for a run that was cut and had to be carried on."""

    result: Any = None
    error: Any = None
    events: list[compare.Event] = field(default_factory=list)
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Life:
    """What is saved of a thread: its newest state, the newest part of its history, and how much there is of it."""

    head: Any
    history: Any
    checkpoints: Counter[tuple[str, ...]]


class World(Protocol):
    """Where a side runs: on virtual time, or on threads."""

    threads: bool

    def app(self, raw: App) -> App:
        """With the async methods of a graph, whatever they do."""

    def run(self, main: Callable[[], Coroutine[Any, Any, Any]], seed: int) -> Any:
        """Run to the end; nothing may be left."""


class Side:
    """A graph, its saver, and both apps of it."""

    def __init__(self, spec: Spec, runner: Runner, world: World, accelerate: Callable[[App], App]) -> None:
        graph = compiled(spec)
        self.spec = spec
        self.runner = runner
        self.saver: InMemorySaver = graph.checkpointer
        self.early = 0
        self._cache = graph.cache
        self._world = world
        self._apps: dict[Runner, App] = {"langgraph": world.app(graph), "alto": world.app(accelerate(graph))}

    @property
    def app(self) -> App:
        return self._apps[self.runner]

    def hand_over(self) -> None:
        self.runner = OTHER[self.runner]

    def reborn(self, runner: Runner) -> None:
        """As if nothing had happened yet."""
        self.runner, self.early = runner, 0
        self.saver.storage.clear()
        self.saver.writes.clear()
        self.saver.blobs.clear()
        if self._cache is not None:
            self._cache.clear()

    # ── operations ──────────────────────────────────────────────────────────────────────────────────────────

    def play(self, operation: Calm | Cut | Together, seed: int) -> tuple[list[Seen], Counter[Any]]:
        """What it showed, and which nodes ran how often."""
        seed = seed if self.runner == "alto" else 0
        with noting(lambda: 0.0, threads=self._world.threads) as noted, counted() as early:
            if isinstance(operation, Crash):
                seen = [self._crash(operation, seed)]
            else:
                seen = self._world.run(lambda: self._played(operation), seed)
        self.early += early.starts
        return seen, Counter((note.graph, note.step, note.node, note.saw) for note in noted.notes)

    async def _played(self, operation: Calm | Cut | Together) -> list[Seen]:
        match operation:
            case Together():
                return list(await asyncio.gather(self._calm(operation.first), self._calm(operation.second)))
            case StopEarly():
                return [await self._stop_early(operation)]
            case Cancel():
                return [await self._cancel(operation)]
        return [await self._calm(operation)]

    async def _calm(self, operation: Calm) -> Seen:
        seen = Seen()
        try:
            await self._do(operation, seen)
        except Exception as raised:
            seen.error = compare.error(raised)
        return seen

    async def _do(self, operation: Calm, seen: Seen) -> None:
        config = config_of(operation.thread)
        match operation:
            case Invoke(streams=True):
                settings = {"stream_mode": list(MODES), "subgraphs": True, "durability": operation.durability}
                async for event in self.app.astream(self._input(operation.choice), config, **settings):
                    seen.events.append(event)
            case Invoke():
                await self._run(self._input(operation.choice), config, operation.durability, seen)
            case GoOn():
                await self._run(None, config, operation.durability, seen)
            case Resume():
                await self._run(await self._answers(operation), config, operation.durability, seen)
            case Travel():
                past = await self._past(operation.thread, operation.back)
                await self._run(None, past, operation.durability, seen)
            case Update():
                await self.app.aupdate_state(config, self._update(operation.key), as_node=self._node(operation.node))
            case Bulk():
                steps = [[StateUpdate(self._update(key), self._node(node))] for key, node in operation.updates]
                await self.app.abulk_update_state(config, steps)
            case Fork():
                past = await self._past(operation.thread, operation.back)
                values, node = self._update(operation.key), self._node(operation.node)
                new = {**config, **await self.app.aupdate_state(past, values, as_node=node)}
                if operation.runs_on:
                    await self._run(None, new, "async", seen)
            case Delete():
                await self.saver.adelete_thread(operation.thread)

    async def _run(self, given: Any, config: Any, durability: str, seen: Seen) -> None:
        state = await self.app.ainvoke(given, config, durability=durability)
        seen.result = compare.result([((), "values", state)])

    # ── runs that are cut ───────────────────────────────────────────────────────────────────────────────────

    async def _stop_early(self, operation: StopEarly) -> Seen:
        """Closed after all events of a step, which is the same point on both sides."""
        seen, before = Seen(), self.newest(operation.thread)
        given, config = self._input(operation.choice), config_of(operation.thread)
        try:
            async with aclosing(self.app.astream(given, config, stream_mode="values")) as states:
                async for state in states:
                    seen.events.append(((), "values", state))
                    if len(seen.events) == operation.states:
                        seen.ended = False
                        break
        except Exception as raised:
            seen.error = compare.error(raised)
        if not seen.ended:
            await _settled()
            await self._carry_on(operation, before, "async", seen)
        return seen

    async def _cancel(self, operation: Cancel) -> Seen:
        seen, before = Seen(), self.newest(operation.thread)
        running = asyncio.ensure_future(
            self._calm(Invoke(operation.thread, operation.choice, operation.durability)),
        )
        asyncio.get_running_loop().call_later((operation.at_ms + 0.5) / 1000, running.cancel)
        await asyncio.wait([running])
        if not running.cancelled():
            return running.result()
        seen.ended = False
        await _settled()
        await self._carry_on(operation, before, operation.durability, seen)
        return seen

    def _crash(self, operation: Crash, seed: int) -> Seen:
        """Nothing that the dead run's tasks do while they are buried may reach the saver."""
        before = self.newest(operation.thread)
        invoke = Invoke(operation.thread, operation.choice, operation.durability)
        with no_collector():
            ran = run_until(lambda: self._calm(invoke), seed=seed, schedule="shuffle", stop_at=operation.turn)
            if ran.stopped is None:
                return ran.result
            kept = copy.deepcopy((self.saver.storage, self.saver.writes, self.saver.blobs))
            ran.stopped.bury()
            self.saver.storage, self.saver.writes, self.saver.blobs = kept
        seen = Seen(ended=False)
        self._world.run(lambda: self._carry_on(operation, before, operation.durability, seen), seed)
        return seen

    async def _carry_on(self, operation: Cut, before: str | None, durability: str, seen: Seen) -> None:
        """Whoever cut the run looks at what is saved: an input that left no trace is given again."""
        accepted = self.newest(operation.thread) != before
        if operation.hands_over:
            self.hand_over()
        given = None if accepted else self._input(operation.choice)
        try:
            await self._run(given, config_of(operation.thread), durability, seen)
        except Exception as raised:
            seen.error = compare.error(raised)

    # ── what is saved ───────────────────────────────────────────────────────────────────────────────────────

    def newest(self, thread: str) -> str | None:
        """The id of the newest checkpoint."""
        return max(self.saver.storage[thread][""], default=None) if thread in self.saver.storage else None

    def checkpoints(self, thread: str) -> Counter[tuple[str, ...]]:
        """How many there are of the graph and of each subgraph."""
        counts: Counter[tuple[str, ...]] = Counter()
        for namespace, saved in dict(self.saver.storage.get(thread, {})).items():
            counts[tuple(part.split(":", 1)[0] for part in namespace.split("|"))] += len(saved)
        return counts

    def life(self, thread: str, newest: int | None) -> Life:
        """The thread, as the app that runs it now tells it."""
        return self._world.run(lambda: self._life(thread, newest), 0)

    async def _life(self, thread: str, newest: int | None) -> Life:
        config = config_of(thread)
        head = await state_of(self.app, config)
        try:
            saved = [item async for item in self.app.aget_state_history(config, limit=newest)]
            history = compare.history(saved)
        except Exception as raised:
            history = compare.error(raised)
        return Life(head, history, self.checkpoints(thread))

    async def _past(self, thread: str, back: int) -> Any:
        saved = [item async for item in self.app.aget_state_history(config_of(thread), limit=back + 1)]
        past = saved[-1].config if saved else {}
        return {**config_of(thread), **past}

    # ── what is given ───────────────────────────────────────────────────────────────────────────────────────

    def _input(self, choice: int) -> dict[str, Any]:
        return {
            key: value + choice if isinstance(value, int) and self.spec.kind(key) != "count" else value
            for key, value in input_of(self.spec).items()
        }

    def _update(self, place: int) -> dict[str, Any]:
        key = self.spec.keys[place % len(self.spec.keys)]
        return {key.name: updated(key.kind, place)}

    def _node(self, place: int | None) -> str | None:
        return None if place is None else self.spec.nodes[place % len(self.spec.nodes)].name

    async def _answers(self, operation: Resume) -> Any:
        state = await self.app.aget_state(config_of(operation.thread))
        questions = [question for task in state.tasks for question in task.interrupts]
        chosen = {
            question.id: f"{operation.answer} {place}"
            for place, question in enumerate(questions)
            if operation.which >> place & 1
        }
        return Command(resume=chosen or operation.answer)


async def _settled() -> None:
    """LangGraph goes on saving the errors of tasks that it cancelled after the run has ended."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        await asyncio.wait(left)


def config_of(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}, "recursion_limit": LIMIT}


def updated(kind: str, place: int) -> Any:
    """A value for a key, which LangGraph accepts from outside."""
    match kind:
        case "box" | "list" | "grown" | "delta":
            return [f"told {place}"]
        case "messages":
            return [HumanMessage(content=f"told {place}", id=f"told {place}")]
        case "weave":
            return f"told{place}"
    return place + 1
