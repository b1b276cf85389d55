"""IRCoT as a graph: a loop of searching and thinking, and a reader at its end.

The way most LangGraph users write it. In the streaming form `reason` stops the model behind the sentence that is kept,
and that is the only difference. There is no version with subgraphs: nothing here fans out, so there is nothing that a
subgraph could keep from waiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

import alto_lg
from alto_lg.apps.corpus import Passage
from alto_lg.apps.ircot.nodes import Stages, is_over
from alto_lg.apps.ircot.state import Chain, Question

Graph = CompiledStateGraph[Any, Any, Any, Any]
_Reason = Callable[[str, Sequence[Passage], Sequence[str]], Awaitable[str]]


def build_flat(stages: Stages) -> Graph:
    """The compiled graph, in which the model writes all that it wants to."""
    return _graph(stages, stages.reason, "ircot-flat")


def build_streaming(stages: Stages) -> Graph:
    """The compiled graph, in which the model is stopped; `TypeError` if it cannot stream."""
    stages.require_streaming()
    return _graph(stages, stages.reason_briefly, "ircot-streaming")


def goes_on(state: Chain) -> Literal["retrieve", "read"]:
    """Back to the search, or to the reader."""
    return "read" if is_over(state["thoughts"]) else "retrieve"


async def begin(state: Question) -> dict[str, Any]:
    """Nothing found and nothing thought yet, whatever an earlier question on the same thread has left behind."""
    return {"passages": [], "thoughts": [], "answer": ""}


def _graph(stages: Stages, reason_by: _Reason, name: str) -> Graph:
    @alto_lg.node(writes=["passages"])
    async def retrieve(state: Chain) -> dict[str, list[Passage]]:
        return {"passages": stages.retrieve(state["question"], state["passages"], state["thoughts"])}

    @alto_lg.node(writes=["thoughts"])
    async def reason(state: Chain) -> dict[str, list[str]]:
        thought = await reason_by(state["question"], state["passages"], state["thoughts"])
        return {"thoughts": [*state["thoughts"], thought]}

    @alto_lg.node(writes=["answer"])
    async def read(state: Chain) -> dict[str, str]:
        return {"answer": await stages.read(state["question"], state["passages"])}

    graph = StateGraph(Chain, input_schema=Question)
    graph.add_node("begin", begin)
    graph.add_node("retrieve", retrieve)
    graph.add_node("reason", reason)
    graph.add_node("read", read)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "retrieve")
    graph.add_edge("retrieve", "reason")
    graph.add_conditional_edges("reason", goes_on, ["retrieve", "read"])
    graph.add_edge("read", END)
    return graph.compile(name=name)
