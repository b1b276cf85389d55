"""Schemas: inputs and outputs narrower than the state, keys between two nodes, models and dataclasses."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from pydantic import BaseModel, ValidationError, field_validator
from typing_extensions import TypedDict

from surface.bench import Bench, thread


class Given(TypedDict):
    question: str


class Answer(TypedDict):
    answer: str


class Whole(TypedDict):
    question: str
    answer: str
    log: Annotated[list[str], operator.add]


class Private(TypedDict):
    secret: str


class Model(BaseModel):
    number: int = 0
    log: Annotated[list[str], operator.add] = []


class Positive(BaseModel):
    number: int = 1
    log: Annotated[list[str], operator.add] = []

    @field_validator("number")
    @classmethod
    def is_positive(cls, number: int) -> int:
        if number < 0:
            raise ValueError("below zero")
        return number


@dataclass
class Data:
    number: int = 0
    log: Annotated[list[str], operator.add] = field(default_factory=list)


def _narrow(bench: Bench) -> Builder:
    """`think` leaves a key that only `tell` knows, and `tell` may run beside the slow node."""

    def think(state: Given) -> dict[str, Any]:
        return {"secret": f"secret of {state['question']}", "log": ["think"]}

    def tell(state: Private) -> dict[str, Any]:
        bench.overtaken.set()
        return {"answer": state["secret"].upper(), "log": ["tell"]}

    builder: Builder = StateGraph(Whole, input_schema=Given, output_schema=Answer)
    builder.add_node("think", think)
    builder.add_node("slow", bench.slow())
    builder.add_node("tell", tell)
    return connect(builder, (START, "think"), (START, "slow"), ("think", "tell"))


def test_only_the_output_keys_come_out(bench: Bench) -> None:
    app = bench.app(_narrow(bench))
    assert bench.invoke(app, {"question": "why"}) == {"answer": "SECRET OF WHY"}
    bench.assert_started_early(app)


def test_keys_that_are_no_input_do_not_go_in(bench: Bench) -> None:
    app = bench.app(_narrow(bench))
    assert bench.invoke(app, {"question": "why", "answer": "given", "log": ["given"]}) == {"answer": "SECRET OF WHY"}
    bench.assert_started_early(app)


def test_a_private_key_is_saved_and_not_shown(bench: Bench) -> None:
    app = bench.app(_narrow(bench), checkpointer=InMemorySaver())
    bench.invoke(app, {"question": "why"}, thread())
    bench.assert_started_early(app)
    values = bench.state(app, thread()).values
    assert values["log"] == ["slow", "think", "tell"]
    assert values["answer"] == "SECRET OF WHY"
    updates = bench.stream(app, {"question": "why"}, thread("2"), stream_mode="updates")
    assert updates[-1]["tell"]["answer"] == "SECRET OF WHY"


def test_a_key_that_was_not_given_is_missed_by_the_node_that_reads_it(bench: Bench) -> None:
    app = bench.app(_narrow(bench))
    bench.overlapping = False
    with pytest.raises(KeyError, match="question"):
        bench.invoke(app, {"nothing": "known"})


def _counting(bench: Bench, state: Any) -> Builder:
    def double(found: Any) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"{type(found).__name__} {found.number * 2}"]}

    double.__annotations__["found"] = state

    builder: Builder = StateGraph(state)
    for name, node in (("fast", bench.say("fast")), ("slow", bench.slow()), ("double", double)):
        builder.add_node(name, node)
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "double"))


@pytest.mark.parametrize("state", [Model, Data], ids=["model", "dataclass"])
def test_a_node_that_starts_early_is_given_an_instance(bench: Bench, state: Any) -> None:
    app = bench.app(_counting(bench, state))
    wanted = {"number": 4, "log": ["fast", "slow", f"{state.__name__} 8"]}
    assert bench.invoke(app, {"number": 4}) == wanted
    bench.assert_started_early(app)
    assert bench.invoke(app, state(number=4)) == wanted
    bench.assert_started_early(app)


def test_a_model_makes_of_the_input_what_it_declares(bench: Bench) -> None:
    app = bench.app(_counting(bench, Model))
    assert bench.invoke(app, {"number": "4"})["log"][-1] == "Model 8"
    bench.assert_started_early(app)
    bench.overlapping = False
    with pytest.raises(ValidationError, match="number"):
        bench.invoke(app, {"number": "four"})


def test_a_state_with_a_validator_waits_for_the_whole_state(bench: Bench) -> None:
    app = bench.app(_counting(bench, Positive))
    bench.overlapping = False  # its code may look at every key
    assert bench.invoke(app, {"number": 4})["log"] == ["fast", "slow", "Positive 8"]
    with pytest.raises(ValidationError, match="below zero"):
        bench.invoke(app, {"number": -1})


def test_a_node_may_return_an_instance(bench: Bench) -> None:
    def replace(state: Model) -> Model:
        return Model(number=state.number + 1, log=["replace"])

    builder: Builder = StateGraph(Model)
    for name, node in (("fast", bench.say("fast")), ("slow", bench.slow()), ("replace", replace)):
        builder.add_node(name, node)
    app = bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "replace")))
    bench.overlapping = False
    assert bench.invoke(app, {"number": 4}) == {"number": 5, "log": ["fast", "slow", "replace"]}


def test_a_node_may_have_an_input_schema_of_its_own(bench: Bench) -> None:
    def look(state: Given) -> dict[str, Any]:
        bench.overtaken.set()
        return {"answer": f"{sorted(state)}"}

    builder: Builder = StateGraph(Whole)
    builder.add_node("fast", bench.say("fast"))
    builder.add_node("slow", bench.slow())
    builder.add_node("look", look, input_schema=Given)
    app = bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "look")))
    found = bench.invoke(app, {"question": "why", "log": []})
    assert found == {"question": "why", "answer": "['question']", "log": ["fast", "slow"]}


@pytest.mark.parametrize("state", [Whole, Model, Data], ids=["typeddict", "model", "dataclass"])
def test_schemas_are_described_as_before(bench: Bench, plain_bench: Bench, state: Any) -> None:
    builder: Builder = StateGraph(state)
    builder.add_node("one", bench.say("one"))
    connect(builder, (START, "one"))
    app, plain = bench.app(builder), plain_bench.app(builder)
    for describe in (
        "get_input_jsonschema",
        "get_output_jsonschema",
        "get_context_jsonschema",
    ):
        assert getattr(app, describe)() == getattr(plain, describe)()
    assert app.get_input_schema().model_json_schema() == plain.get_input_schema().model_json_schema()
    assert app.get_output_schema().model_json_schema() == plain.get_output_schema().model_json_schema()
    assert app.InputType is plain.InputType
    assert app.OutputType is plain.OutputType
    assert app.get_name() == plain.get_name()
