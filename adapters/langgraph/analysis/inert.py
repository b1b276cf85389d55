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
from collections.abc import Callable, Collection, Iterable
from types import FunctionType
from typing import Any, Final

from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from pydantic import BaseModel

from .harmless_names import is_message
from .source import is_library

MOST_VALUES: Final = 500
"""A look at more than these takes longer than the hop to a thread that it is to save."""
_MOST_DEPTH = 12

SCALARS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
ROWS: Final = frozenset({list, tuple, set, frozenset})

_Holds = Callable[[Any], Collection[Any]]


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
    kinds = {*map(type, values)} - SCALARS
    if not kinds:
        return most
    holds = {kind: _what_it_holds(kind) for kind in kinds}
    if None in holds.values():
        return -1
    for value in values:
        inside = holds.get(type(value))
        held = inside(value) if inside is not None else ()
        if held:
            most = _left(held, most, depth - 1)
            if most < 0:
                return -1
    return most


# ── classes ─────────────────────────────────────────────────────────────────────────────────────────────────────

_known: weakref.WeakKeyDictionary[type, _Holds | None] = weakref.WeakKeyDictionary()


def _what_it_holds(kind: type) -> _Holds | None:
    """What gives the values that an inert value of a class holds; None for a class that is not inert."""
    try:
        return _known[kind]
    except KeyError:
        made = _known[kind] = _made_to_hold(kind)
        return made


def _made_to_hold(kind: type) -> _Holds | None:
    if kind in ROWS:
        return _of_row
    if kind is dict:
        return _of_dict
    if is_message(kind):
        return _of_message_of_tool if issubclass(kind, ToolMessage) else _of_message
    if issubclass(kind, enum.Enum):
        return _of_member if _is_plain_class(kind) else None
    return _of_fields if kind is Document or _is_plain_class(kind) else None


def _of_row(row: Collection[Any]) -> Collection[Any]:
    return row


def _of_dict(mapping: dict[Any, Any]) -> Collection[Any]:
    return [*mapping, *mapping.values()]


def _of_member(member: enum.Enum) -> Collection[Any]:
    return ()


def _of_message(message: Any) -> Collection[Any]:
    """What a provider or the user may have left in it, beside what LangChain has checked."""
    more, extra = message.additional_kwargs, message.__pydantic_extra__
    return [*more.values(), *extra.values()] if more or extra else ()


def _of_message_of_tool(message: Any) -> Collection[Any]:
    return [message.artifact, *_of_message(message)]


def _of_fields(value: Any) -> Collection[Any]:
    return [*vars(value).values(), *(getattr(value, "__pydantic_extra__", None) or {}).values()]


def is_plain_class(kind: type) -> bool:
    """Whether it is a class of the user's that only holds fields: a dataclass, a Pydantic model, an enumeration."""
    return _what_it_holds(kind) in (_of_fields, _of_member)


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
