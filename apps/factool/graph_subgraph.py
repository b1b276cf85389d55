"""FacTool with a subgraph for each claim: one `Send` to a compiled graph that does all the hops.

What LangGraph's maintainers advise where items should not wait for each other between hops.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from alto_lg.apps.corpus import Passage
from alto_lg.apps.factool.nodes import Stages
from alto_lg.apps.factool.state import ClaimWork, Question, Report, Verdict


class Checked(TypedDict):
    """What the check of one claim hands back to the report."""

    verdicts: Annotated[list[Verdict], operator.add]


class ClaimCheck(ClaimWork, Checked):
    """The state of the check of one claim."""


def build_subgraph(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""

    async def answer(state: Question) -> dict[str, str]:
        return {"answer": await stages.answer(state["question"], state.get("reference"))}

    async def extract(state: Report) -> dict[str, list[str]]:
        return {"claims": await stages.extract(state["answer"])}

    def each_claim(state: Report) -> list[Send] | Literal["verdict"]:
        packets = [Send("check_claim", {"index": i, "claim": claim}) for i, claim in enumerate(state["claims"])]
        return packets or "verdict"

    async def verdict(state: Report) -> dict[str, bool]:
        return {"factual": await stages.verdict(state["verdicts"])}

    graph = StateGraph(Report, input_schema=Question)
    graph.add_node("answer", answer)
    graph.add_node("extract", extract)
    graph.add_node("check_claim", _claim_graph(stages))
    graph.add_node("verdict", verdict)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", "extract")
    graph.add_conditional_edges("extract", each_claim, ["check_claim", "verdict"])
    graph.add_edge("check_claim", "verdict")
    graph.add_edge("verdict", END)
    return graph.compile(name="factool-subgraph")


def _claim_graph(stages: Stages) -> CompiledStateGraph[Any, Any, Any, Any]:
    async def make_queries(state: ClaimWork) -> dict[str, list[str]]:
        return {"queries": await stages.make_queries(state["index"], state["claim"])}

    async def retrieve(state: ClaimWork) -> ClaimWork:
        return await stages.retrieve(state["index"], state["queries"])

    async def rerank(state: ClaimWork) -> dict[str, list[Passage]]:
        return {"evidence": await stages.rerank(state["index"], state["candidates"], state["vectors"])}

    async def appraise(state: ClaimWork) -> dict[str, list[Verdict]]:
        return {"verdicts": [await stages.appraise(state["index"], state["claim"], state["evidence"])]}

    graph = StateGraph(ClaimCheck, input_schema=ClaimWork, output_schema=Checked)
    graph.add_node("make_queries", make_queries)
    graph.add_node("retrieve", retrieve)
    graph.add_node("rerank", rerank)
    graph.add_node("appraise", appraise)
    graph.add_edge(START, "make_queries")
    graph.add_edge("make_queries", "retrieve")
    graph.add_edge("retrieve", "rerank")
    graph.add_edge("rerank", "appraise")
    graph.add_edge("appraise", END)
    return graph.compile(name="check_claim")
