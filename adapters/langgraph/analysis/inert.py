"""Inert values: whatever Python does with them (reads, compares, adds, prints) runs no code of the user's.

Owns the look at live values. Always true:
  a class is judged once, a value each time, and no more of it than `MOST_VALUES`;
  what is unknown, nested too deeply or too large is not inert.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import weakref
from collections.abc import Collection, Iterable
from types import FunctionType
from typing import Any, Final

from langchain_core.documents import Document
from pydantic import BaseModel

from .harmless_names import MESSAGES
from .source import is_library

MOST_VALUES: Final = 1000
"""A look at more than these takes longer than the hop to a thread that it is to save."""
_MOST_DEPTH = 12

SCALARS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
ROWS: Final = frozenset({list, tuple, set, frozenset})


def are_inert(values: Iterable[Any]) -> bool:
    """Whether all of these are, and what they hold."""
    return _left(list(values), MOST_VALUES, _MOST_DEPTH) >= 0


def parts_of(value: Any, names: frozenset[str] | None) -> list[Any]:
    """What a value has under these keys, or in these fields; itself where that cannot be said, or for None."""
    if names is None:
        return [value]
    if type(value) is dict:
        return [value[name] for name in names if name in value]
    if is_plain_class(type(value)) and not isinstance(value, enum.Enum):
        fields = {**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})}
        return [fields[name] for name in names if name in fields]
    return [value]


def _left(values: Collection[Any], most: int, depth: int) -> int:
    """How many more values may be looked at; below 0 if one of these is not inert."""
    most -= len(values)
    if most < 0 or depth == 0:
        return -1
    if SCALARS.issuperset(map(type, values)):
        return most
    for value in values:
        kind = type(value)
        if kind in SCALARS:
            continue
        if kind in MESSAGES:
            most = most if _is_bare(value) else -1
        elif kind in ROWS:
            most = _left(value, most, depth - 1)
        elif kind is dict:
            most = _left(value, most, depth - 1)
            most = _left(value.values(), most, depth - 1) if most >= 0 else most
        elif not (kind is Document or is_plain_class(kind)):
            return -1
        elif not isinstance(value, enum.Enum):
            fields = [*vars(value).values(), *(getattr(value, "__pydantic_extra__", None) or {}).values()]
            most = _left(fields, most, depth - 1)
        if most < 0:
            return -1
    return most


def _is_bare(message: Any) -> bool:
    """Whether a message has nothing but what LangChain has checked, and what a provider sent."""
    return not message.__pydantic_extra__ and getattr(message, "artifact", None) is None


_plain: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()


def is_plain_class(kind: type) -> bool:
    """Whether it is a class of the user's that only holds fields: a dataclass, a Pydantic model, an enumeration."""
    known = _plain.get(kind)
    if known is None:
        known = _plain[kind] = _is_plain_class(kind)
    return known


def _is_plain_class(kind: type) -> bool:
    if not (dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel | enum.Enum)) or not _is_library(type(kind)):
        return False
    skipped = SCALARS if issubclass(kind, enum.Enum) else frozenset()
    own = [base for base in kind.__mro__ if base is not object and base not in skipped and not _is_library(base)]
    return all(_is_harmless_entry(kind, name, value) for base in own for name, value in vars(base).items())


def _is_library(kind: type) -> bool:
    return kind is type or kind.__module__.partition(".")[0] in {"abc", "enum", "pydantic", "typing"}


_MAKING: Final = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__class_getitem__"})
"""They run when a value is made, and not when it is used."""
_DESCRIBING: Final = frozenset({"__annotate__", "__annotate_func__", "__signature__"})
_BUILT_IN: Final = (types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType)


def _is_harmless_entry(kind: type, name: str, value: object) -> bool:
    if name.startswith("__"):
        if name in _MAKING or name in _DESCRIBING or name.startswith("__pydantic_") or isinstance(value, _BUILT_IN):
            return True
        if isinstance(value, FunctionType):  # written by nobody: `@dataclass` has made it
            return is_library(value.__code__.co_filename) or value.__code__.co_filename == "<string>"
        return not callable(value) and not hasattr(type(value), "__get__")
    if name.startswith("_"):
        return True  # nothing harmless asks for it
    if isinstance(value, enum.Enum):
        return type(value) is kind and type(value.value) in SCALARS
    return type(value) in SCALARS or name == "model_config"
