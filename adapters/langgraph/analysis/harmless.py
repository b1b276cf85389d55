"""Harmless: functions that provably neither wait nor can tell on which thread they run.

Owns the proof, made of the function's verified source. Always true:
  what is not on a list (`harmless_names.py`, and the kinds of nodes below) is not harmless;
  the proof is of a function that is given inert values (`inert.py`), as is all that it looks into beside them;
  what names stood for when it was made is kept with it, because they may come to stand for something else.
"""

from __future__ import annotations

import ast
import dis
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from langgraph.prebuilt import tools_condition

from .harmless_names import METHODS, MODULES, may_be_called, may_be_read
from .harmless_reads import reads_of
from .inert import SCALARS, is_plain_class
from .parts import FunctionNode
from .source import Located, locate

_MOST_DEPTH = 4
_MISSING: Final = object()
_LOOKED_INTO = (list, dict, tuple, set, frozenset)
_NEVER_RUN_HERE = 0x20 | 0x80 | 0x100 | 0x200
"""Flags of the code of generators and coroutines."""

_PLAIN_NODES = (
    *(ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.expr_context, ast.comprehension, ast.keyword, ast.arg),
    *(ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.JoinedStr, ast.FormattedValue),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Starred),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr, ast.Lambda, ast.arguments),
    *(ast.Return, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Expr, ast.Pass, ast.Break, ast.Continue),
    *(ast.Raise, ast.Assert, ast.Delete, ast.Match, ast.match_case, ast.MatchValue, ast.MatchSingleton),
    *(ast.MatchSequence, ast.MatchMapping, ast.MatchStar, ast.MatchAs, ast.MatchOr),
)
"""What they do is what Python does with the values that they are given, and no more."""


@dataclass(frozen=True, slots=True)
class Harmless:
    """A proof.

    reads: the only keys, or fields, of its argument that it looks into; None for all of it. values: what it looks
    into beside that.
    """

    reads: frozenset[str] | None
    values: tuple[Any, ...] = ()
    _functions: tuple[tuple[FunctionType, CodeType, Any, Any], ...] = ()
    _names: tuple[tuple[Mapping[str, Any], str, Any], ...] = ()
    _cells: tuple[tuple[CellType, Any], ...] = ()

    def holds(self) -> bool:
        """Whether every name still stands for what it stood for."""
        try:
            return (
                all(names.get(name, _MISSING) is value for names, name, value in self._names)
                and all(cell.cell_contents is value for cell, value in self._cells)
                and all(
                    function.__code__ is code
                    and function.__defaults__ is defaults
                    and function.__kwdefaults__ is by_name
                    for function, code, defaults, by_name in self._functions
                )
            )
        except ValueError:  # a cell that is empty now
            return False


def harmless(function: object) -> Harmless | None:
    """The proof that a function is, if it is given its one argument; None if there is none."""
    given: tuple[Any, ...] = ()
    if type(function) is functools.partial:
        given = (*function.args, *function.keywords.values())
        place, function = len(function.args), function.func
    else:
        place = 0
    if type(function) is not FunctionType:
        return None
    made = _Proof(values=[*given])
    if function is tools_condition:
        made.keep(function)
        return made.result(None)
    try:
        node = made.prove(function, ())
    except (_Unproven, RecursionError):
        return None
    parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return made.result(reads_of(node, parameters[place]) if place < len(parameters) else None)


def is_harmless(function: object) -> bool:
    """Whether a function, or a partial of one, provably neither waits nor can tell where it runs."""
    return harmless(function) is not None


class _Unproven(Exception):
    """Something is not on a list."""


@dataclass(slots=True)
class _Proof:
    """A proof that is being made."""

    values: list[Any]
    functions: list[tuple[FunctionType, CodeType, Any, Any]] = field(default_factory=list)
    names: list[tuple[Mapping[str, Any], str, Any]] = field(default_factory=list)
    cells: list[tuple[CellType, Any]] = field(default_factory=list)

    def result(self, reads: frozenset[str] | None) -> Harmless:
        values = tuple(value for value in self.values if type(value) not in SCALARS)
        return Harmless(reads, values, tuple(self.functions), tuple(self.names), tuple(self.cells))

    def keep(self, function: FunctionType) -> None:
        self.functions.append((function, function.__code__, function.__defaults__, function.__kwdefaults__))

    def prove(self, function: FunctionType, callers: tuple[FunctionType, ...]) -> FunctionNode:
        """Its tree, in which everything is harmless."""
        if function in callers or len(callers) > _MOST_DEPTH or function.__code__.co_flags & _NEVER_RUN_HERE:
            raise _Unproven
        located = locate(function.__code__)
        if not isinstance(located, Located):
            raise _Unproven
        self.keep(function)
        self.values += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        outer = {name: self._resolved(function, name) for name in _outer_names(function.__code__)}
        _Body(self, outer, (*callers, function)).walk(located.node)
        return located.node

    def _resolved(self, function: FunctionType, name: str) -> Any:
        """What a name of a function stands for that is none of its own."""
        code = function.__code__
        if name in code.co_freevars:
            cell = (function.__closure__ or ())[code.co_freevars.index(name)]
            try:
                value = cell.cell_contents
            except ValueError:
                raise _Unproven from None
            self.cells.append((cell, value))
            return value
        value = function.__globals__.get(name, _MISSING)
        self.names.append((function.__globals__, name, value))
        if value is _MISSING:
            built_in = function.__builtins__  # type: ignore[attr-defined]
            value = built_in.get(name, _MISSING)
            self.names.append((built_in, name, value))
        if value is _MISSING:
            raise _Unproven
        return value


