"""Replies in JSON: what the simulated server answers where a format is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from alto_lg.comparisons.sim.formats import ReplyFormat, SchemaProblem

Connect = Callable[..., openai.OpenAI]
ASKED: Any = [{"role": "user", "content": "Write 6 search queries about the Eiffel Tower."}]


class Kind(Enum):
    BROAD = "broad"
    NARROW = "narrow"


class Query(BaseModel):
    """One search."""

    text: str
    kind: Kind
    weight: int = Field(ge=1, le=5)
    inner: list[Query] | None = Field(default=None, max_length=0)


class Plan(BaseModel):
    """Some searches."""

    reason: str | None
    queries: list[Query]
    is_whole: bool
    share: float


def _format(schema: dict[str, Any]) -> ReplyFormat:
    found = ReplyFormat.of({"type": "json_schema", "json_schema": {"name": "plan", "schema": schema}})
    assert found is not None
    return found


class Flat(BaseModel):
    """What a model of OpenAI takes, without lists in lists."""

    reason: str | None
    queries: list[str]
    weights: list[int]
    share: float = Field(ge=0, le=1)


@given(st.integers(0, 1000), st.text(max_size=40))
def test_a_schema_is_honoured_whatever_the_message_says(seed: int, text: str) -> None:
    said = _format(Flat.model_json_schema()).text("no JSON", [{"role": "user", "content": text}], seed)
    Flat.model_validate_json(said)


def test_references_enums_bounds_and_the_number_of_items_are_honoured() -> None:
    found = Plan.model_validate_json(_format(Plan.model_json_schema()).text("no JSON", ASKED, 1))
    assert len(found.queries) == 6
    assert all(1 <= query.weight <= 5 and isinstance(query.kind, Kind) for query in found.queries)


def test_the_same_message_and_seed_give_the_same_reply_and_another_seed_another() -> None:
    form = _format(Flat.model_json_schema())
    assert form.text("", ASKED, 1) == form.text("", ASKED, 1) != form.text("", ASKED, 2)


def test_a_reply_that_fits_already_is_taken_at_its_word() -> None:
    said = '{"reason": null, "queries": ["a"], "weights": [], "share": 0.5}'
    assert _format(Flat.model_json_schema()).text(said, ASKED, 1) == said
    unfit = said.replace("0.5", "7")
    assert _format(Flat.model_json_schema()).text(unfit, ASKED, 1) != unfit


REFUSED: list[dict[str, Any]] = [
    {"type": "array"},
    {"type": "object", "oneOf": []},
    {"type": "object", "properties": {"a": {"type": "date"}}},
]


@pytest.mark.parametrize("schema", REFUSED)
def test_what_cannot_be_promised_is_refused_with_its_place(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaProblem, match=r"^schema\."):
        _format(schema)


def test_the_openai_client_parses_what_it_asked_for(connect: Connect) -> None:
    client = connect()
    plan = client.chat.completions.parse(model="sim", messages=ASKED, response_format=Plan).choices[0].message.parsed
    assert plan is not None
    assert len(plan.queries) == 6
    with client.chat.completions.stream(model="sim", messages=ASKED, response_format=Plan) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == plan


def test_a_json_object_is_one(connect: Connect) -> None:
    made = connect().chat.completions.create(model="sim", messages=ASKED, response_format={"type": "json_object"})
    assert list(json.loads(made.choices[0].message.content or "")) == ["answer"]
