"""Attributes of live objects, found without running any code of theirs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import Enum, EnumType
from functools import cache
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType

from .library import is_user_code
from .words import words


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a name on an object stands for now; `is_method`: a function that will be given the object."""

    value: object
    is_method: bool = False


# Special methods that the walk calls where it sees them used; all others of a user's class run implicitly.
_EXPLICIT = words(
    "__init__ __new__ __post_init__ __call__ __getitem__ __setitem__ __iter__ __next__ __enter__ "
    "__exit__ __aenter__ __aexit__ __getattr__ __getattribute__ __setattr__ __init_subclass__ "
    "__class_getitem__ __get_pydantic_core_schema__ __get_pydantic_json_schema__ __annotate__ "
    "__annotate_func__"
)
# Library base classes whose generated methods have no file of the user's.
_GENERATED = ("<string>",)


@cache
def implicit_methods(type_: type) -> tuple[str, ...]:
    """Names of the special methods of a class that the user wrote and that operators may run."""
    found = []
    for base in type_.__mro__:
        for name, value in vars(base).items():
            dunder = name.startswith("__") and name.endswith("__")
            if dunder and name not in _EXPLICIT and isinstance(value, FunctionType) and _is_written(value):
                found.append(name)
    return tuple(dict.fromkeys(found))


def _is_written(function: FunctionType) -> bool:
    return is_user_code(function) and function.__code__.co_filename not in _GENERATED


def user_method(type_: type, name: str) -> FunctionType | None:
    """The user's own function under a name of a class."""
    for base in type_.__mro__:
        if name in vars(base):
            value = vars(base)[name]
            return value if isinstance(value, FunctionType) and _is_written(value) else None
    return None


def class_attribute(type_: type, name: str) -> object | None:
    """What a class, or a base of it, holds under a name."""
    for base in type_.__mro__:
        if name in vars(base):
            value: object = vars(base)[name]
            return value
    return None


def static_attribute(value: object, name: str) -> Attribute | None:
    """The attribute of a module, a class or an instance, or None when only running code would tell."""
    if isinstance(value, ModuleType):
        return Attribute(vars(value)[name]) if name in vars(value) else None
    if isinstance(value, type):
        return _of_class(value, name)
    return _of_instance(value, name)


def _of_class(type_: type, name: str) -> Attribute | None:
    if isinstance(type_, EnumType) and name in type_.__members__:
        return Attribute(type_.__members__[name])
    for base in type_.__mro__:
        if name not in vars(base):
            continue
        found = vars(base)[name]
        if isinstance(found, staticmethod):
            return Attribute(found.__func__)
        if isinstance(found, classmethod):
            return Attribute(MethodType(found.__func__, type_))
        if isinstance(found, FunctionType):
            return Attribute(found, is_method=True)
        if isinstance(found, property):
            return Attribute(found)
        if isinstance(found, functools.cached_property):
            return Attribute(property(found.func))
        if hasattr(type(found), "__get__") and not isinstance(found, BuiltinFunctionType | type):
            return None
        return Attribute(found)
    return None


def _of_instance(value: object, name: str) -> Attribute | None:
    type_ = type(value)
    if isinstance(value, Enum) and name in ("value", "_value_", "name", "_name_"):
        return Attribute(value._value_ if "value" in name else value._name_)
    if user_method(type_, "__getattribute__") is not None:
        return None
    found = class_attribute(type_, name)
    if isinstance(found, property):
        return Attribute(found)
    if isinstance(found, MemberDescriptorType):
        try:
            return Attribute(found.__get__(value))
        except AttributeError:
            return None
    own = _own_attributes(value)
    if name in own and not hasattr(type(found), "__set__"):
        return Attribute(own[name])
    if found is None:
        return None
    return _of_class(type_, name)


def _own_attributes(value: object) -> dict[str, object]:
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return own if type(own) is dict else {}
