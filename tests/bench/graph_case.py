"""Graph cases: a graph run by LangGraph and the same graph accelerated.

Always true: both graphs are built by the same function and get the same input, each run on a thread of its own where
there is a checkpointer; a run leaves nothing behind in the saver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from sim.loop import run as run_on_virtual_loop

import alto_lg
from bench.case import Exact, Figure, Sides, check_equal
from bench.counting import count as count_run

Builder = StateGraph[Any, Any, Any, Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Mode = Literal["end", "updates", "values", "first"]
"""What a caller takes: the final state, all events of a stream, or the first event of its updates and no more."""
Loop = Literal["asyncio", "virtual", "threads"]
"""threads: `invoke` and `stream`. virtual: time passes by itself, for graphs whose nodes wait."""

_threads = count()


def _as_it_is(result: Any) -> Any:
    return result


@dataclass(frozen=True, slots=True)
class GraphCase:
    """One graph and one way to run it.

    build: the graph of both sides, or LangGraph's alone where `build_ours` is given.
    saver: a checkpointer in memory. durability: LangGraph's default when None.
    options: for `accelerate`. config: of our side's runs, beside LangGraph's own.
    answer: what of a result the sides must agree on.
    """

    name: str
    build: Callable[[], Builder | Graph]
    given: Mapping[str, Any]
    build_ours: Callable[[], Builder | Graph] | None = None
    mode: Mode = "end"
    loop: Loop = "asyncio"
    saver: bool = False
    durability: Literal["sync", "async", "exit"] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    answer: Callable[[Any], Any] = _as_it_is
    figures: tuple[Figure, ...] = ("cpu", "calls")

    def graphs(self) -> tuple[Graph, Graph]:
        """Both sides, compiled."""
        ours = self._compiled(self.build_ours or self.build)
        return self._compiled(self.build), alto_lg.accelerate(ours, **self.options)

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

    def _compiled(self, build: Callable[[], Builder | Graph]) -> Graph:
        made = build()
        if not isinstance(made, StateGraph):
            return made
        return made.compile(checkpointer=InMemorySaver() if self.saver else None)

    def _work(self, graph: Graph, config: Mapping[str, Any]) -> Callable[[], Coroutine[Any, Any, Any]]:
        return lambda: self._acall(graph, config)

    async def _acall(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        full = self._config(graph, config)
        if self.mode == "end":
            result: Any = await graph.ainvoke(dict(self.given), full, durability=self.durability)
        else:
            stream = graph.astream(dict(self.given), full, stream_mode=self._stream_mode, durability=self.durability)
            result = []
            try:
                async for event in stream:
                    result.append(event)
                    if self.mode == "first":
                        break
            finally:
                await stream.aclose()  # type: ignore[attr-defined]
        self._forget(graph, full)
        return self.answer(result)

    def _call(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        full = self._config(graph, config)
        if self.mode == "end":
            result: Any = graph.invoke(dict(self.given), full, durability=self.durability)
        else:
            stream = graph.stream(dict(self.given), full, stream_mode=self._stream_mode, durability=self.durability)
            result = [next(stream)] if self.mode == "first" else list(stream)
            stream.close()  # type: ignore[attr-defined]
        self._forget(graph, full)
        return self.answer(result)

    @property
    def _stream_mode(self) -> Literal["updates", "values"]:
        return "values" if self.mode == "values" else "updates"

    def _config(self, graph: Graph, config: Mapping[str, Any]) -> Any:
        full = {"recursion_limit": 100_000, **config}
        if isinstance(graph.checkpointer, InMemorySaver):
            full["configurable"] = {"thread_id": str(next(_threads))}
        return full

    def _forget(self, graph: Graph, config: Mapping[str, Any]) -> None:
        if isinstance(graph.checkpointer, InMemorySaver):
            graph.checkpointer.delete_thread(config["configurable"]["thread_id"])
