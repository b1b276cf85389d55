"""`python -m alto_lg.comparisons.placement`: what a firing on local Ray costs, beside a bare call of a Ray actor.

The same function, with the same argument, is called on a bare actor; by a node of a graph that is written by hand to
call a bare actor; and as a placed node of the same graph. The three take turns in one process and on one event loop.
What a remote firing costs is a bare call, and what the placed graph takes more than the one by hand: LangGraph's own
work on the task is in both of these. Always true: all have given the same answers before a time is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import operator
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import ray
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from rich import box
from rich.table import Table

import alto_lg
from alto_lg.comparisons.machine import made_with
from alto_lg.comparisons.statistics import Interval, median, ratio_of_medians
from alto_lg.comparisons.table import interval, number, output_console

AT_MOST = 1.5
IN_FLIGHT = 100
TEXT = "a claim of some fifty characters, as FacTool has it"


class State(TypedDict, total=False):
    """What the graphs of this measurement share."""

    found: Annotated[list[str], operator.add]
    text: str
    count: int


def work(state: State) -> dict[str, Any]:
    """A plain function that does next to nothing."""
    return {"found": [state["text"]]}


async def awork(state: State) -> dict[str, Any]:
    """The same, as a coroutine function."""
    return {"found": [state["text"]]}


async def _aitems(state: State) -> Any:
    for _ in range(state["count"]):
        yield {"found": [state["text"]]}


class Actor:
    """The bare actor of a plain function."""

    def work(self, state: State) -> dict[str, Any]:
        """What is called."""
        return work(state)


class AsyncActor:
    """The bare actor of an async function."""

    async def work(self, state: State) -> dict[str, Any]:
        """What is called."""
        return await awork(state)

    async def items(self, state: State) -> Any:
        """The same as a stream."""
        async for update in _aitems(state):
            yield update["found"][0]


def _loop(node: Any) -> Any:
    """One firing at a time: the node leads to itself."""
    builder = StateGraph(State)
    builder.add_node("work", node)
    builder.add_edge(START, "work")
    builder.add_conditional_edges(
        "work", lambda state: "work" if len(state["found"]) < state["count"] else "__end__", ["work", "__end__"]
    )
    return builder.compile()


def _fan(node: Any) -> Any:
    """All firings at once."""
    builder = StateGraph(State)
    builder.add_node("begin", lambda state: {})
    builder.add_node("work", node)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges(
        "begin", lambda state: [Send("work", {"text": state["text"]})] * state["count"], ["work"]
    )
    return builder.compile()


def _stream(node: Any) -> Any:
    """One firing, which yields all."""
    builder = StateGraph(State)
    builder.add_node("work", node)
    builder.add_edge(START, "work")
    return builder.compile()


async def _calls_one_by_one(call: Callable[[State], Awaitable[Any]], count: int) -> list[str]:
    return [(await call({"text": TEXT}))["found"][0] for _ in range(count)]


async def _calls_at_once(call: Callable[[State], Awaitable[Any]], count: int) -> list[str]:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> str:
        async with places:
            found: str = (await call({"text": TEXT}))["found"][0]
            return found

    return list(await asyncio.gather(*(one() for _ in range(count))))


@dataclass(frozen=True, slots=True)
class Case:
    """One way to call. bare: the calls of an actor. by_hand, placed: graphs whose node makes them, or is placed."""

    name: str
    count: int
    bare: Callable[[], Awaitable[list[str]]]
    by_hand: Any
    placed: Any


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for one firing, or one item, in every round."""

    case: Case
    bare_s: Sequence[float]
    by_hand_s: Sequence[float]
    placed_s: Sequence[float]

    @property
    def remote_s(self) -> list[float]:
        """What a remote firing costs, in every round."""
        rounds = zip(self.bare_s, self.by_hand_s, self.placed_s, strict=True)
        return [bare + placed - by_hand for bare, by_hand, placed in rounds]

    def ratio(self, seed: int) -> Interval:
        """To a bare call."""
        return ratio_of_medians(self.remote_s, self.bare_s, seed=seed)


