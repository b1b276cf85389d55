"""Acceleration: what an accelerated graph carries, and the class that carries it.

The class is a subclass of the graph's own with the same name, made once per class, so that `isinstance`, `copy`,
`with_config`, pickling and everything that LangGraph does by type go on working.
"""

from __future__ import annotations

import asyncio
import copy
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import cache, update_wrapper
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.langgraph.declarations import check_declarations, check_predicted
from alto_lg.adapters.langgraph.internals import Pregel, PregelNode, with_names
from alto_lg.adapters.langgraph.listening import hearing
from alto_lg.adapters.langgraph.loop import AltoLoop, AltoRunner, AltoThreadedLoop
from alto_lg.adapters.langgraph.nodes import nodes_of
from alto_lg.adapters.replay import install as install_replay
from alto_lg.engine.statistics import RunStatistics
from alto_lg.options import Options

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.placed import Placements
    from alto_lg.adapters.langgraph.tools import Catalogue
    from alto_lg.adapters.langgraph.wired import WiredPlan

observers: list[Callable[[Acceleration, RunStatistics], None]] = []
"""Called with the statistics of every run of an accelerated graph in this process, when it ends."""


class Acceleration:
    """Shared by an accelerated graph and all copies of it.

    original: the graph as LangGraph made it.
    placements: of the nodes that run elsewhere; None where none does.
    statistics: of the run that ended last; None before the first.
    """

    def __init__(self, original: Pregel, options: Options, placements: Placements | None) -> None:
        self.options = options
        self.placements = placements
        self.original = original
        self.installed = False  # by `alto_lg.install`: nobody has chosen options for this graph
        self.statistics: RunStatistics | None = None
        self._wired: WiredPlan | None = None
        self._catalogue: Catalogue | None = None
        self._planning = threading.Lock()
        if placements is not None:
            placements.bind(self)

    @property
    def is_planned(self) -> bool:
        return self._wired is not None

    @property
    def wired(self) -> WiredPlan:
        """The plan, made when the first run (or `explain`) needs it."""
        self.plan()
        assert self._wired is not None
        return self._wired

    @property
    def catalogue(self) -> Catalogue:
        """The tools of the graph; found together with the plan."""
        self.plan()
        assert self._catalogue is not None
        return self._catalogue

    def plan(self) -> None:
        """Make the plan, if there is none: reads the code of every node, a few milliseconds each.

        The first of a process loads the analysis, too, which takes longer than loading everything else.
        """
        from alto_lg.adapters.langgraph.tools import Catalogue
        from alto_lg.adapters.langgraph.wired import WiredPlan

        with self._planning:
            if self._wired is None:
                wired = WiredPlan(self.original, self.options)
                self._catalogue, self._wired = Catalogue(self.original, wired.plan.barriers), wired

    def notes(self, node: str) -> tuple[str, ...]:
        """What a user should know of where a node runs."""
        return () if self.placements is None else self.placements.notes(node)

    def run_ended(self, statistics: RunStatistics) -> None:
        self.statistics = statistics
        for observe in list(observers):
            observe(self, statistics)


class AcceleratedNodes(dict[str, PregelNode]):
    """The nodes of an accelerated graph. They are what LangGraph hands to a loop; by them it knows its graph."""

    def __init__(self, nodes: dict[str, PregelNode], graph: Accelerated) -> None:
        super().__init__(nodes)
        self._graph = weakref.ref(graph)

    @property
    def acceleration(self) -> Acceleration:
        return self._alive()._alto

    @property
    def step_timeout(self) -> float | None:
        """Seconds that a superstep of the graph may take, or None."""
        return self._alive().step_timeout

    def _alive(self) -> Accelerated:
        graph = self._graph()
        assert graph is not None, "the graph of a running loop is held by the call that runs it"
        return graph


