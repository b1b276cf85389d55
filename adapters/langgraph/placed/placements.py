"""Placements: the placed nodes of one graph, their workers, and how long these live.

Owns the workers. Always true:
  what cannot run elsewhere is refused when the graph is accelerated, with the reason;
  workers start at the first firing that needs them, or when the graph is entered by `with`; they serve all runs of
  the graph and of its copies, and end with `close`, with the last copy, or with the process.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from alto_lg.adapters.langgraph.functions import function_of
from alto_lg.adapters.langgraph.internals import Pregel, PregelNode
from alto_lg.adapters.langgraph.placed.checks import check_placement, far_code, refuse_unpicklable
from alto_lg.adapters.langgraph.placed.grouping import Grouping
from alto_lg.adapters.langgraph.placed.nodes import Far, FarNode, ThreadNode, far_stream
from alto_lg.adapters.langgraph.placed.sending import Sender
from alto_lg.adapters.langgraph.placed.sentinels import keep_sentinels
from alto_lg.adapters.langgraph.tools.answering import is_repeatable
from alto_lg.adapters.placement.calling import Caller
from alto_lg.adapters.placement.costs import PlacementStatistics
from alto_lg.adapters.placement.group_leases import GroupLeases
from alto_lg.adapters.placement.leases import Leases
from alto_lg.adapters.placement.workers import CannotStart, Workers
from alto_lg.engine.plan import Stage
from alto_lg.errors import NoWorker
from alto_lg.hints import STREAMING
from alto_lg.placement import Placement, ProcessPlacement, RayPlacement, ThreadPlacement

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.wired import WiredPlan

_ASYNC_CONCURRENCY = 64


class Placements:
    """Of one accelerated graph that has any."""

    def __init__(self, graph: Pregel, placement: Mapping[str, Placement]) -> None:
        check_placement(graph, placement)
        keep_sentinels()
        self._placement = placement
        self._graph = graph
        self._workers: dict[str, Workers] = {}
        self._threads: dict[str, _Threads] = {}
        self._groupings: dict[str, Grouping] = {}
        self._wired: Callable[[], WiredPlan]
        self._finalizer: Any = None

    def bind(self, acceleration: Any) -> None:
        """The workers end when what carries them is gone."""
        alive = weakref.ref(acceleration)

        def wired() -> WiredPlan:
            found = alive()
            assert found is not None, "the graph of a running node is held by the call that runs it"
            plan: WiredPlan = found.wired
            return plan

        self._wired = wired
        self._finalizer = weakref.finalize(acceleration, _close, (*self._workers.values(), *self._threads.values()))

    def placed(self, nodes: dict[str, PregelNode]) -> dict[str, PregelNode]:
        """The nodes of the accelerated graph, those that are placed with another runnable."""
        for name, placement in self._placement.items():
            nodes[name].bound = self._runnable(name, placement, nodes[name].bound)
        return nodes

    def start(self) -> None:
        """Start all workers now, and wait until each node has one.

        Raises:
            NoWorker: A node has none.
        """
        for name, workers in self._workers.items():
            try:
                workers.start()
            except CannotStart as error:
                raise NoWorker(name, f"{error}. See what its placement asks for") from error

    def close(self) -> None:
        """End all workers; what runs there is lost. Does nothing the second time."""
        if self._finalizer is not None:
            self._finalizer()

    @property
    def keeps_groups(self) -> bool:
        """Whether some node keeps state over groups, so that its runs are told apart, and say when they have ended."""
        return bool(self._groupings)

    def run_ended(self, run: str) -> None:
        """A run is over, with all of its firings: its groups are forgotten."""
        for name in self._groupings:
            self._workers[name].forget(run)

    def statistics(self) -> dict[str, PlacementStatistics]:
        """Of each node that is placed in other processes."""
        return {name: workers.costs.statistics for name, workers in self._workers.items()}

    def notes(self, name: str) -> tuple[str, ...]:
        """What a user should know of where a node runs."""
        placement = self._placement.get(name)
        if placement is None:
            return ()
        if isinstance(placement, ThreadPlacement):
            return (f"runs on threads of its own: {placement.workers}",)
        what = (
            f"Ray: {placement.replicas} x {placement.num_cpus:g} cpu"
            if isinstance(placement, RayPlacement)
            else f"processes: {placement.workers}"
        )
        stage, reads = self._facts(name)
        sent = ", ".join(sorted(reads)) or "nothing of the state"
        grouping = self._groupings.get(name)
        return (
            f"runs on {what}; is sent {sent} [{stage.reads.evidence.value}], and packets whole",
            *(() if grouping is None else (grouping.in_words(),)),
            _in_words(self._workers[name].costs.statistics),
        )

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────

    def _runnable(self, name: str, placement: Placement, near: Any) -> Any:
        if isinstance(placement, ThreadPlacement):
            threads = self._threads[name] = _Threads(name, placement.workers)
            return ThreadNode(near, threads.pool)
        bound = self._graph.nodes[name].bound
        function = function_of(bound)
        code = far_code(name, near if isinstance(bound, Pregel) else bound)
        repeatable = placement.repeatable or is_repeatable(function)
        if isinstance(placement, ProcessPlacement):
            from alto_lg.adapters.placement.process_workers import ProcessHost, dumps

            host: Any = ProcessHost(code)
            count, in_flight = placement.workers, placement.max_in_flight
        else:
            from alto_lg.adapters.placement.ray_workers import RayHost, dumps

            concurrency = placement.concurrency or (_ASYNC_CONCURRENCY if code.is_async else 1)
            host = RayHost(code, placement, concurrency, is_async=code.is_async)
            count = placement.replicas
            in_flight = placement.max_in_flight or (concurrency if code.is_async else concurrency + 1)
        refuse_unpicklable(code, function, dumps)
        grouping: Grouping | None = None
        leases: Leases[Any, Any] = Leases(in_flight)
        if placement.by_group:
            grouping = self._groupings[name] = Grouping(name, lambda: self._wired().plan)
            leases = GroupLeases(in_flight, starts_anew=repeatable)
        workers = self._workers[name] = Workers(host, count, leases, start_timeout_s=placement.start_timeout_s)
        caller = Caller(workers, repeatable=repeatable, max_attempts=placement.max_attempts)
        sender = Sender(name, dumps, lambda: self._facts(name), grouping)
        saves = isinstance(bound, Pregel) and bound.checkpointer is not False
        far = Far(name, caller, sender, saves=saves)
        streams = getattr(function, STREAMING, None)
        return FarNode(near, far) if streams is None else far_stream(streams, far)

    def _facts(self, name: str) -> tuple[Stage, frozenset[str]]:
        wired = self._wired()
        stage = wired.plan.stages[name]
        return stage, wired.tops(stage.reads.keys.within(wired.plan.keys))


class _Threads:
    """The threads of one node, made when it first runs."""

    def __init__(self, node: str, count: int) -> None:
        self._node = node
        self._count = count
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._is_closed = False

    def pool(self) -> Executor:
        with self._lock:
            if self._is_closed:
                raise NoWorker(self._node, "close() has ended them. Accelerate the graph again to run it")
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._count, thread_name_prefix=f"alto_lg {self._node}")
            return self._pool

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._pool is not None:
                self._pool.shutdown(wait=False)


def _close(closable: tuple[Any, ...]) -> None:
    for one in closable:
        one.close()


def _in_words(found: PlacementStatistics) -> str:
    if found.node_s is None or found.cost_s is None:
        return "what a firing costs there is not known before it has run"
    lost = f"; {found.lost_workers} workers lost, {found.again} firings run again" if found.lost_workers else ""
    return (
        f"a firing takes {found.node_s * 1000:.2f} ms there, and {found.cost_s * 1000:.2f} ms more than that to go and "
        f"come back (medians; {found.firings} firings{lost})"
    )
