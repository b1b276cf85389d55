"""Fingerprints: what a value holds, so that a change in place can be told.

Always true: no code of the user's runs; what is not a container that is known here counts as its identity, so that a
client or a lock in the state never looks changed.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Hashable
from typing import Any

from pydantic import BaseModel

_DEPTH_MAX = 50
"""Deeper than this a value counts as its identity."""


def fingerprint(value: Any) -> Hashable:
    """Equal for the same object at two times if nothing that it holds was changed in between."""
    return _fingerprint(value, frozenset(), _DEPTH_MAX)


def is_container(value: Any) -> bool:
    """Whether the value can be changed in place in a way that its fingerprint tells."""
    return isinstance(value, list | dict | set | bytearray | deque | tuple | frozenset | BaseModel) or _is_record(value)


def _fingerprint(value: Any, above: frozenset[int], depth: int) -> Hashable:
    kind = type(value)
    if kind in (str, int, bool, bytes, type(None)):
        return value  # type: ignore[no-any-return]
    if kind is float:
        return repr(value)  # nan is not equal to itself
    if kind is bytearray:
        return bytes(value)
    if depth == 0 or id(value) in above or not is_container(value):
        return (kind, id(value))
    parts = _parts(value)
    inside = above | {id(value)}
    prints = [_fingerprint(part, inside, depth - 1) for part in parts]
    return (kind, id(value), frozenset(prints) if isinstance(value, set | frozenset) else tuple(prints))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):  # by dict's own method: a class derived from it may have another idea
        return [part for item in dict.items(value) for part in item]
    if isinstance(value, BaseModel):
        # Not all of __dict__: that is where cached properties are kept, and reading one is not a change.
        return [vars(value).get(name) for name in type(value).model_fields]
    if _is_record(value):
        return [vars(value).get(field.name) for field in dataclasses.fields(value)]
    return list(value)


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type) and hasattr(value, "__dict__")
