"""Freezing: which values cannot be changed by whoever holds them."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import re
import types
import typing
import uuid
from typing import Any

_FROZEN_TYPES: frozenset[type] = frozenset(
    {
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        range,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        datetime.timezone,
        decimal.Decimal,
        fractions.Fraction,
        uuid.UUID,
        re.Pattern,
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        pathlib.PosixPath,
        types.EllipsisType,
        types.NotImplementedType,
    }
)
_ITEMS_MAX = 10_000
"""A container with more items than this counts as changeable: looking at all of them would cost more than it saves."""


def is_frozen(value: Any, *, items_max: int = _ITEMS_MAX) -> bool:
    """True only if neither the value nor anything in it can be changed in place."""
    remaining = items_max
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind in _FROZEN_TYPES:
            continue
        if isinstance(item, enum.Enum):
            stack.append(item.value)
            continue
        if kind is tuple or kind is frozenset or _is_named_tuple(item):
            remaining -= len(item)
            stack.extend(item)
        elif _is_frozen_dataclass(kind):
            fields = dataclasses.fields(item)
            remaining -= len(fields)
            stack.extend(getattr(item, field.name) for field in fields)
        else:
            return False
        if remaining < 0:
            return False
    return True


def _is_named_tuple(item: Any) -> bool:
    kind = type(item)
    return isinstance(item, tuple) and hasattr(kind, "_fields") and not hasattr(item, "__dict__")


def _is_frozen_dataclass(kind: type) -> bool:
    """No base of it may bring contents of its own, as a list would."""
    return dataclasses.is_dataclass(kind) and all(
        base is object or base is typing.Generic or _is_declared_frozen(base) for base in kind.__mro__
    )


def _is_declared_frozen(base: type) -> bool:
    parameters = vars(base).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)
