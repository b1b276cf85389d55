"""WikiChat with a subgraph for each branch, and in it one for each query or fact.

What LangGraph's maintainers advise where branches should not wait for each other: each branch is one node, joined with
the other by an edge from both, and each of its items goes through all its hops on its own.
"""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from alto_lg.apps.corpus import Passage
from alto_lg.apps.wikichat.graph_flat import Graph, Saver, add_ending, begin, each_passage
from alto_lg.apps.wikichat.nodes import FACTS, QUERIES, Stages, first_notes
from alto_lg.apps.wikichat.state import Conversation, FilterWork, Found, Note, Question


class Dialogue(TypedDict):
    """What a branch begins with."""

    dialogue: str


class Item(TypedDict):
    """One query or one fact."""

    place: int
    text: str


class Ranked(TypedDict):
    """What the search for one item hands back to its branch."""

    found: Annotated[list[Found], operator.add]


class ItemSearch(Item, Ranked):
    """The state of the search for one item."""

    passages: list[Passage]


class ByQuery(TypedDict):
    """What the branch of the queries hands back."""

    queries: list[str]
    by_query: list[Found]


class QueryBranch(Dialogue, Ranked, ByQuery):
    """The state of the branch of the queries."""


class ByFact(TypedDict):
    """What the branch of the facts hands back."""

    facts: list[str]
    by_fact: list[Found]


class FactBranch(Dialogue, Ranked, ByFact):
    """The state of the branch of the facts."""


def build_subgraph(stages: Stages, checkpointer: Saver = None) -> Graph:
    """The compiled graph."""

    async def dedupe(state: Conversation) -> dict[str, list[Found]]:
        return {"passages": await stages.dedupe([*state["by_query"], *state["by_fact"]])}

    async def filter_passage(state: FilterWork) -> dict[str, list[Note]]:
        return {"notes": [await stages.filter(state["place"], state["passage"], state["dialogue"])]}

    async def draft(state: Conversation) -> dict[str, str]:
        return {"drafted": await stages.draft(state["dialogue"], first_notes(state["notes"]))}

    graph = StateGraph(Conversation, input_schema=Question)
    graph.add_node("begin", begin, input_schema=Conversation)
    graph.add_node("search_queries", _query_branch(stages))
    graph.add_node("search_facts", _fact_branch(stages))
    graph.add_node("dedupe", dedupe)
    graph.add_node("filter", filter_passage, input_schema=FilterWork)
    graph.add_node("draft", draft)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "search_queries")
    graph.add_edge("begin", "search_facts")
    graph.add_edge(["search_queries", "search_facts"], "dedupe")
    graph.add_conditional_edges("dedupe", each_passage, ["filter", "draft"])
    graph.add_edge("filter", "draft")
    add_ending(graph, stages)
    return graph.compile(name="wikichat-subgraph", checkpointer=checkpointer)


def _query_branch(stages: Stages) -> Graph:
    async def make_queries(state: QueryBranch) -> dict[str, list[str]]:
        return {"queries": await stages.make_queries(state["dialogue"])}

    def each_query(state: QueryBranch) -> list[Send]:
        return [Send("search_query", {"place": i, "text": text}) for i, text in enumerate(state["queries"])]

    async def gather(state: QueryBranch) -> dict[str, list[Found]]:
        return {"by_query": state["found"]}

    graph = StateGraph(QueryBranch, input_schema=Dialogue, output_schema=ByQuery)
    graph.add_node("make_queries", make_queries)
    graph.add_node("search_query", _item_search(stages, QUERIES))
    graph.add_node("gather", gather)
    graph.add_edge(START, "make_queries")
    graph.add_conditional_edges("make_queries", each_query, ["search_query"])
    graph.add_edge("search_query", "gather")
    graph.add_edge("gather", END)
    return graph.compile(name="search_queries")


def _fact_branch(stages: Stages) -> Graph:
    async def recall(state: FactBranch) -> dict[str, list[str]]:
        return {"facts": await stages.recall(state["dialogue"])}

    def each_fact(state: FactBranch) -> list[Send]:
        return [Send("search_fact", {"place": i, "text": text}) for i, text in enumerate(state["facts"])]

    async def gather(state: FactBranch) -> dict[str, list[Found]]:
        return {"by_fact": state["found"]}

    graph = StateGraph(FactBranch, input_schema=Dialogue, output_schema=ByFact)
    graph.add_node("recall", recall)
    graph.add_node("search_fact", _item_search(stages, FACTS))
    graph.add_node("gather", gather)
    graph.add_edge(START, "recall")
    graph.add_conditional_edges("recall", each_fact, ["search_fact"])
    graph.add_edge("search_fact", "gather")
    graph.add_edge("gather", END)
    return graph.compile(name="search_facts")


def _item_search(stages: Stages, branch: int) -> Graph:
    async def search(state: ItemSearch) -> dict[str, list[Passage]]:
        return {"passages": await stages.search(branch, state["place"], state["text"])}

    async def rerank(state: ItemSearch) -> dict[str, list[Found]]:
        return {"found": await stages.rerank(branch, state["place"], state["text"], state["passages"])}

    graph = StateGraph(ItemSearch, input_schema=Item, output_schema=Ranked)
    graph.add_node("search", search)
    graph.add_node("rerank", rerank)
    graph.add_edge(START, "search")
    graph.add_edge("search", "rerank")
    graph.add_edge("rerank", END)
    return graph.compile(name="search_item")
