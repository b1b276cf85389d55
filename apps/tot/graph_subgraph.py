"""Tree of Thoughts with a subgraph for each thought that is gone on from: it proposes, and values what it proposed.

What LangGraph's maintainers advise where items should not wait for each other between hops.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from alto_lg.apps.tot.nodes import Stages, is_solved, next_expansions, valued, valuing
from alto_lg.apps.tot.state import Expansion, Puzzle, Search, Thought, Valuing


class Expanded(TypedDict):
    """What one expansion hands back to the search."""

    thoughts: Annotated[list[Thought], operator.add]


class ExpansionState(Expansion, Expanded, total=False):
    """The state of one expansion."""

    proposed: list[Valuing]


def build_subgraph(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""

    async def read(state: Puzzle) -> dict[str, Any]:
        return await stages.read(state)

    def each_kept(state: Search) -> list[Send] | Literal["answer"]:
        return [Send("expand", work) for work in next_expansions(state)] or "answer"

    async def select(state: Search) -> dict[str, Any]:
        return await stages.select(state)

    async def answer(state: Search) -> dict[str, Any]:
        answer = await stages.answer(state["run"], state["kept"])
        return {"answer": answer, "solved": is_solved(state["numbers"], answer)}

    graph = StateGraph(Search, input_schema=Puzzle)
    graph.add_node("read", read)
    graph.add_node("expand", _expansion(stages))
    graph.add_node("select", select)
    graph.add_node("answer", answer)
    graph.add_edge(START, "read")
    graph.add_conditional_edges("read", each_kept, ["expand", "answer"])
    graph.add_edge("expand", "select")
    graph.add_conditional_edges("select", each_kept, ["expand", "answer"])
    graph.add_edge("answer", END)
    return graph.compile(name="tot-subgraph")


def _expansion(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    async def propose(state: Expansion) -> dict[str, list[Valuing]]:
        item = (state["step"], state["place"])
        found = await stages.propose(item, state["numbers"], state["steps"])
        return {"proposed": [valuing(state, line, one) for line, one in enumerate(found)]}

    def each_thought(state: ExpansionState) -> list[Send]:
        return [Send("value", work) for work in state["proposed"]]

    async def value(state: Valuing) -> dict[str, list[Thought]]:
        item = (state["step"], state["place"], state["line"])
        worth = await stages.value(state["run"], state["numbers"], state["proposed"], item)
        return {"thoughts": valued(state, worth)}

    graph = StateGraph(ExpansionState, input_schema=Expansion, output_schema=Expanded)
    graph.add_node("propose", propose)
    graph.add_node("value", value, input_schema=Valuing)
    graph.add_edge(START, "propose")
    graph.add_conditional_edges("propose", each_thought, ["value"])
    graph.add_edge("value", END)
    return graph.compile(name="expand")
