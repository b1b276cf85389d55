"""Tree of Thoughts as one flat graph: a `Send` for every thought at every hop, and a loop over the steps.

The way most LangGraph users write a beam search. Plain LangGraph values no thought before the slowest proposal has
ended. In the streaming form, `propose` gives out each thought when the model has written its line, and that is the only
difference.

The nodes declare what they write, which plain LangGraph ignores: the analysis does not follow the calls of a model, or
exact arithmetic, to the end, so it cannot see that they write nothing else. A node takes strings and numbers out of its
packet, and hands on those and not the packet: they cannot be changed by code that is out of sight.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send

import alto_lg
from alto_lg.apps.tot.nodes import Stages, is_solved, next_expansions, valued, valuing
from alto_lg.apps.tot.state import Expansion, Puzzle, Search, Thought, Valuing


def build_flat(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""

    @alto_lg.node(writes=[])
    async def propose(state: Expansion) -> Command[Literal["value"]]:
        item = (state["step"], state["place"])
        found = await stages.propose(item, state["numbers"], state["steps"])
        return Command(goto=[Send("value", valuing(state, line, one)) for line, one in enumerate(found)])

    return _graph(stages, propose, "tot-flat")


def build_streaming(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph with a streaming `propose`; `TypeError` if the model cannot stream."""
    stages.require_streaming()

    @alto_lg.node(writes=[])
    @alto_lg.streaming
    async def propose(state: Expansion) -> AsyncIterator[Command[Literal["value"]]]:
        item, line = (state["step"], state["place"]), 0
        async for found in stages.propose_by_and_by(item, state["numbers"], state["steps"]):
            yield Command(goto=[Send("value", valuing(state, line, found))])
            line += 1

    return _graph(stages, propose, "tot-streaming")


def _graph(stages: Stages, propose: Callable[..., Any], name: str) -> CompiledStateGraph[Any, Any, Any, Any]:
    @alto_lg.node(writes=["run", "numbers", "step", "kept", "thoughts"])
    async def read(state: Puzzle) -> dict[str, Any]:
        return await stages.read(state)

    def each_kept(state: Search) -> list[Send] | Literal["answer"]:
        return [Send("propose", work) for work in next_expansions(state)] or "answer"

    @alto_lg.node(writes=["thoughts"])
    async def value(state: Valuing) -> dict[str, list[Thought]]:
        item = (state["step"], state["place"], state["line"])
        worth = await stages.value(state["run"], state["numbers"], state["proposed"], item)
        return {"thoughts": valued(state, worth)}

    @alto_lg.node(writes=["step", "kept"])
    async def select(state: Search) -> dict[str, Any]:
        return await stages.select(state)

    @alto_lg.node(writes=["answer", "solved"])
    async def answer(state: Search) -> dict[str, Any]:
        answer = await stages.answer(state["run"], state["kept"])
        return {"answer": answer, "solved": is_solved(state["numbers"], answer)}

    graph = StateGraph(Search, input_schema=Puzzle)
    graph.add_node("read", read)
    graph.add_node("propose", propose, input_schema=Expansion, destinations=("value",))
    graph.add_node("value", value, input_schema=Valuing)
    graph.add_node("select", select)
    graph.add_node("answer", answer)
    graph.add_edge(START, "read")
    graph.add_conditional_edges("read", each_kept, ["propose", "answer"])
    graph.add_edge("value", "select")
    graph.add_conditional_edges("select", each_kept, ["propose", "answer"])
    graph.add_edge("answer", END)
    return graph.compile(name=name)
