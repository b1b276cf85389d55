"""`python -m alto_lg.comparisons.stopping`: how soon a model server's slot is free when a node has read enough.

The server is the simulated one, a process of its own behind a real connection, with one slot. A node takes the first
lines of an answer, leaves its loop by `break`, and works on until the slot is free. Always true: plain and accelerated
graphs have the same node, and its update is that of a node that reads the answer to its end and ignores the rest, or
nothing is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph import START, StateGraph
from rich import box
from rich.table import Table

from alto_lg import accelerate
from alto_lg.comparisons.machine import made_with
from alto_lg.comparisons.measure import Graph
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.comparisons.statistics import median
from alto_lg.comparisons.stopping_nodes import CLIENTS, Client, Reading, State, node_of
from alto_lg.comparisons.table import number, output_console

FREE_WITHIN_S = 0.050
_GIVEN_UP_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Case:
    """Which client reads, in a node of which kind, in a graph of which kind."""

    client: Client
    streams: bool
    accelerated: bool

    def __str__(self) -> str:
        return " ".join((self.client.name, *self.kind))

    @property
    def kind(self) -> tuple[str, str]:
        """The node's and the graph's, in words."""
        return "streaming" if self.streams else "ordinary", "accelerated" if self.accelerated else "LangGraph"


@dataclass(slots=True)
class Slot:
    """Watches the server's slot from the moment at which the node has read enough."""

    server: SimulatedServer
    free: threading.Event = field(default_factory=threading.Event)
    took_s: float | None = None

    def watch(self) -> None:
        """The node has read enough: find out, on a thread, when the slot is free."""
        threading.Thread(target=self._watch, args=(time.perf_counter(),), daemon=True).start()

    def _watch(self, left_at: float) -> None:
        while time.perf_counter() - left_at < _GIVEN_UP_AFTER_S:
            if not self.server.stats()["running"]:
                self.took_s = time.perf_counter() - left_at
                break
        self.free.set()


class NotStopped(Exception):
    """A run in which stopping early did not do what it should."""


def cases() -> tuple[Case, ...]:
    """Every client in every kind of node, on both sides."""
    kinds = ((streams, accelerated) for streams in (False, True) for accelerated in (False, True))
    return tuple(Case(client, *kind) for kind in kinds for client in CLIENTS)


def time_case(case: Case, server: SimulatedServer, runner: asyncio.Runner, repeats: int) -> list[float]:
    """Seconds from `break` to the free slot, of each run; `NotStopped` if a run did not stop or had another update."""
    whole = _update(case, server, runner, None)
    took_s = []
    for _ in range(repeats):
        server.reset()
        slot = Slot(server)
        update = _update(case, server, runner, slot)
        statistics = server.stats()
        if slot.took_s is None or (statistics["cancelled"], statistics["finished"]) != (1, 0):
            raise NotStopped(f"{case}: the server wrote on when the node had read enough ({statistics})")
        if update != whole:
            raise NotStopped(f"{case}: the node's update is {update}, and {whole} when the rest is read")
        took_s.append(slot.took_s)
    return took_s


def _update(case: Case, server: SimulatedServer, runner: asyncio.Runner, slot: Slot | None) -> Any:
    reading = Reading(server.base_url, server.model, slot)
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    builder.add_node("read", node_of(case.client, reading, streams=case.streams))
    builder.add_edge(START, "read")
    graph: Graph = builder.compile()
    if case.accelerated:
        graph = accelerate(graph)
    return runner.run(graph.ainvoke({})) if case.client.is_async else graph.invoke({})


def table_of(timed: Sequence[tuple[Case, Sequence[float]]]) -> Table:
    """One row a case."""
    title = f"Milliseconds from `break` to the free slot, {len(timed[0][1])} run(s) each"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("client", "node", "graph"):
        table.add_column(name, no_wrap=True)
    for name in ("median", "most", f"≤ {1e3 * FREE_WITHIN_S:g} ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for case, took_s in timed:
        table.add_row(
            case.client.name,
            *case.kind,
            number(1e3 * median(list(took_s)), digits=1),
            number(1e3 * max(took_s), digits=1),
            "yes" if max(took_s) <= FREE_WITHIN_S else "no",
        )
    return table


def run(options: argparse.Namespace, measured: Callable[[], tuple[Case, ...]] = cases) -> int:
    """0 with the table; 1 when a run did not stop, or had another update; 2 for a count that is none."""
    if options.repeats < 1:
        print("--repeats must be at least 1", file=sys.stderr)
        return 2
    # One event loop for all: the connections of a client belong to the loop that they were made on.
    with SimulatedServer(SimOptions(slots=1)) as server, asyncio.Runner() as runner:
        try:
            timed = [(case, time_case(case, server, runner, options.repeats)) for case in measured()]
        except NotStopped as error:
            print(error, file=sys.stderr)
            return 1
    console = output_console()
    console.print(table_of(timed))
    console.print(f"Every update was that of a node that reads to the end and ignores the rest. {made_with()}")
    return 0


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.stopping`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.stopping", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each case (default 5)")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
