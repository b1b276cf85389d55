"""One request through one arm: how long it took, when the first result came, and what came out.

Always true:
  the same code measures every arm; nothing is timed that a caller of the arm would not wait for.
  a latency begins when the request was due, so that a late start under load counts as waiting.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, cast
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from alto_lg import statistics as run_statistics
from alto_lg.apps.base import Application, Request, Span
from alto_lg.apps.spans import now, record_spans
from alto_lg.comparisons.cost import MemoryUse, ServerUse

Graph = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class EarlyWork:
    """What the engine reports of one accelerated run.

    plain: why the engine left the run to LangGraph alone; None when it did not.
    early_tools: tools that began while the model was still writing. dropped_tools: those whose results nobody took.
    """

    firings: int
    early_starts: int
    dropped: int
    time_saved_s: float
    plain: str | None = None
    early_tools: int = 0
    dropped_tools: int = 0

    def and_then(self, later: EarlyWork) -> EarlyWork:
        """Of both runs together; the reason is that of the first that has one."""
        return EarlyWork(
            self.firings + later.firings,
            self.early_starts + later.early_starts,
            self.dropped + later.dropped,
            self.time_saved_s + later.time_saved_s,
            self.plain or later.plain,
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """One request of one arm.

    position: place in the sequence of requests, which every arm is given alike.
    first_result_s: None when no update of the application's first-result node was streamed.
    cpu_s: of this process; None while requests overlap, when only a block as a whole can be told.
    limit_s: longest path of this run's own spans under the application's true dependencies.
    first_limit_s: before which the first result could not have come under the same; None where there is none.
    spans: seconds from the moment the request was due.
    early: None for plain LangGraph.
    predicted_s: by the same spans and the rules of the arm's engine; None where nobody can tell.
    server: None where it is not known; an equal share of the block's where requests overlap.
    memory: None where it is not known; that of the whole block where requests overlap.
    block: which of the blocks of arrivals, each begun with an idle server; None when one at a time.
    lead_in: it ran while its block's server was still filling up, and is in no figure.
    """

    arm: str
    position: int
    request: str
    latency_s: float
    first_result_s: float | None
    cpu_s: float | None
    limit_s: float
    first_limit_s: float | None
    answer: Any
    early: EarlyWork | None
    spans: tuple[Span, ...]
    predicted_s: float | None = None
    server: ServerUse | None = None
    memory: MemoryUse | None = None
    block: int | None = None
    lead_in: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run gave.

    thread: where a graph that keeps threads has kept this run. early: the engine's account of an accelerated run.
    """

    state: Mapping[str, Any]
    first_result_at: float | None
    thread: RunnableConfig | None = None
    early: EarlyWork | None = None


class Runner(Protocol):
    """What an arm runs."""

    async def run(self, given: Mapping[str, Any], first_result_node: str, before: Outcome | None = None) -> Outcome:
        """The answer to one input; on the thread of what came before it, if anything did."""

    async def tidy(self, outcome: Outcome) -> None:
        """Forget what the run has left behind."""


async def measure(
    runner: Runner,
    application: Application,
    request: Request,
    *,
    arm: str,
    position: int,
    due: float | None = None,
) -> Measurement:
    """Run one request now; `due` says when it should have started, where others may be running beside it."""
    alone = due is None
    clock = asyncio.get_running_loop().time
    due, cpu_before = clock() if due is None else due, time.process_time()
    with record_spans() as spans:
        outcome = await _run_all(runner, request, application.first_result_node)
    ended, cpu_after = clock(), time.process_time()
    await runner.tidy(outcome)
    return Measurement(
        arm=arm,
        position=position,
        request=request.id,
        latency_s=ended - due,
        first_result_s=None if outcome.first_result_at is None else outcome.first_result_at - due,
        cpu_s=cpu_after - cpu_before if alone else None,
        limit_s=application.limit_s(spans),
        first_limit_s=application.first_result_limit_s(spans),
        answer=json.loads(json.dumps(application.answer(outcome.state))),
        early=outcome.early,
        spans=relative(spans, due),
    )


async def _run_all(runner: Runner, request: Request, first_result_node: str) -> Outcome:
    """What a request gives in the end: of several inputs on one thread, each when the one before was answered."""
    outcome = await runner.run(request.input, first_result_node)
    for given in request.then:
        following = await runner.run(given, first_result_node, outcome)
        early = None if following.early is None or outcome.early is None else outcome.early.and_then(following.early)
        outcome = replace(following, first_result_at=outcome.first_result_at, early=early)
    return outcome


_MODES: Sequence[Literal["updates", "values"]] = ("updates", "values")


def own_thread(graph: Graph) -> RunnableConfig | None:
    """A thread that no other run has, where the graph keeps threads."""
    keeps = isinstance(graph.checkpointer, BaseCheckpointSaver)
    return {"configurable": {"thread_id": str(uuid4())}} if keeps else None


async def follow(
    graph: Graph, first_result_node: str, given: Mapping[str, Any], thread: RunnableConfig | None = None
) -> Outcome:
    """Read one run's stream to its end.

    Updates of subgraphs are asked for in every arm: in a version with a subgraph per item, that is where the
    first result appears.
    """
    watch = Watch(first_result_node)
    async for event in graph.astream(dict(given), thread, stream_mode=list(_MODES), subgraphs=True):
        watch.see(cast(_Event, event))
    return watch.outcome()


def follow_in_thread(
    graph: Graph, first_result_node: str, given: Mapping[str, Any], thread: RunnableConfig | None = None
) -> Outcome:
    """The same without an event loop."""
    watch = Watch(first_result_node)
    for event in graph.stream(dict(given), thread, stream_mode=list(_MODES), subgraphs=True):
        watch.see(cast(_Event, event))
    return watch.outcome()


_Event = tuple[tuple[str, ...], str, Mapping[str, Any]]


class Watch:
    """What of a run counts: its last state, and when the first result was seen."""

    def __init__(self, first_result_node: str) -> None:
        self._node = first_result_node
        self._state: Mapping[str, Any] | None = None
        self._first_result_at: float | None = None

    def see(self, event: _Event) -> None:
        """An event of a graph's stream."""
        namespace, mode, payload = event
        if mode != "values":
            for node in payload:
                self.tell(node)
        elif namespace == ():
            self.end(payload)

    def tell(self, node: str) -> None:
        """The update of a node has been seen."""
        if self._first_result_at is None and node == self._node:
            self._first_result_at = now()

    def end(self, state: Mapping[str, Any]) -> None:
        """This is the state, unless there is a later one."""
        self._state = state

    def outcome(self) -> Outcome:
        """All of it, when the run is over."""
        if self._state is None:
            raise RuntimeError("the run ended without a state: its graph streamed no `values`; check its input")
        return Outcome(self._state, self._first_result_at)


def early_work(graph: Graph) -> EarlyWork:
    """The engine's own account of the run that has just ended."""
    told = run_statistics(graph)
    if told is None:
        raise RuntimeError("the accelerated graph has no statistics of the run that has just ended")
    return EarlyWork(
        firings=told.firings,
        early_starts=told.early_starts,
        dropped=told.dropped,
        time_saved_s=told.time_saved_s,
        plain=told.plain,
        early_tools=told.early_tools,
        dropped_tools=told.dropped_tools,
    )


def relative(spans: Sequence[Span], due: float) -> tuple[Span, ...]:
    """The same spans with their times counted from `due`, earliest first."""
    moved = (Span(span.stage, span.item, span.started - due, span.ended - due) for span in spans)
    return tuple(sorted(moved, key=lambda span: (span.started, span.stage, span.item)))
