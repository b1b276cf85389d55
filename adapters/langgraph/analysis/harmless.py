"""Harmless: functions that provably neither wait nor can tell on which thread they run.

Owns the proof, made of the function's verified source. Always true:
  the proof is of a function that is given inert values (`inert.py`), as is all that it looks into beside them;
  what names stood for when it was made is kept with it, because they may come to stand for something else.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType
from typing import Any, Final, cast

from langgraph.prebuilt import tools_condition

from .harmless_body import Body, Unproven
from .harmless_reads import reads_of
from .inert import SCALARS
from .parts import FunctionNode
from .source import Located, locate

_MOST_DEPTH = 4
_MISSING: Final = object()
_GENERATORS_AND_COROUTINES = 0x20 | 0x80 | 0x100 | 0x200


@dataclass(frozen=True, slots=True)
class Harmless:
    """A proof.

    reads: the only keys, or fields, of its argument that it looks into; None for all of it. values: what it looks
    into beside that. functions: itself and those that it calls, with their code and defaults. names and cells: where
    what it uses is found, and what is there.
    """

    reads: frozenset[str] | None
    values: tuple[Any, ...]
    functions: tuple[tuple[FunctionType, CodeType, Any, Any], ...]
    names: tuple[tuple[Mapping[str, Any], str, Any], ...]
    cells: tuple[tuple[CellType, Any], ...]

    def holds(self) -> bool:
        """Whether every name still stands for what it stood for."""
        for function, code, defaults, by_name in self.functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return False
            if function.__kwdefaults__ is not by_name:
                return False
        for names, name, value in self.names:
            if names.get(name, _MISSING) is not value:
                return False
        return all(_content(cell) is value for cell, value in self.cells)


def harmless(function: object) -> Harmless | None:
    """The proof that a function, or a partial of one, is, if it is given its one argument; None if there is none."""
    made, place = _Proof(), 0
    if type(function) is functools.partial:
        made.values += [*function.args, *function.keywords.values()]
        place, function = len(function.args), function.func
    if type(function) is not FunctionType:
        return None
    if function is tools_condition:  # it asks for the messages by a name that it is given
        made.keep(function)
        return made.result(None)
    try:
        node, outer = made.prove(function, ())
    except (Unproven, RecursionError):
        return None
    parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return made.result(reads_of(node, outer, parameters[place]) if place < len(parameters) else None)


def is_harmless(function: object) -> bool:
    """Whether a function, or a partial of one, provably neither waits nor can tell where it runs."""
    return harmless(function) is not None


@dataclass(slots=True)
class _Proof:
    """A proof that is being made."""

    values: list[Any] = field(default_factory=list)
    functions: list[tuple[FunctionType, CodeType, Any, Any]] = field(default_factory=list)
    names: list[tuple[Mapping[str, Any], str, Any]] = field(default_factory=list)
    cells: list[tuple[CellType, Any]] = field(default_factory=list)

    def result(self, reads: frozenset[str] | None) -> Harmless:
        values = tuple(value for value in self.values if type(value) not in SCALARS)
        return Harmless(reads, values, tuple(self.functions), tuple(self.names), tuple(self.cells))

    def keep(self, function: FunctionType) -> None:
        self.functions.append((function, function.__code__, function.__defaults__, function.__kwdefaults__))

    def prove(self, function: FunctionType, callers: tuple[FunctionType, ...]) -> tuple[FunctionNode, dict[str, Any]]:
        """Its tree, in which everything is harmless, and what its outer names stand for."""
        code = function.__code__
        if function in callers or len(callers) > _MOST_DEPTH or code.co_flags & _GENERATORS_AND_COROUTINES:
            raise Unproven
        located = locate(code)
        if not isinstance(located, Located):
            raise Unproven
        self.keep(function)
        self.values += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        outer = {name: self._resolved(function, name) for name in _outer_names(code)}
        called = (*callers, function)
        Body(outer, self.values, self.names, lambda helper: self.prove(helper, called)).walk(located.node)
        return located.node, outer

    def _resolved(self, function: FunctionType, name: str) -> Any:
        """What a name stands for that is none of the function's own."""
        code = function.__code__
        if name in code.co_freevars:
            cell = (function.__closure__ or ())[code.co_freevars.index(name)]
            self.cells.append((cell, _content(cell)))
            return _content(cell)
        for names in (function.__globals__, cast(Any, function).__builtins__):
            value = names.get(name, _MISSING)
            self.names.append((names, name, value))
            if value is not _MISSING:
                return value
        raise Unproven


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _outer_names(code: CodeType) -> set[str]:
    """The names in a function, and in what is defined in it, that are none of their own: as the compiler saw them."""
    codes = [code]
    for one in codes:
        codes += [constant for constant in one.co_consts if isinstance(constant, CodeType)]
    own = {name for one in codes for name in (*one.co_varnames, *one.co_cellvars)}
    instructions = (instruction for one in codes for instruction in dis.get_instructions(one))
    outer = {instruction.argval for instruction in instructions if instruction.opname == "LOAD_GLOBAL"}
    outer |= set(code.co_freevars)
    if outer & own:  # one name for two things
        raise Unproven
    return outer
