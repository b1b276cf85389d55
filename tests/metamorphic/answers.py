"""Answers: one way to run one graph on ours, and what came of it.

Owns the acting. Always true: a graph is run to its end, through every pause and question, each answered by its text.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dropin import compare
from dropin.watch import App, Durability, Tempo
from random_graphs.build import compiled, input_of
from random_graphs.effects import noting
from random_graphs.spec import Spec
from random_graphs.watching import OVER, continuation
from sim.loop import run
from stateful.early import counted

import alto_lg
from alto_lg.adapters.langgraph.acceleration import acceleration_of

ROUNDS_MAX = 60
LIMIT = 40
SHUFFLED = Tempo(1, "shuffle")
THREAD: dict[str, Any] = {"thread_id": "1"}


def ours(graph: App) -> App:
    """How long a node holds the loop says nothing on a machine that is shared."""
    return alto_lg.accelerate(graph, blocking_s=0)


def unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to run a graph.

    build: the graph, before it is accelerated. back: from its answer to what the original would have given.
    pauses: static interrupts that are given with each call. What the last call returns may lack what only the calls
    before it had to show, so that the saved state alone is compared. on_threads: by the sync methods.
    """

    spec: Spec
    name: str = "as it is"
    build: Callable[[Spec], App] = compiled
    accelerate: Callable[[App], App] = ours
    tempo: Tempo = SHUFFLED
    durability: Durability = "async"
    config: Mapping[str, Any] = field(default_factory=dict)
    pauses: tuple[str, ...] = ()
    on_threads: bool = False
    back: Callable[[Any], Any] = unchanged


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a run.

    values: what the last call returned: the state, or None of a run that wrote nothing. saved: of the state.
    """

    error: str
    values: Any
    saved: Any
    early: int = field(compare=False, default=0)


def answer(variant: Variant) -> Answer:
    """Run it to the end."""
    app = variant.accelerate(variant.build(variant.spec))
    assert acceleration_of(app) is not None, f"{variant.name} is not accelerated"
    with noting(lambda: 0.0, variant.tempo.stretch, threads=variant.on_threads), counted() as early:
        if variant.on_threads:
            found = asyncio.run(_finish(variant, app))
        else:
            tempo = variant.tempo
            found = run(lambda: _finish(variant, app), seed=tempo.seed, schedule=tempo.schedule).result
    error, values, saved = found
    return Answer(error, variant.back(compare.plain(values)), variant.back(saved), early.starts)


async def _finish(variant: Variant, app: App) -> tuple[str, Any, Any]:
    """The class of its error, the last state, and the state that is saved."""
    config = {"recursion_limit": LIMIT, **variant.config, "configurable": THREAD}
    given: Any = input_of(variant.spec)
    values: Any = None
    for _ in range(ROUNDS_MAX):
        try:
            values = await _once(variant, app, given, config)
        except Exception as raised:
            return type(raised).__name__, None, None
        given = continuation(await app.aget_state(config))
        if given is OVER:
            state = await app.aget_state(config)
            return "", values, {"values": compare.plain(state.values), "tasks": len(state.tasks)}
    raise AssertionError(f"{variant.name}: not at its end after {ROUNDS_MAX} inputs")


async def _once(variant: Variant, app: App, given: Any, config: Any) -> Any:
    settings: dict[str, Any] = {"durability": variant.durability}
    if variant.pauses:
        settings["interrupt_before"] = list(variant.pauses)
    if variant.on_threads:
        return await asyncio.to_thread(app.invoke, given, config, **settings)
    return await app.ainvoke(given, config, **settings)


def chance(seed: int, name: str) -> random.Random:
    """What one relation draws for one graph."""
    return random.Random(f"{name} of {seed}")
