"""`python -m alto_lg.comparisons.emissions`: what one partial update of a streaming node costs.

Counted is the processor time of the whole process, from the node's `yield` to the first line of the node that the new
`Send` goes to. On plain LangGraph the same `Send`s leave together at the node's end: there it is the time from the
node's return to the first line of the last of them, shared among all. Always true: nothing else runs meanwhile, because
the streaming node goes on only when the new node has begun, and that one ends only when all have begun.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import operator
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from rich import box
from rich.table import Table

import alto_lg
from alto_lg.comparisons.machine import made_with
from alto_lg.comparisons.measure import Graph, early_work
from alto_lg.comparisons.statistics import median, percentile
from alto_lg.comparisons.table import number, output_console

_AT_MOST_S = 150e-6
_ITEMS = (1, 10, 30, 100)


class State(TypedDict, total=False):
    """The items, and those that were worked on."""

    items: Annotated[list[int], operator.add]
    done: Annotated[list[int], operator.add]


class Packet(TypedDict):
    """One item."""

    item: int


@dataclass(slots=True)
class Clock:
    """When, on the processor's clock, each item was given out, and when its node began."""

    count: int
    given_s: list[float] = field(default_factory=list)
    begun_s: list[float] = field(default_factory=list)
    one_begun: asyncio.Event = field(default_factory=asyncio.Event)
    all_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def give(self) -> None:
        """The node is about to give an item out."""
        self.one_begun.clear()
        self.given_s.append(time.process_time())

    async def begin(self) -> None:
        """A node has begun; it may end when all have."""
        self.begun_s.append(time.process_time())
        self.one_begun.set()
        if len(self.begun_s) == self.count:
            self.all_begun.set()
        await self.all_begun.wait()


def streaming_graph(clock: Clock) -> Graph:
    """Gives out one item at a time, each when the node of the one before has begun."""

    @alto_lg.node(reads=[], writes=["items"])
    @alto_lg.streaming
    async def emit(state: State) -> AsyncIterator[dict[str, Any]]:
        for item in range(clock.count):
            clock.give()
            yield {"items": [item]}
            await clock.one_begun.wait()

    return _graph(clock, emit)


def whole_graph(clock: Clock) -> Graph:
    """Gives out all items when it returns."""

    async def emit(state: State) -> dict[str, Any]:
        clock.give()
        return {"items": list(range(clock.count))}

    return _graph(clock, emit)


def _graph(clock: Clock, emit: Any) -> Graph:
    # Without the declaration the clock, which both nodes change, would be seen as a way from one to the other.
    @alto_lg.node(reads=["item"], writes=["done"])
    async def work(state: Packet) -> dict[str, Any]:
        await clock.begin()
        return {"done": [state["item"]]}

    def each_item(state: State) -> list[Send]:
        return [Send("work", {"item": item}) for item in state["items"]]

    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    builder.add_node("emit", emit)
    builder.add_node("work", work)
    builder.add_edge(START, "emit")
    builder.add_conditional_edges("emit", each_item, ["work"])
    return builder.compile()


async def cost_of_partials(items: int, repeats: int) -> list[float]:
    """Seconds of processor time of each partial update, of all runs but the first."""
    costs: list[float] = []
    for turn in range(repeats + 1):
        clock = Clock(items)
        app: Graph = alto_lg.accelerate(streaming_graph(clock))
        await _run(app, items)
        early = early_work(app)
        if (early.early_starts, early.dropped) != (items, 0):
            raise RuntimeError(f"{early.early_starts} of {items} items went on early, {early.dropped} were dropped")
        if turn:
            costs += (begun - given for given, begun in zip(clock.given_s, clock.begun_s, strict=True))
    return costs


async def cost_of_sends(items: int, repeats: int) -> list[float]:
    """Seconds of processor time of each `Send` on plain LangGraph, one figure a run."""
    costs = []
    for turn in range(repeats + 1):
        clock = Clock(items)
        await _run(whole_graph(clock), items)
        if turn:
            costs.append((clock.begun_s[-1] - clock.given_s[0]) / items)
    return costs


async def _run(graph: Graph, items: int) -> None:
    gc.collect()
    gc.disable()  # a collection in the middle of one update would be that one's cost
    try:
        state = await graph.ainvoke({})
    finally:
        gc.enable()
    if state["done"] != list(range(items)):
        raise RuntimeError(f"the graph worked on {state['done']}, not on {items} items")


def table_of(rows: Sequence[tuple[int, Sequence[float], Sequence[float]]]) -> Table:
    """One row a number of items: partial updates, then plain sends."""
    title = "Microseconds of processor time, from `yield` to the first line of the next node"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("items", justify="right")
    for name in ("a partial update, median", "p90", f"≤ {1e6 * _AT_MOST_S:g}", "a Send of plain LangGraph, median"):
        table.add_column(name, justify="right", no_wrap=True)
    for items, partials, sends in rows:
        table.add_row(
            str(items),
            number(1e6 * median(list(partials)), digits=0),
            number(1e6 * percentile(list(partials), 90), digits=0),
            "yes" if median(list(partials)) <= _AT_MOST_S else "no",
            number(1e6 * median(list(sends)), digits=0),
        )
    return table


async def _measured(repeats: int) -> list[tuple[int, list[float], list[float]]]:
    return [(items, await cost_of_partials(items, repeats), await cost_of_sends(items, repeats)) for items in _ITEMS]


def run(options: argparse.Namespace) -> int:
    """0 with the table; 2 for a count that is none."""
    if options.repeats < 1:
        print("--repeats must be at least 1", file=sys.stderr)
        return 2
    console = output_console()
    console.print(table_of(asyncio.run(_measured(options.repeats))))
    console.print(f"Each item went on early, and none was dropped. {made_with()}")
    return 0


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.emissions`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.emissions", description=__doc__)
    parser.add_argument("--repeats", type=int, default=20, help="runs of each number of items (default 20)")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
