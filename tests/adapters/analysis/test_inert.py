"""Inert values: classes that only hold fields, and beside them those that run code of their own."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, computed_field

from alto_lg.adapters.langgraph.analysis.inert import MOST_VALUES, are_inert, parts_of


class Colour(enum.Enum):
    RED = "red"


class Name(enum.StrEnum):
    A = "a"


@dataclass(order=True)
class Point:
    x: int = 0
    tags: list[str] = field(default_factory=list)


class Model(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int = 0
    inner: Any = None


class Meddling:
    """Whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


INERT = (
    *(None, 1, 2.5, "text", b"bytes", True, 1j, [1, [2, (3, {4})]], {"a": {"b": ["c"]}}, frozenset({1})),
    *(Colour.RED, Name.A, Point(1, ["a"]), Model(x=1, more=[1]), [Point(), Model(inner=Point())]),
    *(HumanMessage("hello"), [AIMessage("so", tool_calls=[{"name": "a", "args": {}, "id": "1"}])]),
    *(ToolMessage("found", tool_call_id="1", artifact={"rows": [1]}), Document("text", metadata={"page": 1})),
)


@pytest.mark.parametrize("value", INERT, ids=repr)
def test_data_is_inert(value: Any) -> None:
    assert are_inert([value])


class Text(str):
    def strip(self, *args: Any) -> str:
        return "mine"


class Shade(enum.Enum):
    DARK = "dark"

    @property
    def value(self) -> str:  # type: ignore[override]
        return "mine"


class Odd(enum.Enum):
    ONE = Meddling()


@dataclass
class WithProperty:
    x: int = 0

    @property
    def y(self) -> int:
        return 1


@dataclass
class WithCached:
    @cached_property
    def y(self) -> int:
        return 1


@dataclass
class WithGet:
    def get(self, name: str) -> int:
        return 1


@dataclass
class WithEquality:
    x: int = 0

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@dataclass
class OfDict(dict[str, Any]):
    x: int = 0


@dataclass(slots=True)
class WithSlots:
    x: Any = None


class Meta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return True


@dataclass
class OfMeta(metaclass=Meta):
    x: int = 0


@dataclass
class WithConstant:
    LIMIT = Meddling()


class Computed(BaseModel):
    @computed_field  # type: ignore[prop-decorator]
    @property
    def y(self) -> int:
        return 1


class WithLookUp(BaseModel):
    def __getattr__(self, name: str) -> Any:
        return 1


class Inherited(WithProperty):
    pass


class Tuple(NamedTuple):
    x: int = 0


class OwnMessage(AIMessage):
    pass


NOT_INERT = (
    *(Meddling(), [Meddling()], {"a": Meddling()}, Point(Meddling()), Model(inner=Meddling()), Model(more=Meddling())),  # type: ignore[arg-type]
    *(Text("a"), Shade.DARK, Odd.ONE, WithProperty(), WithCached(), WithGet(), WithEquality(), OfDict(), WithSlots()),
    *(OfMeta(), WithConstant(), Computed(), WithLookUp(), Inherited(), Tuple(), OwnMessage("so"), datetime.now(UTC)),
    *(AIMessage("so", extra=Meddling()), AIMessage("so", additional_kwargs={"parsed": Meddling()})),
    *(ToolMessage("found", tool_call_id="1", artifact=Meddling()), len, int),
    Document("text", metadata={"page": Meddling()}),
)


@pytest.mark.parametrize("value", NOT_INERT, ids=lambda value: type(value).__name__)
def test_what_may_run_code_of_its_own_is_not(value: Any) -> None:
    assert not are_inert([value])


def test_a_mapping_is_looked_at_in_its_keys() -> None:
    assert not are_inert([{Shade.DARK: 1}])


def test_no_more_is_looked_at_than_is_worth_it() -> None:
    assert are_inert([list(range(MOST_VALUES - 1))])
    assert not are_inert([list(range(MOST_VALUES))])
    assert not are_inert([[list(range(MOST_VALUES // 2))] * 2])
    endless: list[Any] = []
    endless.append(endless)
    assert not are_inert([endless])


def test_only_the_parts_that_are_named_are_looked_at() -> None:
    reads = frozenset({"x", "none"})
    assert parts_of({"x": 1, "y": Meddling()}, reads) == [1]
    assert parts_of(Point(1), reads) == [1]
    assert parts_of(Model(x=1, inner=Meddling()), reads) == [1]
    assert parts_of(Model(more=2), frozenset({"more"})) == [2]
    whole = {"x": 1}
    assert parts_of(whole, None)[0] is whole
    other = WithProperty()
    assert parts_of(other, reads)[0] is other


def test_every_field_of_a_plain_class_is_seen() -> None:
    made = dataclasses.make_dataclass("Made", [("x", Any)])
    assert are_inert([made(1)])
    assert not are_inert([made(Meddling())])
