"""Omniscient: which firings of a plain run could have begun before their step, for one who knows everything.

Owns the yardstick for early starts. From LangGraph's own run it takes who wrote what, who sent what to whom, and how
long each took; from the spec, what each node truly reads. A firing could start early if all that it needs had been
there, in a run without steps, before LangGraph began its step. Barriers of the contract stay: what is deferred,
handles errors, touches the store, declares a barrier or changes a value in place begins in its own step.
Left out on both sides are subgraphs, and nodes that make their note after their rest.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dropin.watch import Tempo
from langgraph.pregel import Pregel
from langgraph.pregel._loop import AsyncPregelLoop
from sim.loop import run

from alto_lg.adapters.langgraph.internals import TASKS, with_names
from random_graphs.build import compiled, input_of
from random_graphs.effects import noting
from random_graphs.spec import Node, Spec
from random_graphs.watching import Bench, ours, watch

SOONER_S = 1e-6


@dataclass(slots=True)
class Fired:
    """One firing of the plain run; the last two are times of the omniscient one."""

    step: int
    node: str
    is_push: bool
    triggers: tuple[str, ...]
    needs: list[Fired]
    began_s: float
    ended_s: float = 0.0
    writes: list[tuple[str, Any]] = field(default_factory=list)
    could_begin_s: float = 0.0
    could_end_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """Firings that could start early, and those of them that did."""

    could: int = 0
    did: int = 0


def measurable(spec: Spec) -> bool:
    """Whether early starts are possible by the contract, and the run is not meant to stop."""
    asks = any(node.asks for node in spec.every_node())
    run = spec.run
    return not (asks or run.stops_before or run.stops_after or run.at_once or run.durability == "sync")


def share_of(spec: Spec) -> Share:
    """Compare ours with the yardstick, on the same delays."""
    fired = _plain_run(spec)
    if fired is None:
        return Share()
    nodes = {node.name: node for node in spec.nodes}
    _imagine(spec, nodes, fired)
    counted = [one for one in fired if one.node in nodes and _is_counted(nodes[one.node])]
    could = Counter((one.step, one.node) for one in counted if one.could_begin_s < one.began_s - SOONER_S)
    began = {one.step: one.began_s for one in fired}
    times = watch(Bench(spec), ours, Tempo()).times
    did = Counter(
        (note.step, note.node)
        for note in times
        if not note.graph and note.step in began and note.at_s < began[note.step] - SOONER_S
    )
    return Share(could.total(), (could & did).total())


def _is_counted(node: Node) -> bool:
    return node.inner is None and not node.late


def _plain_run(spec: Spec) -> list[Fired] | None:
    """The firings of LangGraph's run, in order; None if it did not end well."""
    trace = _Trace()
    graph = compiled(spec)

    async def main() -> None:
        limits = {"recursion_limit": spec.run.limit, "configurable": {"thread_id": "1"}}
        async for _ in trace.astream(graph, input_of(spec), limits, stream_mode="values"):
            pass

    with noting(lambda: 0.0):
        try:
            run(main)
        except Exception:
            return None
    return trace.fired


class _Trace:
    """LangGraph's loop, which also writes down what it does."""

    def __init__(self) -> None:
        self.fired: list[Fired] = []
        by_task: dict[str, Fired] = {}
        senders: dict[int, Fired] = {}
        packets_kept: list[Any] = []
        fired = self.fired

        class Traced(AsyncPregelLoop):
            def tick(self) -> bool:
                more = super().tick()
                if more:
                    queue = self.channels[TASKS]
                    packets = list(queue.get()) if queue.is_available() else []
                    now = self._now()
                    for task in self.tasks.values():
                        sent = task.path[0] != "__pregel_pull"
                        needs = [senders[id(packets[task.path[1]])]] if sent else []  # type: ignore[index]
                        one = Fired(self.step, task.name, sent, tuple(task.triggers), needs, now)
                        by_task[task.id] = one
                        fired.append(one)
                return more

            def put_writes(self, task_id: str, writes: Any, **cached: Any) -> None:
                super().put_writes(task_id, writes, **cached)
                one = by_task.get(task_id)
                if one is not None:
                    one.ended_s, one.writes = self._now(), list(writes)
                    for channel, value in writes:
                        if channel == TASKS:
                            senders[id(value)] = one
                            packets_kept.append(value)

            def _now(self) -> float:
                return asyncio.get_running_loop().time()

        self.astream = with_names(Pregel.astream, AsyncPregelLoop=Traced)


def _imagine(spec: Spec, nodes: dict[str, Node], fired: Iterable[Fired]) -> None:
    """The same firings without steps."""
    every = frozenset(key.name for key in spec.keys)
    wrote: defaultdict[str, list[Fired]] = defaultdict(list)  # by key or trigger, all of earlier steps
    steps: defaultdict[int, list[Fired]] = defaultdict(list)
    for one in fired:
        steps[one.step].append(one)
    committed_s = barrier_s = 0.0
    for step in sorted(steps):
        for one in steps[step]:
            node = nodes.get(one.node)
            needed = [*one.needs]
            if not one.is_push:
                needed += _triggered_by(one, wrote)
                needed += [other for key in _reads(node, every) for other in wrote[key]]
            begin = max([barrier_s, *(other.could_end_s for other in needed)])
            if node is not None and _keeps_to_its_step(node):
                begin = committed_s
            one.could_begin_s = begin
            settled = [other.could_end_s for key in _route_reads(node) for other in wrote[key]]
            one.could_end_s = max([begin + one.ended_s - one.began_s, *settled])
        for one in steps[step]:
            committed_s = max(committed_s, one.could_end_s)
            node = nodes.get(one.node)
            if node is not None and ("barrier" in node.declares):
                barrier_s = max(barrier_s, one.could_end_s)
            for channel in {channel for channel, _ in one.writes}:
                wrote[channel].append(one)
            if node is not None and node.mutates:
                wrote[node.mutates].append(one)


def _triggered_by(one: Fired, wrote: dict[str, list[Fired]]) -> Iterable[Fired]:
    """Who led to it: in the step before, or at any time to a join."""
    for trigger in one.triggers:
        at_once = trigger.startswith("branch:")
        yield from (other for other in wrote[trigger] if not at_once or other.step == one.step - 1)


def _reads(node: Node | None, every: frozenset[str]) -> frozenset[str]:
    if node is None:
        return frozenset()
    if node.whole:
        return every
    if node.inner is not None:
        return every & {key.name for key in node.inner.keys}
    goto = {node.goto.by, *node.goto.payload} if node.goto is not None else set()
    return frozenset({*node.reads, node.keeps, node.mutates, *goto}) & every


def _route_reads(node: Node | None) -> frozenset[str]:
    routes = node.routes if node is not None else ()
    return frozenset(key for way in routes for key in (way.by, *way.payload) if key)


def _keeps_to_its_step(node: Node) -> bool:
    return bool(node.defers or node.handled or node.store or node.mutates or node.stirs or "barrier" in node.declares)
