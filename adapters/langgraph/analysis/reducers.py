"""Reducers: whether a channel's reducer may be run a second time without a trace."""

from __future__ import annotations

import operator

from langgraph.graph.message import add_messages

from .core import Arguments
from .entry import NotReadable, Start, run, unwrap
from .findings import CannotTell
from .known import Interpreter
from .library import name_of
from .values import Live, Part, Value

# add_messages fills in missing message ids, and otherwise returns a new list.
_KNOWN_PURE: tuple[object, ...] = (add_messages, max, min)
_OPERATORS = (
    "add and_ concat eq floordiv ge gt le lshift lt matmul mod mul ne or_ pow rshift sub truediv xor countOf "
    "is_ is_not contains indexOf"
)
_PURE = {id(f) for f in (*_KNOWN_PURE, *(getattr(operator, name) for name in _OPERATORS.split()))}


def reducer_is_pure(function: object) -> tuple[bool, str]:
    """Whether a reducer provably changes neither argument nor anything outside, and why (not)."""
    if id(function) in _PURE:
        return True, f"{name_of(function)} is known to change nothing"
    starts = unwrap(function)
    if isinstance(starts, str):
        return False, starts
    for start in starts:
        reason = _impurity(start)
        if reason:
            return False, reason
    return True, f"{name_of(function)} changes neither argument and calls nothing unseen"


def _impurity(start: Start) -> str:
    interpreter = Interpreter(frozenset())
    bound = tuple(frozenset({Live(value)}) for value in start.leading)
    named: dict[str, Value] = {name: frozenset({Live(value)}) for name, value in start.keywords}
    left, right = frozenset({Part("left")}), frozenset({Part("right")})
    try:
        run(interpreter, start, Arguments((*bound, left, right), named))
    except (CannotTell, NotReadable) as reason:
        return str(reason)
    except RecursionError:
        return "its expressions are nested too deeply to analyse"
    findings = interpreter.findings
    if findings.mutates.every or findings.mutates.keys:
        changed = findings.mutates.every or "; ".join(findings.mutates.keys.values())
        return f"it may change an argument in place: {changed}"
    for what in (findings.unsteady, findings.changes_outside, findings.unseen, findings.interrupts, findings.store):
        if what:
            return f"it {what}"
    kept = findings.leaks.every or ", ".join(findings.leaks.keys.values())
    return f"it keeps an argument ({kept})" if kept else ""
