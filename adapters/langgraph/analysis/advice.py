"""Advice: work hidden inside a node that the graph could overlap."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from alto_lg.engine.facts import Advice

from .source import line_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def loops_of_awaits(body: ast.AST, filename: str) -> tuple[Advice, ...]:
    """One advice for each loop that awaits calls one after another though no turn needs the one before."""
    found = []
    for loop in _own(body):
        if isinstance(loop, ast.For):
            awaits = _awaited_calls(loop.body)
            independent = awaits and not _leaves_early(loop) and not _carried(loop, awaits)
        elif isinstance(loop, ast.ListComp | ast.DictComp | ast.SetComp):
            awaits = _awaited_calls([loop])
            independent = bool(awaits)
        else:
            continue
        if independent:
            count = "a call" if len(awaits) == 1 else f"{len(awaits)} calls"
            message = f"node awaits {count} one after another in a loop; a Send per item would overlap them"
            found.append(Advice(message, line_of(filename, loop)))
    return tuple(found)


def _own(node: ast.AST) -> list[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    found: list[ast.AST] = []
    todo = list(ast.iter_child_nodes(node))
    while todo:
        child = todo.pop(0)
        found.append(child)
        if not isinstance(child, _FUNCTIONS):
            todo.extend(ast.iter_child_nodes(child))
    return found


def _awaited_calls(body: Sequence[ast.AST]) -> list[ast.Await]:
    nodes = [node for part in body for node in (part, *_own(part))]
    return [node for node in nodes if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)]


def _leaves_early(loop: ast.For) -> bool:
    """Whether a turn may be the last one, or hands on what it has, as a streaming node does."""
    return any(isinstance(node, ast.Break | ast.Return | ast.Yield) for node in _own(loop))


def _carried(loop: ast.For, awaits: list[ast.Await]) -> bool:
    """True when an awaited call may need what an earlier turn left behind."""
    used = {n.id for call in awaits for n in ast.walk(call) if isinstance(n, ast.Name)}
    own = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    first: dict[str, int] = {}
    changed: set[str] = set()
    for part in loop.body:
        for node in (part, *_own(part)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                first.setdefault(node.id, node.lineno)
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                changed.add(node.target.id)
            changed |= _grown(node)
    early = {
        node.id
        for part in loop.body
        for node in (part, *_own(part))
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id in first
        and node.lineno <= first[node.id]
    }
    return bool(used & (changed | early) - own)


def _grown(node: ast.AST) -> set[str]:
    """Names of containers that a statement adds to."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        adds = node.func.attr in ("append", "add", "extend", "update", "insert")
        return {owner.id} if adds and isinstance(owner, ast.Name) else set()
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return {node.value.id} if isinstance(node.value, ast.Name) else set()
    return set()
