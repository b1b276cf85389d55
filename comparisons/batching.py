"""`python -m alto_lg.comparisons.batching`: what batching an embedding node gains under load, and costs when idle.

The embedder is real: all-MiniLM-L6-v2 of the extra `minilm`, on this processor. First it is measured alone, at several
batch sizes: on one core, no batching of nodes can gain more than that. Processor time is shown beside wall time, which
says little on a busy machine. Always true: every graph's vectors are those of the embedder called with one text at a
time, but for what the order of additions changes, or no time is printed; all graphs take turns in one process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from langgraph.graph import START, StateGraph
from rich import box
from rich.table import Table

from alto_lg import accelerate, batch_statistics, batched
from alto_lg.adapters.embedders import Embedder, MiniLM, Vectors
from alto_lg.apps.factool import FACTOOL
from alto_lg.comparisons.machine import made_with, usable_cpus
from alto_lg.comparisons.measure import Graph
from alto_lg.comparisons.statistics import median, median_interval, ratio_of_medians
from alto_lg.comparisons.table import interval, number, output_console

SIZES = (1, 2, 4, 8, 16, 32, 64)
MAX_SIZE = 64
_TOLERANCE = 1e-4
"""Of one number of a unit vector: sums in another order differ by about a hundredth of that."""


class State(TypedDict, total=False):
    """A text and its vector."""

    text: str
    vector: Any


class UnequalVectors(Exception):
    """A graph did not answer what the embedder answers."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to have the node, and its graph. node: that of a batched one, to ask how large its batches were."""

    name: str
    graph: Graph
    node: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of a piece of work, and those of the processor in all threads."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> Took:
        """Since then."""
        return Took(time.perf_counter() - self._began[0], time.process_time() - self._began[1])


def arms(embed: Callable[[Sequence[str]], Vectors]) -> tuple[Arm, ...]:
    """The node as it is written without batches, async and plain, and with them; on LangGraph and accelerated."""

    async def one_at_a_time(state: State) -> State:
        return {"vector": embed([state["text"]])[0]}

    def in_threads(state: State) -> State:
        return {"vector": embed([state["text"]])[0]}

    def of_many(states: list[State]) -> list[State]:
        return [{"vector": vector} for vector in embed([state["text"] for state in states])]

    async def awaited(states: list[State]) -> list[State]:
        return await asyncio.to_thread(of_many, states)

    plain, asynchronous = batched(max_size=MAX_SIZE)(of_many), batched(max_size=MAX_SIZE, max_calls=1)(awaited)
    several = batched(max_size=MAX_SIZE, max_calls=usable_cpus())(of_many)
    return (
        Arm("one at a time, on the loop", _graph(one_at_a_time)),
        Arm("one at a time, in threads", _graph(in_threads)),
        Arm("batched, LangGraph", _graph(asynchronous), asynchronous),
        Arm("batched, accelerated", accelerate(_graph(plain)), plain),
        Arm("the same, a call for each core", accelerate(_graph(several)), several),
    )


def _graph(node: Callable[..., Any]) -> Graph:
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    builder.add_node("embed", node)
    builder.add_edge(START, "embed")
    return builder.compile()


def alone(embedder: Embedder, texts: Sequence[str], size: int, repeats: int) -> list[Took]:
    """Some calls of the embedder with so many texts."""
    took = []
    for turn in range(repeats):
        batch = [texts[(turn * size + place) % len(texts)] for place in range(size)]
        watch = Stopwatch()
        embedder.embed(batch)
        took.append(watch.read())
    return took


async def loaded(arm: Arm, texts: Sequence[str], runs: int, expected: Vectors) -> Took:
    """Until all texts are embedded, by so many runs at a time: when one ends, the next begins."""
    vectors: list[Any] = [None] * len(texts)
    places = iter(range(len(texts)))

    async def client() -> None:
        for place in places:
            vectors[place] = (await arm.graph.ainvoke({"text": texts[place]}))["vector"]

    watch = Stopwatch()
    await asyncio.gather(*(client() for _ in range(runs)))
    took = watch.read()
    check(arm, np.stack(vectors), expected)
    return took


async def idle(arm: Arm, text: str) -> Took:
    """One run that has the process for itself."""
    watch = Stopwatch()
    await arm.graph.ainvoke({"text": text})
    return watch.read()


def check(arm: Arm, vectors: Vectors, expected: Vectors) -> None:
    """`UnequalVectors` if a text has another vector than the embedder gives it alone."""
    apart = float(np.abs(vectors - expected).max())
    if apart > _TOLERANCE:
        raise UnequalVectors(f"{arm.name}: a vector is {apart:.2g} off that of its text alone; no time is printed")


