"""Checks: which nodes can run elsewhere, asked when the graph is accelerated.

Always true: what is refused is refused with the node, the reason and the next move, before anything has run.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from langgraph.constants import START
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.langgraph.functions import function_of
from alto_lg.adapters.langgraph.inline import is_plain
from alto_lg.adapters.langgraph.internals import Pregel, PregelNode, RunnableCallable
from alto_lg.adapters.langgraph.placed.code import Code, Dumps
from alto_lg.adapters.langgraph.placed.nodes import SAVES
from alto_lg.errors import NotPortable
from alto_lg.hints import STREAMING
from alto_lg.placement import Placement, ProcessPlacement, ThreadPlacement
from alto_lg.readings import First, readings_of


def check_placement(graph: Pregel, placement: Mapping[str, Placement]) -> None:
    """Refuse to place what is not there, or what cannot run elsewhere.

    Raises:
        ValueError: a name is that of no node, or the graph has none. NotPortable: a node cannot run there.
    """
    if placement and not isinstance(graph, CompiledStateGraph):
        raise ValueError("placement names nodes of a StateGraph; a function of @entrypoint has none")
    for name, placed in placement.items():
        if name not in graph.nodes or name == START:
            nodes = ", ".join(sorted(set(graph.nodes) - {START}))
            raise ValueError(f"placement names node {name!r}, which the graph does not have (nodes: {nodes})")
        why_not = _why_not(graph, graph.nodes[name], placed)
        if why_not:
            raise NotPortable(name, why_not)


def _why_not(graph: Pregel, node: PregelNode, placed: Placement) -> str | None:
    bound = node.bound
    function = function_of(bound)
    if isinstance(placed, ThreadPlacement):
        if isinstance(bound, RunnableCallable) and bound.func is not None:
            return None
        return "threads are for plain functions, which would block: leave it on the event loop, or use alto_lg.ray"
    if node.is_error_handler:
        return "handles the errors of others, which only happens beside the graph: do not place it"
    if any(not isinstance(reading, First) for reading in readings_of(function).values()):
        return "reads a list while others still write it, which only works beside the graph: do not place it"
    if hasattr(function, STREAMING) and isinstance(placed, ProcessPlacement):
        return "streams, for which a pool of processes has no way back: use alto_lg.ray, or alto_lg.threads"
    if isinstance(bound, Pregel) and bound.checkpointer not in (None, False):
        return "is a graph with a memory of its own, which a worker does not keep: do not place it"
    if isinstance(bound, Pregel) and bound.checkpointer is None and graph.checkpointer:
        return SAVES
    return None


def far_code(name: str, bound: Any) -> Code:
    """What of a node goes to its workers."""
    generator = getattr(function_of(bound), STREAMING, None)
    if generator is not None:
        made = RunnableCallable(generator, name=name, trace=False, recurse=False)
        return Code(name, made, is_async=inspect.isasyncgenfunction(generator))
    if isinstance(bound, RunnableCallable):
        return Code(name, bound, is_async=bound.func is None or (bound.afunc is not None and not is_plain(bound)))
    return Code(name, bound, is_async=True)


def refuse_unpicklable(code: Code, function: Any, dumps: Dumps) -> None:
    """Refuse code that cannot be sent.

    Raises:
        NotPortable: with what it holds that cannot be pickled, as far as that can be told.
    """
    try:
        dumps(code)
    except Exception as error:
        culprit = _culprit(function, dumps)
        held = f"it uses {culprit}, which cannot be pickled" if culprit else "its code cannot be pickled"
        raise NotPortable(
            code.node, f"{held} ({type(error).__name__}: {error}). Make such an object inside the function"
        ) from error


def _culprit(function: Any, dumps: Dumps) -> str | None:
    """The name of what a function holds and cannot be pickled."""
    function = inspect.unwrap(getattr(function, STREAMING, function)) if function is not None else None
    if not inspect.isfunction(function):
        return None
    held = inspect.getclosurevars(function)
    for name, value in (*held.nonlocals.items(), *held.globals.items()):
        try:
            dumps(value)
        except Exception:
            return repr(name)
    return None
