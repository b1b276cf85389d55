"""What a harmless function asks of its argument, if it asks for parts by name only.

Always true: a use of the argument that is of no kind below is one of the whole of it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from .harmless_names import METHODS
from .parts import FunctionNode


def reads_of(node: FunctionNode, outer: Mapping[str, Any], parameter: str) -> frozenset[str] | None:
    """The keys or fields of a parameter that a function looks into, if it asks for nothing but those and its class.

    outer: what each name stands for that is none of the function's own. Where the parameter's name is bound anew, it
    stands for a value that was found by then: what is asked of that is one too many.
    """
    parts = [part for statement in _body(node) for part in ast.walk(statement)]
    found: set[str] = set()
    known: set[int] = set()
    for value, name in filter(None, map(_asked, parts)):
        if isinstance(value, ast.Name) and value.id == parameter:
            known.add(id(value))
            found.add(name)
    for part in parts:
        match part:
            case ast.Call(func=ast.Name(id=called), args=[ast.Name() as value, _]) if outer.get(called) is isinstance:
                known.add(id(value))
    if any(isinstance(part, ast.Name) and part.id == parameter and id(part) not in known for part in parts):
        return None
    return frozenset(found)


def _body(node: FunctionNode) -> Sequence[ast.AST]:
    return node.body if isinstance(node.body, list) else [node.body]


def _asked(node: ast.AST) -> tuple[ast.expr, str] | None:
    """Of what a node takes a part by name, and the name."""
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            return value, name
        case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return value, name
        case ast.Attribute(value=value, attr=name) if name not in METHODS:
            return value, name
    return None
