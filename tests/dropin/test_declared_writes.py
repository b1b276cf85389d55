"""A declaration binds the node, not those who update the state in its name."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

import alto_lg
from dropin.watch import Implementation


class State(TypedDict, total=False):
    declared: str
    other: str


@alto_lg.node(writes=["declared"])
def speaks(state: State) -> dict[str, Any]:
    return {"declared": "said"}


@alto_lg.node(writes=["declared"])
def says_too_much(state: State) -> dict[str, Any]:
    return {"other": "said"}


def _graph(node: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=InMemorySaver())


def test_an_update_in_a_nodes_name_may_have_any_key(impl: Implementation) -> None:
    app = impl(_graph(speaks))
    config: Any = {"configurable": {"thread_id": "1"}}
    app.invoke({"declared": "given"}, config)
    app.update_state(config, {"other": "repaired"}, as_node="node")
    assert app.get_state(config).values == {"declared": "said", "other": "repaired"}


def test_a_node_that_writes_something_else_is_told() -> None:
    app = alto_lg.accelerate(_graph(says_too_much))
    with pytest.raises(alto_lg.UndeclaredWrite, match="'other'"):
        app.invoke({"declared": "given"}, {"configurable": {"thread_id": "1"}})
