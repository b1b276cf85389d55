"""WikiChat as one flat graph: a `Send` for every query, fact and passage at every hop.

The way most LangGraph users write two fan-outs that join. `dedupe` has an edge from either branch, so it runs once only
because both branches are equally long. A branch without items therefore sends one empty packet all the way: LangGraph
would otherwise run `dedupe` for the other branch alone, and again.

In the streaming form `make_queries` and `recall` give out each item when the model has written it, `rerank_query` and
`rerank_fact` each passage when the model has named it, which is stopped when it has named enough. `dedupe` takes the
passages one by one, and `draft` starts when the first ten notes are known. All else is the same.

The nodes that call the model declare what they write, which plain LangGraph ignores: the analysis does not follow the
client to its end, so it cannot see that they write nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Overwrite, Send

import alto_lg
from alto_lg.apps.wikichat.nodes import FACTS, NOTES_MAX, QUERIES, Stages, first_notes, is_relevant
from alto_lg.apps.wikichat.prompts import dialogue_of
from alto_lg.apps.wikichat.state import Conversation, FilterWork, Found, Note, Question, SearchWork

Graph = CompiledStateGraph[Any, Any, Any, Any]
Saver = BaseCheckpointSaver[Any] | None
_Node = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Varying:
    """What the two forms have each of its own."""

    name: str
    make_queries: _Node
    recall: _Node
    rerank_query: _Node
    rerank_fact: _Node
    dedupe: _Node
    draft: _Node


def build_flat(stages: Stages, checkpointer: Saver = None) -> Graph:
    """The compiled graph."""

    @alto_lg.node(writes=["queries"])
    async def make_queries(state: Conversation) -> dict[str, list[str]]:
        return {"queries": await stages.make_queries(state["dialogue"])}

    @alto_lg.node(writes=["facts"])
    async def recall(state: Conversation) -> dict[str, list[str]]:
        return {"facts": await stages.recall(state["dialogue"])}

    @alto_lg.node(writes=["passages"])
    async def dedupe(state: Conversation) -> dict[str, list[Found]]:
        return {"passages": await stages.dedupe([*state["by_query"], *state["by_fact"]])}

    @alto_lg.node(writes=["drafted"])
    async def draft(state: Conversation) -> dict[str, str]:
        return {"drafted": await stages.draft(state["dialogue"], first_notes(state["notes"]))}

    @alto_lg.node(writes=["by_query"])
    async def rerank_query(state: SearchWork) -> dict[str, list[Found]]:
        return {"by_query": await _reranked(stages, QUERIES, state)}

    @alto_lg.node(writes=["by_fact"])
    async def rerank_fact(state: SearchWork) -> dict[str, list[Found]]:
        return {"by_fact": await _reranked(stages, FACTS, state)}

    varying = _Varying("wikichat-flat", make_queries, recall, rerank_query, rerank_fact, dedupe, draft)
    return _graph(stages, varying, checkpointer)


def build_streaming(stages: Stages, checkpointer: Saver = None) -> Graph:
    """The compiled graph with streaming nodes; `TypeError` if the model cannot stream."""
    stages.require_streaming()

    @alto_lg.node(writes=["queries"])
    @alto_lg.streaming
    async def make_queries(state: Conversation) -> AsyncIterator[dict[str, list[str]]]:
        async for queries in stages.make_queries_by_and_by(state["dialogue"]):
            yield {"queries": queries}

    @alto_lg.node(writes=["facts"])
    @alto_lg.streaming
    async def recall(state: Conversation) -> AsyncIterator[dict[str, list[str]]]:
        async for facts in stages.recall_by_and_by(state["dialogue"]):
            yield {"facts": facts}

    @alto_lg.node(writes=["passages"])
    @alto_lg.reading(by_query=alto_lg.Stream(), by_fact=alto_lg.Stream())
    @alto_lg.streaming
    async def dedupe(state: Any) -> AsyncIterator[dict[str, list[Found]]]:
        async for passages in stages.dedupe_by_and_by(state["by_query"], state["by_fact"]):
            yield {"passages": passages}

    @alto_lg.node(writes=["drafted"])
    @alto_lg.reading(notes=alto_lg.First(NOTES_MAX, where=is_relevant))
    async def draft(state: Conversation) -> dict[str, str]:
        return {"drafted": await stages.draft(state["dialogue"], state["notes"])}

    @alto_lg.node(writes=["by_query"])
    @alto_lg.streaming
    async def rerank_query(state: SearchWork) -> AsyncIterator[dict[str, list[Found]]]:
        async with aclosing(_reranked_by_and_by(stages, QUERIES, state)) as best:
            async for found in best:
                yield {"by_query": [found]}

    @alto_lg.node(writes=["by_fact"])
    @alto_lg.streaming
    async def rerank_fact(state: SearchWork) -> AsyncIterator[dict[str, list[Found]]]:
        async with aclosing(_reranked_by_and_by(stages, FACTS, state)) as best:
            async for found in best:
                yield {"by_fact": [found]}

    varying = _Varying("wikichat-streaming", make_queries, recall, rerank_query, rerank_fact, dedupe, draft)
    return _graph(stages, varying, checkpointer)


async def begin(state: Conversation) -> dict[str, Any]:
    """The conversation as text, and nothing found yet: the lists of the turn before are put away."""
    dialogue = dialogue_of(state.get("history", []), state["question"])
    return {"dialogue": dialogue, "by_query": Overwrite([]), "by_fact": Overwrite([]), "notes": Overwrite([])}


def each_passage(state: Conversation) -> list[Send] | Literal["draft"]:
    """A packet for each passage that stayed; straight to the draft where there is none."""
    dialogue = state["dialogue"]
    packets = [
        Send("filter", {"place": found["place"], "passage": found["passage"], "dialogue": dialogue})
        for found in state["passages"]
    ]
    return packets or "draft"


def _graph(stages: Stages, varying: _Varying, checkpointer: Saver) -> Graph:
    def each_query(state: Conversation) -> list[Send]:
        packets = [Send("search_query", {"place": i, "text": text}) for i, text in enumerate(state["queries"])]
        return packets or [Send("search_query", {"place": 0})]

    def each_fact(state: Conversation) -> list[Send]:
        packets = [Send("search_fact", {"place": i, "text": text}) for i, text in enumerate(state["facts"])]
        return packets or [Send("search_fact", {"place": 0})]

    @alto_lg.node(writes=[])
    async def search_query(state: SearchWork) -> Command[Literal["rerank_query"]]:
        return Command(goto=[Send("rerank_query", await _searched(stages, QUERIES, state))])

    @alto_lg.node(writes=[])
    async def search_fact(state: SearchWork) -> Command[Literal["rerank_fact"]]:
        return Command(goto=[Send("rerank_fact", await _searched(stages, FACTS, state))])

    @alto_lg.node(writes=["notes"])
    async def filter_passage(state: FilterWork) -> dict[str, list[Note]]:
        return {"notes": [await stages.filter(state["place"], state["passage"], state["dialogue"])]}

    graph = StateGraph(Conversation, input_schema=Question)
    graph.add_node("begin", begin, input_schema=Conversation)
    graph.add_node("make_queries", varying.make_queries)
    graph.add_node("recall", varying.recall)
    graph.add_node("search_query", search_query, input_schema=SearchWork)
    graph.add_node("search_fact", search_fact, input_schema=SearchWork)
    graph.add_node("rerank_query", varying.rerank_query, input_schema=SearchWork)
    graph.add_node("rerank_fact", varying.rerank_fact, input_schema=SearchWork)
    graph.add_node("dedupe", varying.dedupe)
    graph.add_node("filter", filter_passage, input_schema=FilterWork)
    graph.add_node("draft", varying.draft)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "make_queries")
    graph.add_edge("begin", "recall")
    graph.add_conditional_edges("make_queries", each_query, ["search_query"])
    graph.add_conditional_edges("recall", each_fact, ["search_fact"])
    graph.add_edge("rerank_query", "dedupe")
    graph.add_edge("rerank_fact", "dedupe")
    graph.add_conditional_edges("dedupe", each_passage, ["filter", "draft"])
    graph.add_edge("filter", "draft")
    add_ending(graph, stages)
    return graph.compile(name=varying.name, checkpointer=checkpointer)


async def _searched(stages: Stages, branch: int, work: SearchWork) -> SearchWork:
    if "text" not in work:
        return {"place": work["place"]}
    passages = await stages.search(branch, work["place"], work["text"])
    return {"place": work["place"], "text": work["text"], "passages": passages}


async def _reranked(stages: Stages, branch: int, work: SearchWork) -> list[Found]:
    return await stages.rerank(branch, work["place"], work["text"], work["passages"]) if "text" in work else []


async def _reranked_by_and_by(stages: Stages, branch: int, work: SearchWork) -> AsyncGenerator[Found, None]:
    if "text" in work:
        async with aclosing(stages.rerank_by_and_by(branch, work["place"], work["text"], work["passages"])) as best:
            async for found in best:
                yield found


def add_ending(graph: StateGraph[Any, Any, Any, Any], stages: Stages) -> None:
    """From the draft to the end of the turn: the same in every version."""

    @alto_lg.node(writes=["refined"])
    async def refine(state: Conversation) -> dict[str, str]:
        return {"refined": await stages.refine(state["dialogue"], state["drafted"])}

    @alto_lg.node(writes=["answer", "references", "history"])
    async def cite(state: Conversation) -> dict[str, Any]:
        answer, references = await stages.cite(state["refined"], first_notes(state["notes"]))
        turn = {"user": state["question"], "agent": answer}
        return {"answer": answer, "references": references, "history": [turn]}

    graph.add_node("refine", refine)
    graph.add_node("cite", cite)
    graph.add_edge("draft", "refine")
    graph.add_edge("refine", "cite")
    graph.add_edge("cite", END)