def limits_table(embedder: Embedder, texts: Sequence[str], repeats: int) -> Table:
    """What the embedder does with batches of each size."""
    title = f"The embedder alone, {repeats} calls of each size"
    table = _table(title, "texts in a call", "ms a call", "texts/s", "processor ms a text", "of that of one text")
    alone(embedder, texts, MAX_SIZE, 1)
    cpu_ms = dict[int, float]()
    for size in SIZES:
        took = alone(embedder, texts, size, repeats)
        call_ms = 1e3 * median([one.wall_s for one in took])
        cpu_ms[size] = 1e3 * median([one.cpu_s for one in took]) / size
        cells = (call_ms, 1), (1e3 * size / call_ms, 1), (cpu_ms[size], 2), (cpu_ms[size] / cpu_ms[1], 2)
        table.add_row(str(size), *(number(value, digits=digits) for value, digits in cells))
    return table


def loads_table(embedder: Embedder, texts: Sequence[str], runs: int, repeats: int) -> Table:
    """Throughput of each arm, all arms in turn."""
    expected = np.concatenate([embedder.embed([text]) for text in texts])
    measured = arms(embedder.embed)
    took: dict[str, list[Took]] = {arm.name: [] for arm in measured}
    with asyncio.Runner() as runner:
        for turn in range(-1, repeats):  # the first turn is not counted
            for arm in measured:
                one = runner.run(loaded(arm, texts, runs, expected))
                took[arm.name] += [one] if turn >= 0 else []
    title = f"{len(texts)} texts by {runs} runs at a time, {repeats} times each; as many times the first [95 % CI]"
    table = _table(title, "node", "texts/s", "throughput", "texts per processor second", "texts in a call, mean")
    first = took[measured[0].name]
    for arm in measured:
        own = took[arm.name]
        faster = ratio_of_medians([one.wall_s for one in first], [one.wall_s for one in own], seed=0)
        cheaper = ratio_of_medians([one.cpu_s for one in first], [one.cpu_s for one in own], seed=0)
        rate = number(len(texts) / median([one.wall_s for one in own]), digits=1)
        table.add_row(arm.name, rate, interval(faster), interval(cheaper), number(_mean_size(arm), digits=1))
    return table


def idle_table(embedder: Embedder, texts: Sequence[str], repeats: int) -> Table:
    """Latency of one run alone, with the embedder and with one that does nothing."""
    title = f"One run at a time, {repeats} of each, accelerated: milliseconds"
    table = _table(title, "embedder", "one at a time, in a thread", "batched", "more [95 % CI]")
    for name, embed in ((type(embedder).__name__, embedder.embed), ("does nothing", _nothing)):
        _, in_thread, _, in_batches, _ = arms(embed)
        in_thread = Arm(in_thread.name, accelerate(in_thread.graph))
        pairs = []
        with asyncio.Runner() as runner:
            for turn in range(-3, repeats):  # the first ones are not counted
                order = (in_thread, in_batches) if turn % 2 else (in_batches, in_thread)
                took = {arm.name: runner.run(idle(arm, texts[turn % len(texts)])).wall_s for arm in order}
                pairs += [(1e3 * took[in_thread.name], 1e3 * took[in_batches.name])] if turn >= 0 else []
        before, after = zip(*pairs, strict=True)
        more = median_interval([late - soon for soon, late in pairs], seed=0)
        table.add_row(name, number(median(before), digits=2), number(median(after), digits=2), interval(more))
    return table


def _nothing(texts: Sequence[str]) -> Vectors:
    return np.zeros((len(texts), 1), dtype=np.float32)


def _mean_size(arm: Arm) -> float:
    if arm.node is None:
        return 1.0
    statistics = batch_statistics(arm.node)
    return statistics.inputs / statistics.calls


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for other in others:
        table.add_column(other, justify="right")
    return table


def run(options: argparse.Namespace, embedder_of: Callable[[], Embedder] = MiniLM) -> int:
    """0 with the tables; 1 when a vector differs, or the extra is missing; 2 for a count that is none."""
    for name in ("runs", "texts", "repeats", "idle_repeats"):
        if getattr(options, name) < 1:
            print(f"--{name.replace('_', '-')} must be at least 1", file=sys.stderr)
            return 2
    claims = [claim["claim"] for one in FACTOOL.workload(corpus=None, questions=None) for claim in one.labels["claims"]]
    texts = [claims[place % len(claims)] for place in range(options.texts)]
    try:
        embedder = embedder_of()
        tables = (
            limits_table(embedder, texts, options.repeats),
            loads_table(embedder, texts, options.runs, options.repeats),
            idle_table(embedder, texts, options.idle_repeats),
        )
    except (ImportError, UnequalVectors) as error:
        print(error, file=sys.stderr)
        return 1
    console = output_console()
    for table in tables:
        console.print(table)
    threads = os.environ.get("OMP_NUM_THREADS", "as many as there are cores")
    console.print(f"Every vector was that of its text alone. Threads of one call: {threads}. {made_with()}")
    return 0


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.batching`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.batching", description=__doc__)
    parser.add_argument("--runs", type=int, default=64, help="runs at a time (default 64)")
    parser.add_argument("--texts", type=int, default=256, help="texts to embed in all (default 256)")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each arm and batch size (default 5)")
    parser.add_argument("--idle-repeats", type=int, default=100, help="runs of each arm alone (default 100)")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
