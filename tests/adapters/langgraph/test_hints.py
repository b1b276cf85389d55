"""Hints: what is declared about a node arrives in its stage, and nowhere else."""

from __future__ import annotations

import operator
from functools import partial
from typing import Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.convert import plan_of
from alto_lg.adapters.langgraph.declarations import check_declarations
from alto_lg.adapters.langgraph.wiring import key_of
from alto_lg.engine.facts import Evidence
from alto_lg.engine.plan import Plan, Stage
from alto_lg.hints import Hint, hint_of


class State(TypedDict):
    data: dict[str, Any]
    topic: str
    log: Annotated[list[str], operator.add]


def _any(state: State) -> dict[str, Any]:
    return dict(state)


def _plan(hints: dict[str, Hint] | None = None, **functions: Any) -> Plan:
    return plan_of(_graph(**functions), hints or {})


def _graph(**functions: Any) -> Any:
    builder: Any = StateGraph(State)
    for name, function in functions.items():
        builder.add_node(name, function)
        builder.add_edge(START, name)
    return builder.compile()


def _stage(hint: Hint) -> Stage:
    return _plan({"a": hint}, a=_any).stages["a"]


def test_a_declared_function_is_the_function_itself() -> None:
    def function(state: State) -> dict[str, Any]:
        return {}

    assert alto_lg.node(reads=["topic"])(function) is function
    assert alto_lg.node(function) is function
    assert function({}) == {}  # type: ignore[typeddict-item]


def test_a_declaration_is_found_on_what_is_wrapped_around_the_function() -> None:
    @alto_lg.node(reads=["topic"], pure=True)
    def function(state: State) -> dict[str, Any]:
        return {}

    class Holder:
        @alto_lg.node(barrier=True)
        def method(self, state: State) -> dict[str, Any]:
            return {}

    expected = Hint(reads=("topic",), pure=True)
    assert hint_of(function) == expected
    assert hint_of(partial(function)) == expected
    assert hint_of(partial(partial(function))) == expected
    assert hint_of(Holder().method) == Hint(barrier=True)
    assert hint_of(_any) is None
    assert hint_of(None) is None


def test_what_is_not_declared_is_left_to_the_analysis() -> None:
    undeclared, declared = _plan(a=_any).stages["a"], _stage(Hint(pure=True))
    assert (declared.reads, declared.writes, declared.mutates) == (
        undeclared.reads,
        undeclared.writes,
        undeclared.mutates,
    )
    assert declared.pure
    assert not declared.barrier


def test_declared_reads_and_writes_win_over_the_code() -> None:
    stage = _stage(Hint(reads=("topic",), writes=("log",)))
    assert (stage.reads.keys.names, stage.reads.evidence) == ({"topic"}, Evidence.HINT)
    assert (stage.writes.keys.names, stage.writes.evidence) == ({"log"}, Evidence.HINT)


def test_declaring_no_reads_means_nothing_and_not_everything() -> None:
    assert _stage(Hint(reads=())).reads.keys.names == frozenset()


def test_what_a_node_may_change_in_place_is_within_its_declared_writes() -> None:
    stage = _stage(Hint(writes=("log",)))
    assert stage.mutates.keys.within({"data", "topic", "log"}) <= {"log"}
    assert not stage.mutates_outside
    assert not stage.leaks, "what it leaves outside is declared away"


def test_a_hint_given_to_accelerate_wins_over_the_decorator() -> None:
    @alto_lg.node(reads=["topic"])
    def decorated(state: State) -> dict[str, Any]:
        return {}

    plan = _plan({"a": Hint(reads=("data",))}, a=decorated, b=decorated)
    assert plan.stages["a"].reads.keys.names == {"data"}
    assert plan.stages["b"].reads.keys.names == {"topic"}


def test_a_path_is_a_part_of_its_key_and_whoever_reads_the_key_reads_the_part() -> None:
    hints = {
        "left": Hint(reads=("data.left",), writes=("log",)),
        "right": Hint(reads=("topic",), writes=("data.right",)),
        "whole": Hint(reads=("data",), writes=("data",)),
    }
    plan = _plan(hints, left=_any, right=_any, whole=_any)
    assert plan.keys == {"data", "data.left", "data.right", "topic", "log"}
    assert plan.stages["left"].reads.keys.names == {"data.left"}
    assert plan.stages["right"].writes.keys.names == {"data.right"}
    assert plan.stages["whole"].reads.keys.names == {"data", "data.left", "data.right"}
    assert plan.stages["whole"].writes.keys.names == {"data", "data.left", "data.right"}


def test_a_key_whose_name_only_begins_alike_is_no_part() -> None:
    class Alike(TypedDict):
        data: str
        database: str

    builder: Any = StateGraph(Alike)
    builder.add_node("a", _any)
    builder.add_edge(START, "a")
    hints = {"a": Hint(reads=("data",), writes=("data.left",))}
    plan = plan_of(builder.compile(), hints)
    assert plan.stages["a"].reads.keys.names == {"data", "data.left"}


@pytest.mark.parametrize(
    ("atom", "key"), [("data.left.deep", "data"), ("data", "data"), ("a.b", "a.b"), ("other.c", "other")]
)
def test_an_atom_belongs_to_the_key_before_its_first_dot(atom: str, key: str) -> None:
    assert key_of(atom, frozenset({"data", "a.b", "other"})) == key


def test_declarations_about_what_is_there_are_accepted() -> None:
    check_declarations(_graph(a=_any), {"a": Hint(reads=("data.left", "topic"), writes=("log",))})


def test_a_subgraphs_nodes_are_not_hinted_by_the_hints_of_its_caller() -> None:
    inner = _graph(a=_any)
    outer = _plan({"a": Hint(barrier=True)}, a=_any, sub=inner)
    assert outer.stages["a"].barrier
    assert not outer.stages["sub"].barrier
