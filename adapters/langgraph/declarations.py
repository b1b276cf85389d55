"""Declarations: what a user says about nodes and keys that are not there is refused, before any work."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph.constants import START

from alto_lg.adapters.langgraph.functions import declared, function_of
from alto_lg.adapters.langgraph.internals import Pregel, PregelNode
from alto_lg.adapters.langgraph.wiring import Wiring, key_of
from alto_lg.hints import STREAMING, Hint
from alto_lg.options import Options
from alto_lg.readings import PerGroup, readings_of


def check_declarations(graph: Pregel, hints: Mapping[str, Hint]) -> None:
    """Refuse what is declared about things that are not there.

    Raises:
        ValueError: a declaration names a node or a key that the graph does not have.
    """
    wiring = Wiring(graph)
    declarations = {name: declared(name, node, hints) for name, node in graph.nodes.items()}
    for name in hints:
        if name not in wiring.nodes:
            nodes = ", ".join(sorted(wiring.nodes - {"__start__"}))
            raise ValueError(f"hints names node {name!r}, which the graph does not have (nodes: {nodes})")
    for name, hint in declarations.items():
        for argument, paths in (("reads", hint and hint.reads), ("writes", hint and hint.writes)):
            for path in paths or ():
                if key_of(path, wiring.keys) not in wiring.keys:
                    keys = ", ".join(sorted(wiring.keys))
                    raise ValueError(
                        f"Node {name!r} declares {argument} of {path!r}, which is not in the state (keys: {keys})"
                    )
    for name, node in graph.nodes.items():
        _check_readings(name, node, wiring)


def _check_readings(name: str, node: PregelNode, wiring: Wiring) -> None:
    for key, reading in readings_of(function_of(node.bound)).items():
        if key not in wiring.input_keys(node):
            keys = ", ".join(sorted(wiring.input_keys(node)))
            raise ValueError(f"Node {name!r} declares reading({key}=…), which is not in its input (keys: {keys})")
        if isinstance(reading, PerGroup) and reading.level not in wiring.nodes:
            nodes = ", ".join(sorted(wiring.nodes - {"__start__"}))
            raise ValueError(
                f"Node {name!r} declares reading({key}=PerGroup(level={reading.level!r})): no such node; have {nodes}"
            )


def check_predicted(graph: Pregel, options: Options) -> None:
    """Refuse to stream or to replay what is not there, or what cannot be.

    Raises:
        ValueError: a name is that of no node, of a subgraph, or of a streaming node; or what is to be streamed is no
            runnable with a model that can be.
    """
    for option, names in (("replay", options.replay), ("stream", options.stream)):
        for name in names:
            _check_predicted(option, name, graph)
    if options.stream:
        from alto_lg.adapters.langgraph.tails import tail_of  # loads LangChain's chat models and parsers
    for name in options.stream:
        if name in options.replay:
            raise ValueError(f"Node {name!r} is named by stream and by replay: one of them is enough, stream if it can")
        try:
            tail_of(graph.nodes[name].bound)
        except ValueError as reason:
            raise ValueError(
                f"stream names node {name!r}, which {reason}. Stream a LangChain runnable such as prompt | model | "
                f"parser; for any other node that calls a model there is replay={{{name!r}: …}}, or @alto_lg.streaming"
            ) from None


def _check_predicted(option: str, name: str, graph: Pregel) -> None:
    if name not in graph.nodes or name == START:
        nodes = ", ".join(sorted(set(graph.nodes) - {START}))
        raise ValueError(f"{option} names node {name!r}, which the graph does not have (nodes: {nodes})")
    bound = graph.nodes[name].bound
    if isinstance(bound, Pregel):
        raise ValueError(
            f"{option} names node {name!r}, which is a graph of its own: accelerate that graph with the names of the "
            "nodes in it that call a model"
        )
    if hasattr(function_of(bound), STREAMING):
        raise ValueError(f"{option} names node {name!r}, which streams its updates already: leave it out")
