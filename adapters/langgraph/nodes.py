"""Nodes: those of an accelerated graph.

They are the same functions and writers, with a wait before each conditional edge, a check of declared reads and
writes, and accelerated subgraphs. Always true: the nodes of the original graph are not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig

from alto_lg.adapters.langgraph.config_keys import GATE
from alto_lg.adapters.langgraph.direct import direct_function
from alto_lg.adapters.langgraph.functions import declared, function_of
from alto_lg.adapters.langgraph.inline import inline
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_SCRATCHPAD,
    ChannelWrite,
    ChannelWriteTupleEntry,
    Pregel,
    PregelNode,
    RunnableCallable,
)
from alto_lg.adapters.langgraph.mistakes.blocking import watched
from alto_lg.adapters.langgraph.mistakes.in_place import InPlaceChecks
from alto_lg.adapters.langgraph.mistakes.node_checks import NodeChecks, is_branch
from alto_lg.adapters.langgraph.mistakes.reporter import Reporter
from alto_lg.adapters.langgraph.templates import TemplateNode
from alto_lg.batching import batching_of
from alto_lg.errors import UndeclaredRead, UndeclaredWrite
from alto_lg.hints import Hint
from alto_lg.options import Options


def nodes_of(
    graph: Pregel,
    hints: Mapping[str, Hint],
    accelerate_subgraph: Callable[[Pregel], Pregel],
    options: Options,
) -> dict[str, PregelNode]:
    """The nodes of the accelerated graph; what is wrong with their results is said as `options` ask for."""
    wirer = _Wirer(graph, hints, options, accelerate_subgraph)
    return {name: wirer.node(name, node) for name, node in graph.nodes.items()}


class _Wirer:
    """Makes the nodes of one accelerated graph."""

    def __init__(
        self,
        graph: Pregel,
        hints: Mapping[str, Hint],
        options: Options,
        accelerate_subgraph: Callable[[Pregel], Pregel],
    ) -> None:
        self._hints = hints
        self._options = options
        self._accelerate_subgraph = accelerate_subgraph
        self._reporter = Reporter(options.strict)
        self._checks = NodeChecks(graph, self._reporter)
        self._in_place = InPlaceChecks(self._reporter) if options.check else None

    def node(self, name: str, node: PregelNode) -> PregelNode:
        hint = declared(name, node, self._hints)
        update: dict[str, Any] = {"writers": [_gated(writer) for writer in self._checks.writers(name, node)]}
        if isinstance(node.bound, Pregel):
            update["bound"] = self._accelerate_subgraph(node.bound)
            update["subgraphs"] = [update["bound"] if one is node.bound else one for one in node.subgraphs]
        else:
            update["bound"] = self._watched(name, inline(_in_both_colours(_answering(node.bound))))
        if name in self._options.replay:
            update["bound"] = self._replayed(name, update["bound"], node.bound)
        if hint is not None and hint.writes is not None:
            update["writers"] = [_write_check(name, node, hint.writes), *update["writers"]]
        if hint is not None and hint.reads is not None and node.mapper is None and isinstance(node.channels, list):
            keys = frozenset(node.channels)
            update["mapper"] = partial(DeclaredState, name, hint.reads, keys)
        made = node.copy(update)
        made.__class__ = TemplateNode
        return made

    def _replayed(self, name: str, bound: Any, plain: Any) -> Any:
        from alto_lg.adapters.langgraph.replaying import ReplayedNode  # loaded, with splitters, by those who use it
        from alto_lg.adapters.replay.asked import cuts_asked_for

        return ReplayedNode(bound, plain, cuts_asked_for(name, self._options.replay[name]))

    def _watched(self, name: str, bound: Any) -> Any:
        if self._in_place is not None:
            bound = self._in_place.watched(name, bound)
        return watched(name, bound, self._options.blocking_s, self._reporter)


def _answering(bound: Any) -> Any:
    """What it is, if it is no `ToolNode`: those are of a subclass of what LangGraph makes of a function."""
    if type(bound) is RunnableCallable or not isinstance(bound, RunnableCallable):
        return bound
    from alto_lg.adapters.langgraph.tools import (
        answering_node,  # loads LangGraph's prebuilt agents, and LangChain's tools
    )

    return answering_node(bound)


def _in_both_colours(bound: Any) -> Any:
    """A plain batched function, awaited in async runs: LangGraph would hold a thread for each of its inputs."""
    batching = batching_of(function_of(bound)) if isinstance(bound, RunnableCallable) else None
    if batching is None or batching.is_async:
        return bound
    made = copy.copy(bound)
    made.afunc = batching.acall
    return made


def _gated(writer: Any) -> Any:
    """A conditional edge that, in an early firing, waits until what it reads is settled."""
    if not is_branch(writer):
        return writer
    spec = writer.func.__self__._replace(path=direct_function(inline(writer.func.__self__.path)))
    route = spec._aroute

    async def route_when_settled(input: Any, config: RunnableConfig, **kwargs: Any) -> Any:
        gate = config[CONF].get(GATE)
        if gate is not None:
            await gate()
        return await route(input, config, **kwargs)

    gated = copy.copy(writer)
    gated.func, gated.afunc = spec._route, route_when_settled
    return gated


def _write_check(name: str, node: PregelNode, declared_writes: tuple[str, ...]) -> RunnableCallable:
    allowed = {path.split(".", 1)[0] for path in declared_writes} | set(declared_writes)
    mappers = [
        entry.mapper
        for writer in node.writers[:1]
        if isinstance(writer, ChannelWrite)
        for entry in writer.writes[:1]
        if isinstance(entry, ChannelWriteTupleEntry)
    ]

    def check(output: Any, config: RunnableConfig) -> Any:
        if CONFIG_KEY_SCRATCHPAD not in config[CONF]:
            return output  # `update_state(as_node=…)`: an update by the caller, in the node's name
        for mapper in mappers:
            for key, _ in mapper(output) or ():
                if key not in allowed:
                    raise UndeclaredWrite(name, key, declared_writes)
        return output

    async def acheck(output: Any, config: RunnableConfig) -> Any:
        return check(output, config)

    return ChannelWrite.register_writer(RunnableCallable(check, acheck, name="declared writes", trace=False))


class DeclaredState(dict[str, Any]):
    """The state as a node with declared reads gets it: reading another key by name is an error."""

    def __init__(self, node: str, reads: tuple[str, ...], keys: frozenset[str], state: Mapping[str, Any]) -> None:
        super().__init__(state)
        self._node = node
        self._reads = reads
        self._undeclared = keys - {path.split(".", 1)[0] for path in reads} - set(reads)

    def __getitem__(self, key: str) -> Any:
        self._check(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._check(key)
        return super().get(key, default)

    def _check(self, key: str) -> None:
        if key in self._undeclared:
            raise UndeclaredRead(self._node, key, self._reads)
