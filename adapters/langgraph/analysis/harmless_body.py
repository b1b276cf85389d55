"""The walk over the body of a function that is to be proven harmless.

Owns what may be done, and to what. Always true:
  what is not on a list (`harmless_names.py`, and the kinds of nodes below) is not harmless;
  a local name stands for a value that is inert, or made of such: functions and classes are called, compared and handed
  to what calls them (`key=…`, `map`) by their outer names alone, so that none can get out of sight.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Final

from .harmless_names import METHODS, MODULES, is_simple_format, may_be_called, may_be_read
from .inert import ROWS, SCALARS, is_plain_class
from .parts import FunctionNode

_MISSING: Final = object()

_PLAIN_NODES = (
    *(ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.expr_context, ast.comprehension, ast.keyword, ast.arg),
    *(ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.JoinedStr, ast.FormattedValue),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Starred),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr, ast.Lambda, ast.arguments),
    *(ast.Return, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Expr, ast.Pass, ast.Break, ast.Continue),
    *(ast.Assert, ast.Delete, ast.Match, ast.match_case, ast.MatchValue, ast.MatchSingleton),
    *(ast.MatchSequence, ast.MatchMapping, ast.MatchStar, ast.MatchAs, ast.MatchOr),
)
"""What they do is what Python does with the values that they are given, and no more."""

_LARGE = (ast.Pow, ast.LShift)
"""They last for ever, if a number is large."""


class Unproven(Exception):
    """Something is not on a list."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of one function.

    outer: what each name stands for that is none of its own. values: gets what the function looks into beside its
    arguments. names: gets where more was found, and what. prove: of a function that it calls, or `Unproven`.
    """

    outer: Mapping[str, Any]
    values: list[Any]
    names: list[tuple[Mapping[str, Any], str, Any]]
    prove: Callable[[FunctionType], object]

    def walk(self, node: FunctionNode) -> None:
        """To the end, or `Unproven`."""
        self._visit_all(node.body if isinstance(node.body, list) else [node.body])

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self._visit(node)

    def _visit(self, node: ast.AST) -> None:
        match node:
            case ast.Name():
                if node.id in self.outer:
                    self._value(self.outer[node.id])
            case ast.Attribute(ctx=ast.Load()):
                self._attribute(node)
            case ast.Call():
                self._call(node)
            case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[kind]) if self._is_class(kind):
                self._visit(node.left)
            case ast.AnnAssign(target=ast.Name()):  # the annotation of a local name is not evaluated
                self._visit_all([node.target, node.value])
            case ast.Raise():
                self._raise(node)
            case ast.Try():
                self._try(node)
            case ast.MatchClass() if self._is_class(node.cls) and all(map(may_be_read, node.kwd_attrs)):
                self._visit_all([*node.patterns, *node.kwd_patterns])
            case ast.comprehension(is_async=1):
                raise Unproven
            case ast.BinOp() | ast.AugAssign() if isinstance(node.op, _LARGE):
                raise Unproven
            case _ if isinstance(node, _PLAIN_NODES):
                self._visit_all(ast.iter_child_nodes(node))
            case _:
                raise Unproven

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def _outer(self, node: ast.expr | None) -> Any:
        return self.outer.get(node.id, _MISSING) if isinstance(node, ast.Name) else _MISSING

    def _constant(self, node: ast.expr) -> Any:
        return node.value if isinstance(node, ast.Constant) else self._outer(node)

    def _value(self, value: Any) -> None:
        if type(value) in ROWS or type(value) is dict:
            self.values.append(value)
        elif type(value) not in SCALARS:
            raise Unproven

    def _attribute(self, node: ast.Attribute) -> None:
        owner = self._outer(node.value)
        if not isinstance(owner, ModuleType | type):
            if not may_be_read(node.attr):
                raise Unproven
            self._visit(node.value)
            return
        value = self._found(owner, node.attr)
        is_member = isinstance(owner, type) and type(value) is owner and is_plain_class(owner)
        if not is_member and not (type(value) in SCALARS and (may_be_called(owner) or self._is_known(owner))):
            raise Unproven

    def _found(self, owner: ModuleType | type, name: str) -> Any:
        value = vars(owner).get(name, _MISSING)
        self.names.append((vars(owner), name, value))
        return value

    @staticmethod
    def _is_known(owner: object) -> bool:
        return any(owner is module for module in MODULES)

    def _is_class(self, node: ast.expr) -> bool:
        """Whether it is a class by its outer name, that answers for its instances itself: no metaclass is asked."""
        kind = self._outer(node)
        return isinstance(kind, type) and (may_be_called(kind) or type(kind) is type)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, node: ast.Call) -> None:
        called = self._outer(node.func)
        if called is isinstance and len(node.args) == 2 and not node.keywords:
            self._visit(node.args[0])
            kinds = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
            if not all(map(self._is_class, kinds)):
                raise Unproven
        elif called is getattr or called is hasattr:
            self._look_up(node)
        elif called is type and len(node.args) == 1 and not node.keywords:
            self._visit(node.args[0])
        elif called is range:
            if node.keywords or not all(map(self._is_small, node.args)):
                raise Unproven
            self._visit_all(node.args)
        elif called is map or called is filter:
            self._called_by_it(node.args[0] if node.args else None)
            self._visit_all([*node.args[1:], *node.keywords])
        else:
            self._callee(node.func)
            self._visit_all(node.args)
            is_sort = isinstance(node.func, ast.Attribute) and node.func.attr == "sort"
            orders = is_sort or any(called is one for one in (sorted, min, max))
            for keyword in node.keywords:
                if keyword.arg == "key" and orders:
                    self._called_by_it(keyword.value)
                else:
                    self._visit(keyword.value)

    def _callee(self, node: ast.expr) -> None:
        """A function or class by its outer name, or a method of an inert value."""
        called = self._outer(node)
        if isinstance(node, ast.Attribute):
            owner = self._outer(node.value)
            if isinstance(owner, ModuleType) and self._is_known(owner):
                called = self._found(owner, node.attr)
            elif node.attr == "format" and is_simple_format(self._constant(node.value)):
                return
            elif node.attr in METHODS and not isinstance(owner, ModuleType):
                if not (isinstance(owner, type) and may_be_called(owner)):  # `str.lower`, else a value's
                    self._visit(node.value)
                return
        if type(called) is FunctionType and not may_be_called(called):
            self.prove(called)
        elif not may_be_called(called):
            raise Unproven

    def _called_by_it(self, node: ast.AST | None) -> None:
        """A function that is handed to what calls it."""
        match node:
            case ast.Lambda() | ast.Constant(value=None):
                self._visit(node)
            case ast.Call(func=ast.Name() | ast.Attribute()) if self._is_itemgetter(node.func):
                self._call(node)
            case ast.Name() if node.id in self.outer:
                self._callee(node)
            case ast.Attribute(value=ast.Name()) if isinstance(self._outer(node.value), ModuleType | type):
                self._callee(node)
            case _:
                raise Unproven

    def _is_itemgetter(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            return self._outer(node.value) is operator and node.attr == "itemgetter"
        return self._outer(node) is operator.itemgetter

    def _is_small(self, node: ast.expr) -> bool:
        """Whether a number is a constant, or how many values there are, or a sum or a product of such."""
        if isinstance(node, ast.UnaryOp | ast.BinOp):
            return all(self._is_small(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
        if isinstance(node, ast.Call):
            return self._outer(node.func) is len
        return type(self._constant(node)) is int

    def _look_up(self, node: ast.Call) -> None:
        """`getattr` and `hasattr`, of a name that is seen."""
        match node:
            case ast.Call(args=[value, ast.Constant(value=str(name)), *default], keywords=[]) if may_be_read(name):
                self._visit_all([value, *default])
            case _:
                raise Unproven

    # ── errors ──────────────────────────────────────────────────────────────────────────────────────────────

    def _raise(self, node: ast.Raise) -> None:
        if self._is_exception(node.exc):
            node = ast.Raise(None, node.cause)
        self._visit_all([node.exc, node.cause])

    def _try(self, node: ast.Try) -> None:
        for handler in node.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if not all(map(self._is_exception, kinds)):
                raise Unproven
            self._visit_all(handler.body)
        self._visit_all([*node.body, *node.orelse, *node.finalbody])

    def _is_exception(self, node: ast.expr | None) -> bool:
        kind = self._outer(node)
        return isinstance(kind, type) and issubclass(kind, Exception) and may_be_called(kind)
