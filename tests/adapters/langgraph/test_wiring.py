"""Wiring: what each channel of a compiled graph is for, and who triggers whom."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.types import Command
from typing_extensions import TypedDict

from alto_lg.adapters.langgraph.wiring import Wiring
from alto_lg.engine.plan import Join


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    topic: str
    left: RemainingSteps


class Narrow(TypedDict):
    topic: str


def _nothing(state: State) -> dict[str, Any]:
    return {}


def _narrow(state: Narrow) -> dict[str, Any]:
    return {}


def _jump(state: State) -> Command[Literal["a", "b"]]:
    return Command(goto="a")


def _wiring(builder: Any) -> Wiring:
    return Wiring(builder.compile())


def _diamond() -> Any:
    builder: Any = StateGraph(State)
    for name in ("fork", "a", "b", "c", "end"):
        builder.add_node(name, _nothing)
    builder.add_edge(START, "fork")
    builder.add_edge("fork", "a")
    builder.add_edge("fork", "b")
    builder.add_edge(["a", "b"], "c")
    builder.add_edge("c", "end")
    builder.add_edge("end", END)
    return builder


def test_state_keys_are_the_channels_that_trigger_nothing_and_hold_no_packets() -> None:
    wiring = _wiring(_diamond())
    assert wiring.keys == {"log", "topic"}, "a managed value is no key, and neither is the input"


def test_nodes_are_those_of_the_graph_with_the_hidden_first_one() -> None:
    assert _wiring(_diamond()).nodes == {"__start__", "fork", "a", "b", "c", "end"}


def test_an_edge_makes_a_certain_successor() -> None:
    builder = _diamond()
    wiring, nodes = _wiring(builder), builder.compile().nodes
    assert wiring.certain_successors(nodes["fork"]) == {"a", "b"}
    assert wiring.certain_successors(nodes["__start__"]) == {"fork"}
    assert wiring.certain_successors(nodes["end"]) == frozenset()


def test_a_list_edge_makes_a_join_and_no_certain_successor() -> None:
    builder = _diamond()
    wiring, nodes = _wiring(builder), builder.compile().nodes
    (join,) = wiring.joins
    assert join == Join(join.channel, frozenset({"a", "b"}), "c")
    assert wiring.is_join(join.channel)
    assert not wiring.is_join("log")
    assert wiring.certain_successors(nodes["a"]) == frozenset()
    assert wiring.joined_successors(nodes["a"]) == {"c"}
    assert wiring.activates(join.channel) == frozenset(), "one write does not complete it"


def test_a_trigger_activates_its_node_and_a_key_activates_nothing() -> None:
    wiring = _wiring(_diamond())
    assert wiring.activates("branch:to:a") == {"a"}
    assert wiring.activates("log") == frozenset()
    assert wiring.activates("nobody") == frozenset()


def test_conditional_edges_are_no_certain_successors() -> None:
    builder: Any = StateGraph(State)
    builder.add_node("a", _nothing)
    builder.add_node("b", _nothing)
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "b", ["b"])
    wiring, nodes = _wiring(builder), builder.compile().nodes
    assert wiring.certain_successors(nodes["a"]) == frozenset()
    assert wiring.joined_successors(nodes["a"]) == frozenset()


def test_input_keys_are_those_of_the_nodes_own_schema() -> None:
    builder = _diamond()
    builder.add_node("narrow", _narrow)
    builder.add_edge("fork", "narrow")
    wiring, nodes = _wiring(builder), builder.compile().nodes
    assert wiring.input_keys(nodes["narrow"]) == {"topic"}
    assert wiring.input_keys(nodes["a"]) == {"log", "topic"}


@pytest.mark.parametrize("behind_a_list", [True, False])
def test_a_deferred_node_is_deferred_by_whichever_edge_leads_to_it(behind_a_list: bool) -> None:
    builder = _diamond()
    builder.add_node("last", _nothing, defer=True)
    builder.add_edge(["a", "b"] if behind_a_list else "a", "last")
    wiring, nodes = _wiring(builder), builder.compile().nodes
    assert wiring.is_deferred(nodes["last"])
    assert not wiring.is_deferred(nodes["c"])
    assert "last" in wiring.joined_successors(nodes["a"])
    assert "last" not in wiring.certain_successors(nodes["a"])


def test_declared_destinations_of_a_command_are_found() -> None:
    builder = _diamond()
    builder.add_node("jump", _jump)
    builder.add_node("listed", _nothing, destinations=("c", "end"))
    builder.add_edge("fork", "jump")
    builder.add_edge("fork", "listed")
    wiring, nodes = _wiring(builder), builder.compile().nodes
    assert wiring.declared_targets(nodes["jump"]) == {"a", "b"}
    assert wiring.declared_targets(nodes["listed"]) == {"c", "end"}
    assert wiring.declared_targets(nodes["a"]) is None


def test_no_channel_is_two_things_at_once() -> None:
    graph = _diamond().compile()
    wiring = Wiring(graph)
    for channel in graph.channels:
        roles = [channel in wiring.keys, bool(wiring.activates(channel)), wiring.is_join(channel)]
        assert sum(roles) <= 1, channel
