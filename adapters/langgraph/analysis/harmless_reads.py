"""What a harmless function asks of its argument, if it asks for parts by name only.

Always true: a use of the argument that is not of such a kind is one of the whole of it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .harmless_names import METHODS
from .parts import FunctionNode


def reads_of(node: FunctionNode, parameter: str) -> frozenset[str] | None:
    """The keys or fields of a parameter that a function looks into, if it asks for nothing but those by name.

    Where its name is bound anew, it stands for a value that was found by then: what is asked of that is one too many.
    """
    parts = [part for statement in _body(node) for part in ast.walk(statement)]
    found: set[str] = set()
    known: set[int] = set()
    for value, name in filter(None, map(_asked, parts)):
        if isinstance(value, ast.Name) and value.id == parameter:
            known.add(id(value))
            found.add(name)
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