class Accelerated(Pregel):
    """A graph whose runs have a lookahead."""

    _alto: Acceleration

    def __init__(self, *, _alto: Acceleration, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._alto = _alto
        self.nodes = AcceleratedNodes(self.nodes, self)

    astream = with_names(Pregel.astream, AsyncPregelLoop=AltoLoop, PregelRunner=AltoRunner)
    stream = with_names(Pregel.stream, SyncPregelLoop=AltoThreadedLoop, PregelRunner=AltoRunner)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:
        with hearing(options, debug=self.debug):
            return await super().ainvoke(input, config, **options)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:
        with hearing(options, debug=self.debug):
            return super().invoke(input, config, **options)

    def __copy__(self) -> Accelerated:
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        made.nodes = AcceleratedNodes(self.nodes, made)
        return made

    def _as_plain(self) -> Pregel:
        """The same graph, with all that was set on it, without the lookahead."""
        plain = copy.copy(self._alto.original)
        vars(plain).update({name: value for name, value in vars(self).items() if name not in ("_alto", "nodes")})
        return plain

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Saved as the graph that it accelerates; its nodes are made again from that one's."""
        return accelerated, (self._as_plain(), self._alto.options)


class WithWorkers(Accelerated):
    """One that has placed nodes. Any other looks to all who ask as LangGraph's do, and has nothing to close."""

    @property
    def _placements(self) -> Placements:
        assert self._alto.placements is not None
        return self._alto.placements

    def close(self) -> None:
        """End the workers of placed nodes, of this graph and all its copies; what runs there is lost."""
        self._placements.close()

    def __enter__(self) -> WithWorkers:
        """Start the workers of placed nodes, which `close` ends."""
        self._placements.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> WithWorkers:
        await asyncio.to_thread(self.__enter__)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.to_thread(self.close)


update_wrapper(Accelerated.ainvoke, Pregel.ainvoke)
update_wrapper(Accelerated.invoke, Pregel.invoke)


def acceleration_of(graph: object) -> Acceleration | None:
    """What an accelerated graph carries; None for any other object."""
    return graph._alto if isinstance(graph, Accelerated) else None


def can_be_accelerated(graph: object) -> bool:
    """Whether it came from `StateGraph.compile()` or `@entrypoint`."""
    if isinstance(graph, CompiledStateGraph):
        return True
    # What @entrypoint makes is a Pregel with one node between the input and the output.
    return isinstance(graph, Pregel) and len(graph.nodes) == 1 and graph.input_channels == "__start__"


def accelerated(graph: Pregel, options: Options) -> Pregel:
    """A graph like `graph` whose runs have a lookahead; the subgraphs that are nodes of it, too."""
    check_declarations(graph, options.hints)
    check_predicted(graph, options)
    if options.replay:
        install_replay()
    inner = replace(options, hints={}, replay={}, stream=(), placement={})

    def subgraph(inside: Pregel) -> Pregel:
        return accelerated(inside, inner) if can_be_accelerated(inside) and not acceleration_of(inside) else inside

    attributes = {name: value for name, value in vars(graph).items() if name != "__orig_class__"}
    placements = _placements_of(graph, options)
    nodes = nodes_of(graph, options.hints, subgraph, options)
    attributes["nodes"] = nodes if placements is None else placements.placed(nodes)
    if options.events == "eager":
        attributes["stream_eager"] = True
    attributes["_alto"] = Acceleration(graph, options, placements)
    made = accelerated_class(type(graph), WithWorkers if options.placement else Accelerated)(**attributes)
    for name, value in {**vars(graph), **attributes}.items():  # what was set on it after its construction
        vars(made).setdefault(name, value)
    return made


def _placements_of(graph: Pregel, options: Options) -> Placements | None:
    if not options.placement:
        return None
    from alto_lg.adapters.langgraph.placed import Placements

    return Placements(graph, options.placement)


@cache
def accelerated_class(base: type[Pregel], kind: type[Accelerated] = Accelerated) -> type[Accelerated]:
    """The accelerated twin of a graph class: what it overrides itself stays in force."""
    names = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    twin: type[Accelerated] = type(base.__name__, (base, kind) if base is not Pregel else (kind,), names)
    return twin