def cases(count: int) -> list[Case]:
    """What is measured: a function, a coroutine function, and a stream."""
    plain: Any = ray.remote(Actor).options(num_cpus=0).remote()
    coroutine: Any = ray.remote(AsyncActor).options(num_cpus=0, max_concurrency=IN_FLIGHT).remote()

    def placed(graph: Any) -> Any:
        options: dict[str, Any] = {"num_cpus": 0, "max_in_flight": IN_FLIGHT}
        return alto_lg.accelerate(graph, placement={"work": alto_lg.ray(**options)})

    async def items() -> list[str]:
        made = coroutine.items.options(num_returns="streaming", _generator_backpressure_num_objects=64)
        return [await one async for one in made.remote({"text": TEXT, "count": count})]

    async def by_hand(state: State) -> dict[str, Any]:
        update: dict[str, Any] = await plain.work.remote(state)
        return update

    async def aby_hand(state: State) -> dict[str, Any]:
        update: dict[str, Any] = await coroutine.work.remote(state)
        return update

    async def streamed_by_hand(state: State) -> Any:
        made = coroutine.items.options(num_returns="streaming", _generator_backpressure_num_objects=64)
        async for one in made.remote(state):
            yield {"found": [await one]}

    found = []
    for kind, node, hand, actor in (
        ("plain function", work, by_hand, plain),
        ("coroutine function", awork, aby_hand, coroutine),
    ):
        for name, calls, build in (
            ("one at a time", _calls_one_by_one, _loop),
            (f"{IN_FLIGHT} in flight", _calls_at_once, _fan),
        ):

            def bare(calls: Any = calls, actor: Any = actor) -> Awaitable[list[str]]:
                called: Awaitable[list[str]] = calls(actor.work.remote, count)
                return called

            case = Case(f"{kind}, {name}", count, bare, alto_lg.accelerate(build(hand)), placed(build(node)))
            found.append(case)
    stream = alto_lg.accelerate(_stream(alto_lg.streaming(streamed_by_hand)))
    found.append(Case("an item of a stream", count, items, stream, placed(_stream(alto_lg.streaming(_aitems)))))
    return found


async def time_case(case: Case, rounds: int) -> Timing:
    """The three ways in turns, after one round that is not counted."""
    times: dict[str, list[float]] = {"bare": [], "by hand": [], "placed": []}

    async def run(graph: Any) -> list[str]:
        given = {"text": TEXT, "count": case.count, "found": []}
        # As many tasks at once as calls are in flight otherwise: LangGraph's wait for n tasks takes n² steps.
        state = await graph.ainvoke(given, {"recursion_limit": case.count + 10, "max_concurrency": IN_FLIGHT})
        found: list[str] = state["found"]
        return found

    ways: dict[str, Callable[[], Awaitable[list[str]]]] = {
        "bare": case.bare,
        "by hand": lambda: run(case.by_hand),
        "placed": lambda: run(case.placed),
    }
    for turn in range(-1, rounds):
        for name, way in ways.items():
            gc.collect()
            began = time.perf_counter()
            found = await way()
            took_s = (time.perf_counter() - began) / case.count
            if found != [TEXT] * case.count:
                raise AssertionError(f"{case.name}, {name}: another answer")
            if turn >= 0:
                times[name].append(took_s)
    return Timing(case, times["bare"], times["by hand"], times["placed"])


def table(timed: Sequence[Timing], seed: int) -> Table:
    """One row a case."""
    title = f"Median milliseconds of {len(timed[0].bare_s)} rounds of {timed[0].case.count}, local Ray"
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    names = ("", "bare call", "node by hand", "placed node", "remote firing", "to bare [95 % CI]", f"≤ {AT_MOST}")
    for name in names:
        made.add_column(name, justify="right" if name else "left", no_wrap=True)
    for one in timed:
        ratio = one.ratio(seed)
        times = (one.bare_s, one.by_hand_s, one.placed_s, one.remote_s)
        made.add_row(
            one.case.name,
            *(number(1e3 * median(values)) for values in times),
            interval(ratio),
            "yes" if ratio.value <= AT_MOST else "no",
        )
    return made


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.placement", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=300, help="firings, or items, in a round")
    parser.add_argument("--seed", type=int, default=0, help="of the intervals")
    asked = parser.parse_args()
    ray.init(include_dashboard=False, logging_level=logging.ERROR)
    try:
        measured = cases(asked.count)

        async def all_cases() -> list[Timing]:
            return [await time_case(case, asked.rounds) for case in measured]

        timed = asyncio.run(all_cases())
        console = output_console()
        console.print(table(timed, asked.seed))
        console.print(alto_lg.explain(measured[0].placed)["work"].notes[-1])
        console.print(made_with())
        for case in measured:
            case.placed.close()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
