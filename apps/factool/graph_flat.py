"""FacTool as one flat graph: a `Send` for every claim at every stage.

The way most LangGraph users write a fan-out of several hops. Plain LangGraph waits at each hop for the slowest claim.
In the streaming form, `extract` gives out each claim when the model has written it; all else is the same.

The nodes that call the model or the indices declare what they write, which plain LangGraph ignores: the analysis does
not follow those to the end, so it cannot see that they write nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send

import alto_lg
from alto_lg.apps.factool.nodes import Stages
from alto_lg.apps.factool.state import ClaimWork, Question, Report, Verdict


def build_flat(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""

    @alto_lg.node(writes=["claims"])
    async def extract(state: Report) -> dict[str, list[str]]:
        return {"claims": await stages.extract(state["answer"])}

    return _graph(stages, extract, "factool-flat")


def build_streaming(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph with a streaming `extract`; `TypeError` if the model cannot stream."""
    stages.require_streaming()

    @alto_lg.node(writes=["claims"])
    @alto_lg.streaming
    async def extract(state: Report) -> AsyncIterator[dict[str, list[str]]]:
        async for claims in stages.extract_by_and_by(state["answer"]):
            yield {"claims": claims}

    return _graph(stages, extract, "factool-streaming")


def _graph(stages: Stages, extract: Callable[..., Any], name: str) -> CompiledStateGraph[Any, Any, Any, Any]:
    @alto_lg.node(writes=["answer"])
    async def answer(state: Question) -> dict[str, str]:
        return {"answer": await stages.answer(state["question"], state.get("reference"))}

    def each_claim(state: Report) -> list[Send] | Literal["verdict"]:
        packets = [Send("make_queries", {"index": i, "claim": claim}) for i, claim in enumerate(state["claims"])]
        return packets or "verdict"

    @alto_lg.node(writes=[])
    async def make_queries(state: ClaimWork) -> Command[Literal["retrieve"]]:
        queries = await stages.make_queries(state["index"], state["claim"])
        packet = {"index": state["index"], "claim": state["claim"], "queries": queries}
        return Command(goto=[Send("retrieve", packet)])

    @alto_lg.node(writes=[])
    async def retrieve(state: ClaimWork) -> Command[Literal["rerank"]]:
        found = await stages.retrieve(state["index"], state["queries"])
        return Command(goto=[Send("rerank", {"index": state["index"], "claim": state["claim"], **found})])

    @alto_lg.node(writes=[])
    async def rerank(state: ClaimWork) -> Command[Literal["appraise"]]:
        evidence = await stages.rerank(state["index"], state["candidates"], state["vectors"])
        packet = {"index": state["index"], "claim": state["claim"], "evidence": evidence}
        return Command(goto=[Send("appraise", packet)])

    @alto_lg.node(writes=["verdicts"])
    async def appraise(state: ClaimWork) -> dict[str, list[Verdict]]:
        return {"verdicts": [await stages.appraise(state["index"], state["claim"], state["evidence"])]}

    async def verdict(state: Report) -> dict[str, bool]:
        return {"factual": await stages.verdict(state["verdicts"])}

    graph = StateGraph(Report, input_schema=Question)
    graph.add_node("answer", answer)
    graph.add_node("extract", extract)
    graph.add_node("make_queries", make_queries, input_schema=ClaimWork)
    graph.add_node("retrieve", retrieve, input_schema=ClaimWork)
    graph.add_node("rerank", rerank, input_schema=ClaimWork)
    graph.add_node("appraise", appraise, input_schema=ClaimWork)
    graph.add_node("verdict", verdict)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", "extract")
    graph.add_conditional_edges("extract", each_claim, ["make_queries", "verdict"])
    graph.add_edge("appraise", "verdict")
    graph.add_edge("verdict", END)
    return graph.compile(name=name)
