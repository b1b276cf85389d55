"""What an arm runs, behind one face: a graph on the event loop, a graph on threads, or a program written by hand.

Always true: each is given the same input and watched for the same first result; what of it is no part of the answer to
a request, such as deleting a conversation that is over, is done in `tidy`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver

from alto_lg import accelerate
from alto_lg.apps.base import Application, ModelEndpoint, Program
from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.measure import (
    Graph,
    Outcome,
    Runner,
    Watch,
    early_work,
    follow,
    follow_in_thread,
    own_thread,
)


@dataclass(frozen=True, slots=True)
class GraphRunner:
    """A graph, read by `astream`."""

    graph: Graph
    accelerated: bool

    async def run(self, given: Mapping[str, Any], first_result_node: str, before: Outcome | None = None) -> Outcome:
        """One run, on a thread of its own where the graph keeps threads and nothing came before it."""
        thread = own_thread(self.graph) if before is None else before.thread
        outcome = await follow(self.graph, first_result_node, given, thread)
        # Read before anything is awaited: the engine keeps the statistics of the run that ended last.
        return replace(outcome, thread=thread, early=early_work(self.graph) if self.accelerated else None)

    async def tidy(self, outcome: Outcome) -> None:
        """What earlier requests have left behind is no part of the next one's memory."""
        if outcome.thread is not None:
            saver = cast(BaseCheckpointSaver[Any], self.graph.checkpointer)
            await saver.adelete_thread(outcome.thread["configurable"]["thread_id"])


@dataclass(frozen=True, slots=True)
class ThreadRunner:
    """The same graph, read by `stream` in a thread; one run at a time."""

    graph: Graph
    accelerated: bool

    async def run(self, given: Mapping[str, Any], first_result_node: str, before: Outcome | None = None) -> Outcome:
        """One run, and what it notes is noted for who asked."""
        return await asyncio.to_thread(self._run, given, first_result_node, before)

    def _run(self, given: Mapping[str, Any], first_result_node: str, before: Outcome | None) -> Outcome:
        thread = own_thread(self.graph) if before is None else before.thread
        outcome = follow_in_thread(self.graph, first_result_node, given, thread)
        return replace(outcome, thread=thread, early=early_work(self.graph) if self.accelerated else None)

    async def tidy(self, outcome: Outcome) -> None:
        """As for a graph on the event loop."""
        if outcome.thread is not None:
            saver = cast(BaseCheckpointSaver[Any], self.graph.checkpointer)
            await asyncio.to_thread(saver.delete_thread, outcome.thread["configurable"]["thread_id"])


@dataclass(frozen=True, slots=True)
class ProgramRunner:
    """A program written by hand."""

    program: Program

    async def run(self, given: Mapping[str, Any], first_result_node: str, before: Outcome | None = None) -> Outcome:
        """One run; the program tells when an update of a node would have been seen."""
        watch = Watch(first_result_node)
        known = {} if before is None else before.state
        watch.end(await self.program.run({**known, **given}, watch.tell))
        return watch.outcome()

    async def tidy(self, outcome: Outcome) -> None:
        """A program keeps nothing."""


def build_runner(
    arm: Arm, application: Application, endpoint: ModelEndpoint, *, corpus: Path | None, in_threads: bool = False
) -> Runner:
    """What this arm runs.

    Accelerated arms are built with eager events, because time to first result is what a reader of the stream
    sees; the contents and the final state are the same either way.
    """
    if arm.engine == "staged":
        return ProgramRunner(cast(Any, application).staged(endpoint, corpus=corpus))
    if arm.engine == "asyncio":
        return ProgramRunner(application.by_hand(endpoint, corpus=corpus))
    graph = application.build(arm.version, endpoint, corpus=corpus)
    if arm.accelerated:
        graph = accelerate(graph, events="eager")
    elif arm.peer is not None:
        graph = arm.peer.apply(graph)
    return (ThreadRunner if in_threads else GraphRunner)(graph, arm.accelerated)
