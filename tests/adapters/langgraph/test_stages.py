"""What is known of a node that is a graph itself, that writes by a call, or whose update a router sees."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import push_message
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.convert import plan_of
from alto_lg.engine.plan import Plan


class State(TypedDict, total=False):
    docs: list[str]
    answer: str


async def reads(state: State) -> dict[str, Any]:
    return {"answer": state["docs"][0]}


async def changes(state: State) -> dict[str, Any]:
    state["docs"].append("one more")
    return {}


def inner(node: Any) -> CompiledStateGraph[State]:
    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return graph.compile()


def plan_around(subgraph: CompiledStateGraph[State]) -> Plan:
    graph = StateGraph(State)
    graph.add_node("inner", subgraph)
    graph.add_edge(START, "inner")
    return plan_of(graph.compile(), {})


@pytest.mark.parametrize("node", [reads, changes])
def test_an_accelerated_subgraph_is_known_as_well_as_a_plain_one(node: Any) -> None:
    """Its nodes have checks around them, which read and change more than the user's code does."""
    accelerated = alto_lg.accelerate(inner(node), check=True, blocking_s=1.0)
    assert plan_around(accelerated).stages == plan_around(inner(node)).stages
    assert plan_around(inner(reads)).stages != plan_around(inner(changes)).stages


def test_who_reads_what_a_node_pushes_waits_for_it() -> None:
    seen: list[list[str]] = []

    async def talks(state: MessagesState) -> None:
        await asyncio.sleep(1)
        push_message(AIMessage("hello", id="1"))

    async def passes(state: MessagesState) -> None:
        return None

    async def listens(state: MessagesState) -> None:
        seen.append([str(message.content) for message in state["messages"]])

    graph = StateGraph(MessagesState)
    for node in (talks, passes, listens):
        graph.add_node(node)
    graph.add_edge(START, "talks")
    graph.add_edge(START, "passes")
    graph.add_edge("passes", "listens")
    run(lambda: alto_lg.accelerate(graph).ainvoke({"messages": []}))
    assert seen == [["hello"]]


def grow(left: list[str], right: list[str]) -> list[str]:
    left.extend(right)
    return left


class Grown(TypedDict, total=False):
    docs: Annotated[list[str], grow]
    answer: str


async def adds(state: Grown) -> dict[str, Any]:
    return {"docs": ["one more"]}


async def answers(state: Grown) -> dict[str, Any]:
    return {"answer": "yes"}


def on(state: Grown) -> str:
    return END


@pytest.mark.parametrize(("node", "changed"), [(adds, {"docs"}), (answers, set())])
def test_a_conditional_edge_reduces_what_its_node_wrote(node: Any, changed: set[str]) -> None:
    """LangGraph copies channels for it, not values: a reducer that changes its left side changes the state itself."""
    graph = StateGraph(Grown)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    without = plan_of(graph.compile(), {}).stages["node"]
    graph.add_conditional_edges("node", on)
    stage = plan_of(graph.compile(), {}).stages["node"]
    assert without.mutates.keys.names == set()
    assert stage.mutates.keys.names == changed
    assert bool(stage.never_early) is bool(changed)


def test_a_subgraph_whose_reducer_changes_values_may_change_those_of_its_caller() -> None:
    graph = StateGraph(Grown)
    graph.add_node("node", answers)
    graph.add_edge(START, "node")
    around = StateGraph(State)
    around.add_node("inner", graph.compile())
    around.add_edge(START, "inner")
    assert plan_of(around.compile(), {}).stages["inner"].mutates.keys.is_every


def test_a_path_map_says_which_nodes_are_gone_to_by_name_and_which_by_packets() -> None:
    async def node(state: State) -> dict[str, Any]:
        return {}

    def route(state: State) -> Any:
        return [Send("work", {"doc": doc}) for doc in state["docs"]] or "nothing"

    graph = StateGraph(State)
    for name in ("begin", "work", "rest"):
        graph.add_node(name, node)
    graph.add_edge(START, "begin")
    graph.add_conditional_edges("begin", route, {"nothing": "rest", "work": "work"})
    stage = plan_of(graph.compile(), {}).stages["begin"]
    assert stage.successors == {"work", "rest"}
    assert stage.by_name == {"rest"}
    assert stage.by_packet == {"work", "rest"}
