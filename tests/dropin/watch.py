"""Watch: run one shape on one implementation and write down all that a user could see.

Owns the acting side of the bench; `compare.py` says what is the same. Always true:
  each watching has a graph, a saver and a loop of its own, so nothing of one run can reach another;
  a delay depends on the tempo and on the delay asked for only, so both implementations get the same.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from langgraph.checkpoint.memory import InMemorySaver
from sim.loop import Outcome, Schedule, run

from dropin import compare
from dropin.shapes.base import Shape, Sleep

App: TypeAlias = Any
"""A compiled graph. LangGraph's overloads want literal settings, and the settings here are data."""

Implementation = Callable[..., App]
"""`accelerate`, or `plain_langgraph`: a compiled graph and options to the graph that is run."""

Durability = Literal["sync", "async", "exit"]
MODES = ("values", "updates", "tasks", "checkpoints", "debug", "custom", "messages")
PACES = (1.0, 0.1, 3.0, 0.5, 7.0, 0.02, 1.5)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How one run is scheduled: the loop's seed and order, and how far its delays are stretched."""

    seed: int = 0
    schedule: Schedule = "fifo"
    stretch: int = 0

    def sleep(self) -> Sleep:
        return asyncio.sleep if self.stretch == 0 else stretched(self.stretch)

    def __str__(self) -> str:
        return f"{self.schedule}-{self.seed}-stretch{self.stretch}"


def stretched(stretch: int) -> Sleep:
    """Delays changed by a factor that depends on the delay, so that other nodes become the slow ones."""

    async def sleep(seconds: float) -> None:
        place = (stretch * 5 + round(seconds * 1000) * 3) % len(PACES)
        await asyncio.sleep(seconds * PACES[place])

    return sleep


@dataclass(frozen=True, slots=True)
class Seen:
    """One run, or one run with its resumptions: a list entry for each input that was given."""

    results: tuple[Any, ...]
    errors: tuple[Any, ...]
    streams: tuple[Any, ...]
    tasks: tuple[Any, ...]
    history: Any
    state: Any
    elapsed_s: float = field(compare=False, default=0.0)


def plain_langgraph(graph: App, **options: Any) -> App:
    """LangGraph itself: takes the options of `accelerate` and needs none of them."""
    return graph


def compiled(shape: Shape, sleep: Sleep, implementation: Implementation, *, saver: Any = None) -> App:
    graph = shape.build(sleep).compile(checkpointer=saver, name=shape.name, **shape.compile())
    return implementation(graph, **shape.options)


def input_of(shape: Shape) -> Any:
    """A copy: some nodes change what they were given."""
    return copy.deepcopy(shape.input)


def config_of(shape: Shape, thread: str = "1") -> dict[str, Any]:
    return {**shape.config, "configurable": {**shape.config.get("configurable", {}), "thread_id": thread}}


def watch(shape: Shape, implementation: Implementation, tempo: Tempo, durability: Durability = "async") -> Seen:
    """Run a shape on virtual time with every stream mode on."""

    async def main() -> Seen:
        app = compiled(shape, tempo.sleep(), implementation, saver=InMemorySaver())
        return await look(app, shape, durability)

    outcome = run(main, seed=tempo.seed, schedule=tempo.schedule)
    return _with_time(outcome)


async def look(
    app: App,
    shape: Shape,
    durability: Durability = "async",
    *,
    resumed_by: App | None = None,
    thread: str = "1",
) -> Seen:
    """All that one thread shows, over the input and every resumption, which another app may take over."""
    config = config_of(shape, thread)
    found: list[tuple[Any, Any, Any, Any]] = [await stream_once(app, shape, input_of(shape), durability, thread)]
    for resume in shape.resumes:
        app = resumed_by or app
        state = await app.aget_state(config)
        found.append(await stream_once(app, shape, resume(state), durability, thread))
    results, errors, streams, tasks = zip(*found, strict=True)
    return Seen(results, errors, streams, tasks, await history_of(app, config), await state_of(app, config))


async def history_of(app: App, config: Any) -> Any:
    """Every saved state of a thread. Writes that conflict make LangGraph raise here too."""
    try:
        return compare.history([item async for item in app.aget_state_history(config)])
    except Exception as raised:
        return compare.error(raised)


async def state_of(app: App, config: Any) -> Any:
    try:
        return compare.snapshot(await app.aget_state(config, subgraphs=True))
    except Exception as raised:
        return compare.error(raised)


async def stream_once(
    app: App, shape: Shape, given: Any, durability: Durability, thread: str
) -> tuple[Any, Any, Any, Any]:
    """Result, error, streams and task events of one input."""
    events: list[compare.Event] = []
    failure: Exception | None = None
    settings: Mapping[str, Any] = {"context": shape.context, "durability": durability, "subgraphs": True}
    try:
        async for event in app.astream(given, config_of(shape, thread), stream_mode=list(MODES), **settings):
            events.append(event)
    except Exception as raised:
        failure = raised
    return compare.result(events), compare.error(failure), compare.streams(events), compare.task_events(events)


def invoke(shape: Shape, implementation: Implementation, tempo: Tempo) -> Outcome[Any]:
    """Only the final answer or the error, without a saver and without streams: what most callers do."""

    async def main() -> Any:
        app = compiled(shape, tempo.sleep(), implementation)
        try:
            state = await app.ainvoke(input_of(shape), dict(shape.config), context=shape.context)
            return compare.result([((), "values", state)])
        except Exception as raised:
            return compare.error(raised)

    return run(main, seed=tempo.seed, schedule=tempo.schedule)


def _with_time(outcome: Outcome[Seen]) -> Seen:
    seen = outcome.result
    return Seen(seen.results, seen.errors, seen.streams, seen.tasks, seen.history, seen.state, outcome.elapsed_s)
