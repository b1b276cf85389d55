"""Graph cases: a graph run by LangGraph and the same graph accelerated.

Always true: both graphs are built by the same function and get the same input, each run on a thread of its own where
there is a checkpointer; a run leaves nothing behind in the saver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, Literal, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from sim.loop import run as run_on_virtual_loop

import alto_lg
from bench.case import Exact, Figure, Sides, check_equal
from bench.counting import count as count_run
from bench.verdict import WORSE_MAX

Builder = StateGraph[Any, Any, Any, Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Mode = Literal["end", "updates", "values", "first"]
"""What a caller takes: the final state, all events of a stream, or its updates up to the first one and no more."""
Loop = Literal["asyncio", "virtual", "threads"]
"""threads: `invoke` and `stream`. virtual: time passes by itself, for graphs whose nodes wait."""

_threads = count()


def _as_it_is(result: Any) -> Any:
    return result


def has_come(events: list[Any]) -> bool:
    """The answer of a case that asks when the first result comes: it has, and which item it is may differ."""
    return bool(events)


@dataclass(frozen=True, slots=True)
class GraphCase:
    """One graph and one way to run it.

    build: the graph of both sides, or LangGraph's alone where `build_ours` is given.
    until: with mode "first", the node whose first update it is, also inside a subgraph; any node's when None.
    at_once: so many runs, each to its end, on one event loop.
    saver: a checkpointer in memory. durability: LangGraph's default when None.
    options: for `accelerate`. config: of our side's runs, beside LangGraph's own.
    answer: what of a result the sides must agree on.
    """

    name: str
    build: Callable[[], Builder | Graph]
    given: Mapping[str, Any]
    build_ours: Callable[[], Builder | Graph] | None = None
    mode: Mode = "end"
    until: str | None = None
    loop: Loop = "asyncio"
    at_once: int = 1
    saver: bool = False
    durability: Literal["sync", "async", "exit"] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    answer: Callable[[Any], Any] = _as_it_is
    figures: tuple[Figure, ...] = ("cpu", "calls")
    cpu_worse_max: float = WORSE_MAX

    def graphs(self) -> tuple[Graph, Graph]:
        """Both sides, compiled; the same ones again while no other case comes between."""
        return _graphs(self.build, self.build_ours or self.build, self.saver, tuple(self.options.items()))

    @contextmanager
    def opened(self) -> Iterator[Sides]:
        plain, ours = self.graphs()
        if self.loop == "threads":
            yield Sides(lambda: self._call(plain, {}), lambda: self._call(ours, self.config))
        elif self.loop == "virtual":
            yield Sides(
                lambda: run_on_virtual_loop(self._work(plain, {})).result,
                lambda: run_on_virtual_loop(self._work(ours, self.config)).result,
            )
        else:
            with asyncio.Runner() as runner:
                yield Sides(
                    lambda: runner.run(self._acall(plain, {})), lambda: runner.run(self._acall(ours, self.config))
                )

    def counted(self) -> tuple[Exact, Exact]:
        """On the virtual loop."""
        assert self.loop != "threads", f"{self.name}: threads take turns as they like, so their calls are no count"
        plain, ours = self.graphs()
        exact = count_run(self._work(plain, {})), count_run(self._work(ours, self.config))
        check_equal(self.name, exact[0].result, exact[1].result)
        return exact

    def _work(self, graph: Graph, config: Mapping[str, Any]) -> Callable[[], Coroutine[Any, Any, Any]]:
        return lambda: self._acall(graph, config)

    async def _acall(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        if self.at_once == 1:
            return await self._one_call(graph, config)
        return await asyncio.gather(*(self._one_call(graph, config) for _ in range(self.at_once)))

    async def _one_call(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        full = self._config(graph, config)
        if self.mode == "end":
            result: Any = await graph.ainvoke(dict(self.given), full, durability=self.durability)
        else:
            stream = graph.astream(dict(self.given), full, **self._stream_settings())
            result = []
            async with aclosing(cast(AsyncGenerator[Any, None], stream)):
                async for event in stream:
                    result.append(event)
                    if self._has_enough(event):
                        break
        return self._ended(graph, full, result)

    def _call(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        full = self._config(graph, config)
        if self.mode == "end":
            result: Any = graph.invoke(dict(self.given), full, durability=self.durability)
        else:
            stream = graph.stream(dict(self.given), full, **self._stream_settings())
            result = []
            with closing(cast(Generator[Any, None, None], stream)):
                for event in stream:
                    result.append(event)
                    if self._has_enough(event):
                        break
        return self._ended(graph, full, result)

    def _stream_settings(self) -> dict[str, Any]:
        mode = "values" if self.mode == "values" else "updates"
        return {"stream_mode": mode, "subgraphs": self.until is not None, "durability": self.durability}

    def _has_enough(self, event: Any) -> bool:
        if self.mode != "first":
            return False
        return self.until is None or self.until in event[1]  # beside the place of the subgraph

    def _config(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        full = {"recursion_limit": 100_000, **config}
        if isinstance(graph.checkpointer, InMemorySaver):
            full["configurable"] = {"thread_id": str(next(_threads))}
        return full

    def _ended(self, graph: Graph, config: Mapping[str, Any], result: Any) -> Any:
        if isinstance(graph.checkpointer, InMemorySaver):
            graph.checkpointer.delete_thread(config["configurable"]["thread_id"])
        if self.mode == "first" and not (result and self._has_enough(result[-1])):
            raise LookupError(f"{self.name}: no update of {self.until or 'any node'} came; correct `until`.")
        return self.answer(result)


@lru_cache(maxsize=1)  # reading the code of an application takes seconds, and each is asked for four times in a row
def _graphs(
    build: Callable[[], Builder | Graph],
    build_ours: Callable[[], Builder | Graph],
    saver: bool,
    options: tuple[tuple[str, Any], ...],
) -> tuple[Graph, Graph]:
    return _compiled(build, saver), alto_lg.accelerate(_compiled(build_ours, saver), **dict(options))


def _compiled(build: Callable[[], Builder | Graph], saver: bool) -> Graph:
    made = build()
    return made.compile(checkpointer=InMemorySaver() if saver else None) if isinstance(made, StateGraph) else made
