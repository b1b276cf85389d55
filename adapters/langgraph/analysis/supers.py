"""Supers: `super().name(…)`, where the class and the object are known.

Always true:
  the function that is followed is the one that Python would find: the first one behind the class that the method stands
  in, in the order of the object's own class. Where that cannot be told, the object is handed to unseen code.
"""

from __future__ import annotations

import ast
from types import FunctionType, WrapperDescriptorType

from .core import Arguments
from .library import is_generated_init
from .methods import Methods
from .scopes import Scope
from .values import NONE, Atom, Live, Made, Value, join

_SUPER: Value = frozenset({Live(super)})


class Supers(Methods):
    """Calls of a base class's methods."""

    def call_above(self, node: ast.Call, scope: Scope) -> Value | None:
        """What `super().name(…)` gives, or None for any other call, and where it cannot be told what is called."""
        function = node.func
        if not isinstance(function, ast.Attribute) or not self._is_bare_super(function.value, scope):
            return None
        owner = self._owner(scope, node)
        name = self.mangled(function.attr, scope)
        above = {atom: self._above(atom, owner, name) for atom in self.look_up(scope.first, scope, node)}
        if not above or None in above.values():
            return None
        arguments = self.arguments(node, scope)
        return join(self._call_base(atom, found, arguments, scope, node) for atom, found in above.items())

    def _is_bare_super(self, node: ast.expr, scope: Scope) -> bool:
        return (
            isinstance(node, ast.Call)
            and not node.args
            and not node.keywords
            and isinstance(node.func, ast.Name)
            and node.func.id == "super"
            and bool(scope.first)
            and "__class__" in scope.cells
            and self.evaluate(node.func, scope) == _SUPER
        )

    def _owner(self, scope: Scope, node: ast.AST) -> type | None:
        """The class that the method stands in."""
        found = self.look_up("__class__", scope, node)
        (owner, *more) = found or {None}
        return owner.value if not more and isinstance(owner, Live) and isinstance(owner.value, type) else None

    def _above(self, atom: Atom, owner: type | None, name: str) -> object | None:
        """What a class behind `owner` holds under a name, if it can be followed or does nothing."""
        type_ = self.heap.things[atom.site].type_ if isinstance(atom, Made) else None
        if isinstance(atom, Live) and not isinstance(atom.value, type):
            type_ = type(atom.value)
        if type_ is None or owner not in type_.__mro__:
            return None
        behind = type_.__mro__[type_.__mro__.index(owner) + 1 :]
        base = next((base for base in behind if name in vars(base)), None)
        found: object = vars(base)[name] if base is not None else None
        if isinstance(found, FunctionType):
            return found if found.__code__.co_filename != "<string>" or is_generated_init(found) else None
        return found if isinstance(found, WrapperDescriptorType) and _only_stores(found) else None

    def _call_base(self, atom: Atom, found: object, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        one = frozenset({atom})
        if isinstance(atom, Made) and self.heap.things[atom.site].open:
            # Unseen code had it, and may have given it another class.
            self.escape(arguments.all | one, self.name_in(node.func) if isinstance(node, ast.Call) else "", scope, node)
        if not isinstance(found, FunctionType):
            self.change(one, arguments.all, scope, node, "fills in the fields of an object")
            return NONE
        given = Arguments((one, *arguments.positional), arguments.keywords, arguments.rest, arguments.optional)
        return self.call(frozenset({Live(found)}), given, scope, node)


def _only_stores(found: WrapperDescriptorType) -> bool:
    """The `__init__` of `object` or of a built-in exception: it does no more than to keep what it is given."""
    owner = found.__objclass__
    exception = issubclass(owner, BaseException) and owner.__module__ == "builtins"
    return found.__name__ == "__init__" and (owner is object or exception)
