"""What a harmless function asks of its argument, if it asks for parts by name only.

Always true: a use of the argument that is not of such a kind is one of the whole of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from .harmless_names import METHODS
from .parts import FunctionNode
from .scopes import parameter_names


def reads_of(node: FunctionNode, parameter: str) -> frozenset[str] | None:
    """The keys or fields of a parameter that a function looks into, if it asks for nothing but those by name."""
    body = node.body if isinstance(node.body, list) else [node.body]
    found: set[str] = set()
    known: set[int] = set()
    for part in (part for statement in body for part in ast.walk(statement)):
        asked = _asked(part)
        if asked is not None and isinstance(asked[0], ast.Name) and asked[0].id == parameter:
            known.add(id(asked[0]))
            found.add(asked[1])
    uses = (part for statement in body for part in ast.walk(statement) if isinstance(part, ast.Name))
    rebound = any(parameter in parameter_names(part.args) for part in _lambdas(body))
    if rebound or any(use.id == parameter and id(use) not in known for use in uses):
        return None
    return frozenset(found)


def _lambdas(body: Iterable[ast.AST]) -> Iterator[ast.Lambda]:
    return (part for statement in body for part in ast.walk(statement) if isinstance(part, ast.Lambda))


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
