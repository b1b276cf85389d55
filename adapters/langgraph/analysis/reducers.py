"""Reducers: whether a channel's reducer may be run a second time without a trace."""

from __future__ import annotations

import functools
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
_BOTH: tuple[Value, ...] = (frozenset({Part("left")}), frozenset({Part("right")}))
_ONE: tuple[Value, ...] = _BOTH[:1]


def reducer_is_pure(function: object) -> tuple[bool, str]:
    """Whether a reducer provably changes neither argument nor anything outside, and why (not)."""
    if id(function) in _PURE:
        return True, f"{name_of(function)} is known to change nothing"
    of_user = _given_to_ready_made(function)
    reason = _impurity_of(function, _BOTH) if of_user is None else _first_impurity(of_user)
    if reason:
        return False, reason
    return True, f"{name_of(function)} changes neither argument and calls nothing unseen"


def _given_to_ready_made(function: object) -> list[object] | None:
    """The functions that one of our own reducers, which change nothing themselves, calls; None for any other."""
    if isinstance(function, functools.partial):
        return [one for one in function.args if callable(one)] if _is_ready_made(function.func) else None
    return [] if _is_ready_made(function) else None


def _is_ready_made(function: object) -> bool:
    return getattr(function, "__module__", None) == "alto_lg.reducers"


def _first_impurity(functions: list[object]) -> str:
    return next(filter(None, (_impurity_of(function, _ONE) for function in functions)), "")


def _impurity_of(function: object, given: tuple[Value, ...]) -> str:
    starts = unwrap(function)
    if isinstance(starts, str):
        return starts
    return next(filter(None, (_impurity(start, given) for start in starts)), "")


def _impurity(start: Start, given: tuple[Value, ...]) -> str:
    interpreter = Interpreter(frozenset())
    bound = tuple(frozenset({Live(value)}) for value in start.leading)
    named: dict[str, Value] = {name: frozenset({Live(value)}) for name, value in start.keywords}
    try:
        run(interpreter, start, Arguments((*bound, *given), named))
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
