"""Freezing: a value counts as frozen only if nobody who holds it can change it."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import re
import uuid
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

from alto_lg.adapters.langgraph.freezing import is_frozen


class Colour(enum.Enum):
    RED = 1


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 0


@dataclass(frozen=True, slots=True)
class Slotted:
    x: Any


@dataclass
class Loose:
    x: int = 0


@dataclass(frozen=True)
class WithDefault:
    items: Any = field(default_factory=list)


class Careless(Point):
    """A subclass without the decorator: its own attributes can be set, through `__dict__`."""


class Text(str):
    """A string with room for attributes."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)
    x: int = 0


FROZEN = [
    None,
    True,
    1,
    1.5,
    "text",
    b"bytes",
    range(3),
    ...,
    datetime.date(2024, 1, 1),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    datetime.timedelta(1),
    decimal.Decimal("1.5"),
    uuid.UUID(int=1),
    re.compile("a"),
    pathlib.PurePosixPath("a"),
    Colour.RED,
    (),
    (1, ("a", None)),
    frozenset({"a"}),
    Pair(1, "a"),
    namedtuple("Old", "x")(1),
    Point(1, "a"),
    Slotted((1, 2)),
    Point(Point(1)),
]
CHANGEABLE = [
    [],
    {},
    set(),
    bytearray(),
    ([],),
    (1, (2, {})),
    Pair(1, []),
    Point([]),
    Point(Point({})),
    Slotted([]),
    WithDefault(),
    Loose(),
    Careless(1),
    Text("a"),
    object(),
    lambda: None,
    HumanMessage("hello"),
    Model(),
    iter(()),
    (part for part in ()),
]


@pytest.mark.parametrize("value", FROZEN, ids=repr)
def test_a_value_that_nobody_can_change_is_frozen(value: object) -> None:
    assert is_frozen(value)


@pytest.mark.parametrize("value", CHANGEABLE, ids=lambda value: type(value).__name__)
def test_a_value_that_somebody_could_change_is_not_frozen(value: object) -> None:
    assert not is_frozen(value)


@pytest.mark.parametrize("value", CHANGEABLE, ids=lambda value: type(value).__name__)
def test_a_tuple_is_as_changeable_as_what_is_in_it(value: object) -> None:
    assert not is_frozen((1, (value,)))


def test_a_frozen_looking_type_that_keeps_attributes_is_not_frozen() -> None:
    class Tagged(tuple[int, ...]):
        pass

    assert not is_frozen(Tagged((1,)))


def test_a_frozen_dataclass_that_is_a_container_too_is_not_frozen() -> None:
    @dataclass(frozen=True)
    class Rows(list[int]):
        name: str = "rows"

    assert not is_frozen(Rows())


def test_a_container_with_too_many_items_counts_as_changeable() -> None:
    assert is_frozen((0,) * 10, items_max=10)
    assert not is_frozen((0,) * 11, items_max=10)
    assert not is_frozen(((0,) * 6, (0,) * 6), items_max=10)


def test_a_value_that_is_nested_a_thousand_times_is_looked_through() -> None:
    value: Any = ()
    for _ in range(5000):
        value = (value,)
    assert is_frozen(value)
    value = []
    for _ in range(5000):
        value = (value,)
    assert not is_frozen(value)