@dataclass(frozen=True, slots=True)
class _Body:
    """The walk over one function. outer: what each name stands for that is none of its own."""

    proof: _Proof
    outer: Mapping[str, Any]
    callers: tuple[FunctionType, ...]

    def walk(self, node: FunctionNode) -> None:
        for part in node.body if isinstance(node.body, list) else [node.body]:
            self._visit(part)

    def _visit(self, node: ast.AST) -> None:
        match node:
            case ast.Name():
                if node.id in self.outer:
                    self._value(self.outer[node.id])
            case ast.Attribute():
                self._attribute(node)
            case ast.Call():
                self._call(node)
            case ast.AnnAssign(target=ast.Name()):  # the annotation of a local name is not evaluated
                self._visit(node.target)
                self._visit_all(filter(None, [node.value]))
            case ast.Try():
                self._try(node)
            case (
                ast.comprehension(is_async=1)
                | ast.BinOp(op=ast.Pow() | ast.LShift())
                | ast.AugAssign(op=ast.Pow() | ast.LShift())
            ):
                raise _Unproven
            case _ if isinstance(node, _PLAIN_NODES):
                self._visit_all(ast.iter_child_nodes(node))
            case _:
                raise _Unproven

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._visit(node)

    def _value(self, value: Any) -> None:
        """A value of an outer name, used as one."""
        if may_be_called(value) or type(value) in SCALARS:
            return
        if type(value) is FunctionType:
            self.proof.prove(value, self.callers)
        elif type(value) in _LOOKED_INTO:
            self.proof.values.append(value)
        else:
            raise _Unproven

    def _attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            raise _Unproven
        owner = self._outer_value(node.value)
        if isinstance(owner, ModuleType | type):
            self._value(self._of_owner(owner, node.attr))
        elif may_be_read(node.attr):
            self._visit(node.value)
        else:
            raise _Unproven

    def _outer_value(self, node: ast.expr) -> Any:
        return self.outer.get(node.id, _MISSING) if isinstance(node, ast.Name) else _MISSING

    def _of_owner(self, owner: Any, name: str) -> Any:
        """What a module or a class has under a name, if it is one that may be looked into."""
        value = vars(owner).get(name, _MISSING)
        self.proof.names.append((vars(owner), name, value))
        if any(owner is module for module in MODULES) and (may_be_called(value) or type(value) in SCALARS):
            return value
        if isinstance(owner, type) and may_be_called(owner) and (type(value) in SCALARS or name in METHODS):
            return None  # `Command.PARENT`, `str.lower`
        if isinstance(owner, type) and type(value) is owner and is_plain_class(owner):
            return None  # a member of an enumeration
        raise _Unproven

    def _call(self, node: ast.Call) -> None:
        function, inputs = node.func, [*node.args, *node.keywords]
        called = self._outer_value(function)
        if isinstance(function, ast.Attribute):
            if isinstance(self._outer_value(function.value), ModuleType | type):
                self._visit_all([function, *inputs])
            elif function.attr in METHODS:
                self._visit_all([function.value, *inputs])
            else:
                raise _Unproven
        elif called is isinstance and len(node.args) == 2:
            self._visit(node.args[0])
            self._class_or_classes(node.args[1])
        elif any(called is one for one in (getattr, hasattr, type)):
            self._look_up(called, node)
        elif called is range and all(map(self._is_small, node.args)):
            self._visit_all(inputs)
        elif type(called) is FunctionType or may_be_called(called):
            self._visit_all([function, *inputs])
        else:
            raise _Unproven  # a local name, which stands for anything

    def _is_small(self, node: ast.expr) -> bool:
        """Whether a number is a constant, or how many values there are."""
        if isinstance(node, ast.UnaryOp | ast.BinOp):
            return all(self._is_small(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
        if isinstance(node, ast.Call):
            return self._outer_value(node.func) is len
        return isinstance(node, ast.Constant) or type(self._outer_value(node)) is int

    def _look_up(self, called: Any, node: ast.Call) -> None:
        """`getattr` and `hasattr` of a name that is seen; `type` of a value."""
        if node.keywords or len(node.args) > (3 if called is getattr else 2 if called is hasattr else 1):
            raise _Unproven
        if called is not type:
            name = node.args[1] if len(node.args) > 1 else None
            if not isinstance(name, ast.Constant) or type(name.value) is not str or not may_be_read(name.value):
                raise _Unproven
        if isinstance(self._outer_value(node.args[0]), ModuleType | type):
            raise _Unproven
        self._visit_all(node.args)

    def _class_or_classes(self, node: ast.expr) -> None:
        """The second argument of `isinstance`."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id in self.outer:
                kind = self.outer[part.id]
                if not (may_be_called(kind) or type(kind) is type):  # else its metaclass may be asked
                    raise _Unproven
            elif not isinstance(part, ast.Name | ast.Tuple | ast.BinOp | ast.BitOr | ast.Load):
                raise _Unproven

    def _try(self, node: ast.Try) -> None:
        for handler in node.handlers:
            if handler.type is None:
                raise _Unproven
            self._visit(handler.type)
            self._visit_all(handler.body)
        self._visit_all([*node.body, *node.orelse, *node.finalbody])


def _outer_names(code: CodeType) -> set[str]:
    """The names of a function, and of what is defined in it, that are none of their own."""
    codes = [code]
    for one in codes:
        codes += [constant for constant in one.co_consts if isinstance(constant, CodeType)]
    own = {name for one in codes for name in (*one.co_varnames, *one.co_cellvars)}
    instructions = (instruction for one in codes for instruction in dis.get_instructions(one))
    outer = {instruction.argval for instruction in instructions if instruction.opname.endswith("_GLOBAL")}
    outer |= set(code.co_freevars)
    if outer & own or any(name.startswith("__") for name in outer):  # one name for two things
        raise _Unproven
    return outer
