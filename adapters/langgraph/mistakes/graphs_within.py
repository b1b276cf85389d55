"""Graphs within: whether a node hands out what another graph returns, whose keys are not its own to choose."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from langgraph.pregel.protocol import PregelProtocol

from alto_lg.adapters.langgraph.internals import PregelNode


def holds_a_graph(node: PregelNode) -> bool:
    """Whether the node is a graph, or its function can name one: LangGraph lists those with a memory of their own."""
    if node.subgraphs or isinstance(node.bound, PregelProtocol):
        return True
    function: Any = getattr(node.bound, "func", None) or getattr(node.bound, "afunc", None)
    return any(map(_is_graph, _named_by(function)))


def _named_by(function: Any) -> list[Any]:
    """What a function can name that is not its own: globals, variables around it, attributes of its object."""
    named: list[Any] = []
    while isinstance(function, functools.partial):
        named += [*function.args, *function.keywords.values()]
        function = function.func
    function = inspect.unwrap(function) if callable(function) else function
    if isinstance(function, types.MethodType):
        named += getattr(function.__self__, "__dict__", {}).values()
    elif not isinstance(function, types.FunctionType):
        named += getattr(function, "__dict__", {}).values()
        function = type(function).__call__ if callable(function) else None
    if isinstance(function, types.FunctionType | types.MethodType):
        around = inspect.getclosurevars(function)
        named += [*around.nonlocals.values(), *around.globals.values()]
    return named


def _is_graph(value: Any) -> bool:
    if type(value) in (list, tuple, dict):
        value = list(value.values()) if type(value) is dict else value
        return any(isinstance(item, PregelProtocol) for item in value)
    return isinstance(value, PregelProtocol)
