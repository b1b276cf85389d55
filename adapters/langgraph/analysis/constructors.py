"""Constructors: what calling a class makes.

Always true:
  an instance holds whatever its constructor was given;
  a class whose construction runs code that cannot be read hands its arguments to unseen code.
"""

from __future__ import annotations

import ast
import dataclasses
from enum import EnumType
from types import FunctionType

from langgraph.types import Command, Send
from pydantic import BaseModel

from .attributes import class_attribute, user_method
from .calls import Calls
from .core import Arguments
from .library import is_library_class, name_of
from .scopes import Scope
from .values import NEVER, NONE, SCALAR, Live, Thing, Value

_COMMAND_FIELDS = ("graph", "update", "resume", "goto")


class Constructors(Calls):
    """Makes instances."""

    def construct(self, type_: type, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if issubclass(type_, BaseException):
            return self._exception(type_, arguments, scope, node)
        if isinstance(type_, EnumType):
            return self.elements(frozenset({Live(type_)}), scope, node) | SCALAR
        if _is_typed_dict(type_):
            return self.make_dict(arguments, scope, node)
        if self._runs_unseen_code(type_):
            return self.escape(arguments.all, name_of(type_), scope, node)
        if issubclass(type_, BaseModel) or dataclasses.is_dataclass(type_) or _is_named_tuple(type_):
            return self._record(type_, arguments, scope, node)
        return self._plain_instance(type_, arguments, scope, node)

    def _exception(self, type_: type, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if user_method(type_, "__init__") is not None:
            return self._plain_instance(type_, arguments, scope, node)
        if not is_library_class(type_) or type_.__module__ == "builtins":
            made, thing = self.make("any", scope, node, "exception", type_)
            self.heap.add_elements(thing, arguments.all | SCALAR)
            return frozenset({made})
        return self.escape(arguments.all, name_of(type_), scope, node)

    @staticmethod
    def _runs_unseen_code(type_: type) -> bool:
        """True for library classes, metaclasses of the user's, validators and other hooks."""
        if is_library_class(type_):
            return True
        if user_method(type(type_), "__call__") is not None or user_method(type_, "__new__") is not None:
            return True
        if issubclass(type_, BaseModel):
            return not pydantic_is_plain(type_)
        bases = [base for base in type_.__mro__[1:] if base is not object and is_library_class(base)]
        harmless = {"Generic", "Protocol", "ABC", "tuple", "Enum"}
        return any(base.__name__ not in harmless for base in bases)

    def _record(self, type_: type, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        made, thing = self.make("instance", scope, node, f"of{id(type_)}", type_)
        self.alive.append(type_)
        names = _field_names(type_)
        for position, value in enumerate(arguments.positional):
            name = names[position] if position < len(names) else f"#{position}"
            self.heap.set_field(thing, name, value)
            if _is_named_tuple(type_):
                self.heap.add_elements(thing, value)
        for name, value in arguments.keywords.items():
            self.heap.set_field(thing, name, value)
        self.heap.add_elements(thing, arguments.rest)
        self._fill_defaults(type_, thing, scope, node)
        instance = frozenset({made})
        if dataclasses.is_dataclass(type_):
            for hook in ("__init__", "__post_init__"):
                own = user_method(type_, hook)
                if own is not None:
                    given = arguments if hook == "__init__" else Arguments(rest=arguments.all)
                    self.call_method(instance, hook, given, scope, node)
        return instance

    def _fill_defaults(self, type_: type, thing: Thing, scope: Scope, node: ast.AST) -> None:
        """Fields that are left out: a default is shared by all instances, a factory makes a new one."""
        for name, default, factory in _defaults_of(type_):
            if factory is not None:
                made = self.call(frozenset({Live(factory)}), Arguments(), scope, node)
                self.heap.set_field(thing, name, made)
            elif default is not None:
                self.heap.set_field(thing, name, frozenset({self.live(default, scope, node)}))
            else:
                self.heap.set_field(thing, name, NONE if name not in thing.fields else NEVER)

    def _plain_instance(self, type_: type, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        made, thing = self.make("instance", scope, node, f"of{id(type_)}", type_)
        self.alive.append(type_)
        instance = frozenset({made})
        if issubclass(type_, BaseException):  # its `__new__` keeps them, whatever its `__init__` does
            self.heap.add_elements(thing, arguments.all)
        own = class_attribute(type_, "__init__")
        if isinstance(own, FunctionType):
            given = Arguments((instance, *arguments.positional), arguments.keywords, arguments.rest, arguments.optional)
            self.call(frozenset({Live(own)}), given, scope, node)
        else:
            self.heap.add_elements(thing, arguments.all)
        return instance

    def make_dict(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        """`dict(...)`: a copy of a mapping or of pairs, with keywords on top."""
        made, thing = self.make("dict", scope, node, "made")
        target = frozenset({made})
        for value in arguments.positional:
            self.merge_into(target, value, scope, node)
        for name, value in arguments.keywords.items():
            self.heap.set_field(thing, name, value)
        if arguments.rest:
            self.heap.widen(thing)
            self.heap.add_elements(thing, arguments.rest)
        return target

    def make_command(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self._with_fields("command", Command, _COMMAND_FIELDS, arguments, scope, node)

    def make_send(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self._with_fields("send", Send, ("node", "arg", "timeout"), arguments, scope, node)

    def _with_fields(
        self,
        kind: str,
        type_: type,
        names: tuple[str, ...],
        arguments: Arguments,
        scope: Scope,
        node: ast.AST,
    ) -> Value:
        made, thing = self.make(kind, scope, node, kind, type_)
        for name, value in zip(names, arguments.positional, strict=False):
            self.heap.set_field(thing, name, value)
        for name, value in arguments.keywords.items():
            self.heap.set_field(thing, name, value)
        if arguments.rest:
            self.heap.widen(thing)
            self.heap.add_elements(thing, arguments.rest)
        return frozenset({made})


def _is_typed_dict(type_: type) -> bool:
    return issubclass(type_, dict) and hasattr(type_, "__total__") and hasattr(type_, "__required_keys__")


def _is_named_tuple(type_: type) -> bool:
    return issubclass(type_, tuple) and hasattr(type_, "_fields")


def _field_names(type_: type) -> tuple[str, ...]:
    if issubclass(type_, BaseModel):
        return tuple(type_.model_fields)
    if dataclasses.is_dataclass(type_):
        return tuple(field.name for field in dataclasses.fields(type_) if field.init)
    return tuple(getattr(type_, "_fields", ()))


def _defaults_of(type_: type) -> list[tuple[str, object | None, object | None]]:
    """Name, default and default factory of each field that has one of them."""
    found: list[tuple[str, object | None, object | None]] = []
    if issubclass(type_, BaseModel):
        for name, info in type_.model_fields.items():
            if info.default_factory is not None:
                found.append((name, None, info.default_factory))
            elif not info.is_required():
                found.append((name, info.default, None))
    elif dataclasses.is_dataclass(type_):
        for field in dataclasses.fields(type_):
            if field.default_factory is not dataclasses.MISSING:
                found.append((field.name, None, field.default_factory))
            elif field.default is not dataclasses.MISSING:
                found.append((field.name, field.default, None))
    else:
        found += [(name, value, None) for name, value in getattr(type_, "_field_defaults", {}).items()]
    return found


def pydantic_is_plain(type_: type[BaseModel]) -> bool:
    """True when making a model runs no code of the user's."""
    decorators = type_.__pydantic_decorators__
    hooks = (
        decorators.validators,
        decorators.field_validators,
        decorators.root_validators,
        decorators.model_validators,
        decorators.computed_fields,
    )
    own = ("__init__", "__new__", "model_post_init", "__get_pydantic_core_schema__")
    return not any(hooks) and all(user_method(type_, name) is None for name in own)
