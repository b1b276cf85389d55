"""STORM as one flat graph: a `Send` for every interview and section at every hop.

The way most LangGraph users write a loop inside a fan-out: each step of an interview sends it on to the next. The
interviews are joined by the outline, which has an edge from the last step of each; it runs once only if they arrive in
the same step of the graph. An interview that is over early therefore rests for as many steps as the others may take.

In the streaming form `personas` looks for related articles as well, so that the editor who needs no model starts at
once and each other one when its line is written; `look_up` searches for each query when it is written; and `refine`
gives out each section of the outline when the next one begins. All else is the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send

import alto_lg
from alto_lg.apps.storm.graph_parts import Builder, Graph, Saver, add_draft, add_ending, begin, interviews, sent
from alto_lg.apps.storm.nodes import Stages
from alto_lg.apps.storm.state import Article, Planned, Rest, Talk, Topic


def build_flat(stages: Stages, checkpointer: Saver = None) -> Graph:
    """The compiled graph."""

    @alto_lg.node(writes=["related"])
    async def relate(state: Article) -> dict[str, list[str]]:
        return {"related": await stages.relate(state["topic"])}

    @alto_lg.node(writes=["contents"])
    async def look_through(state: Article) -> dict[str, list[str]]:
        return {"contents": await stages.look_through(state["related"])}

    @alto_lg.node(writes=["personas"])
    async def personas(state: Article) -> dict[str, list[str]]:
        return {"personas": await stages.choose(state["topic"], state["contents"], state["perspectives_max"])}

    @alto_lg.node(writes=[])
    async def query(state: Talk) -> Command[Literal["search"]]:
        place, turn, topic, question = state["place"], state["turn"], state["topic"], state["question"]
        queries = await stages.query((place, turn), topic, question, state["queries_max"])
        return Command(goto=[Send("search", {**_talk(state), "question": question, "queries": "\n".join(queries)})])

    @alto_lg.node(writes=["found"])
    async def search(state: Talk) -> Command[Literal["answer"]]:
        place, turn, queries = state["place"], state["turn"], state["queries"].splitlines()
        finding, evidence = await stages.search((place, turn), queries)
        packet = {**_talk(state), "question": state["question"], "evidence": evidence}
        return Command(update={"found": [finding]}, goto=[Send("answer", packet)])

    @alto_lg.node(writes=["plan"])
    async def refine(state: Article) -> dict[str, list[Planned]]:
        topic, drafted, said, found = state["topic"], state["drafted"], state["said"], state["found"]
        return {"plan": await stages.refine(topic, drafted, said, found, state["sections_max"])}

    graph = StateGraph(Article, input_schema=Topic)
    graph.add_node("relate", relate)
    graph.add_node("look_through", look_through)
    graph.add_node("query", query, input_schema=Talk)
    graph.add_node("search", search, input_schema=Talk)
    graph.add_edge("begin", "relate")
    graph.add_edge("relate", "look_through")
    graph.add_edge("look_through", "personas")
    _complete(graph, stages, personas=personas, refine=refine, hops=("ask", "query", "search", "answer"))
    return graph.compile(name="storm-flat", checkpointer=checkpointer)


def build_streaming(stages: Stages, checkpointer: Saver = None) -> Graph:
    """The compiled graph with streaming nodes; `TypeError` if the model cannot stream."""
    stages.require_streaming()

    @alto_lg.node(reads=["topic", "perspectives_max"], writes=["related", "contents", "personas"])
    @alto_lg.streaming
    async def personas(state: Article) -> AsyncIterator[dict[str, list[str]]]:
        async for update in stages.survey_by_and_by(state["topic"], state["perspectives_max"]):
            yield update

    @alto_lg.node(writes=["found"])
    async def look_up(state: Talk) -> Command[Literal["answer"]]:
        place, turn, topic, question = state["place"], state["turn"], state["topic"], state["question"]
        finding, evidence = await stages.look_up((place, turn), topic, question, state["queries_max"])
        packet = {**_talk(state), "question": question, "evidence": evidence}
        return Command(update={"found": [finding]}, goto=[Send("answer", packet)])

    @alto_lg.node(writes=["plan"])
    @alto_lg.streaming
    async def refine(state: Article) -> AsyncIterator[dict[str, list[Planned]]]:
        topic, drafted, said, found = state["topic"], state["drafted"], state["said"], state["found"]
        async for plan in stages.refine_by_and_by(topic, drafted, said, found, state["sections_max"]):
            yield {"plan": plan}

    graph = StateGraph(Article, input_schema=Topic)
    graph.add_node("look_up", look_up, input_schema=Talk)
    graph.add_edge("begin", "personas")
    _complete(graph, stages, personas=personas, refine=refine, hops=("ask", "look_up", "answer"))
    return graph.compile(name="storm-streaming", checkpointer=checkpointer)


def _complete(graph: Builder, stages: Stages, *, personas: Any, refine: Any, hops: tuple[str, ...]) -> None:
    """The nodes that both forms have. hops: the steps of one turn of an interview."""
    after_ask = hops[1]

    async def ask(state: Talk) -> Command[Any]:
        place, turn = state["place"], state["turn"]
        question = await stages.ask((place, turn), state["topic"], state["persona"], state["history"])
        if not question:
            return Command(goto=[Send("rest", {"steps_left": len(hops) * (state["turns_max"] - turn) - 1})])
        return Command(goto=[Send(after_ask, {**_talk(state), "question": question})])

    @alto_lg.node(reads=Talk.__annotations__, writes=["said"])
    async def answer(state: Talk) -> Command[Literal["ask", "refine"]]:
        place, turn, question = state["place"], state["turn"], state["question"]
        said, history = await stages.answer(
            (place, turn), state["topic"], question, state["evidence"], state["history"]
        )
        if turn + 1 == state["turns_max"]:
            return Command(update={"said": [said]}, goto="refine")
        packet = {**_talk(state), "turn": turn + 1, "history": history}
        return Command(update={"said": [said]}, goto=[Send("ask", packet)])

    async def rest(state: Rest) -> Command[Literal["rest", "refine"]]:
        left = state["steps_left"] - 1
        return Command(goto=[Send("rest", {"steps_left": left})] if left else "refine")

    def each_editor(state: Article) -> list[Send]:
        return sent("ask", interviews(state))

    graph.add_node("begin", begin, input_schema=Topic)
    add_draft(graph, stages)
    graph.add_node("personas", personas)
    graph.add_node("ask", alto_lg.node(writes=[])(ask), input_schema=Talk, destinations=(after_ask, "rest"))
    graph.add_node("answer", answer, input_schema=Talk)
    graph.add_node("rest", rest, input_schema=Rest)
    graph.add_node("refine", refine)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "draft")
    graph.add_conditional_edges("personas", each_editor, ["ask"])
    add_ending(graph, stages)


def _talk(state: Talk) -> Talk:
    """What every packet of an interview has."""
    return {
        "topic": state["topic"],
        "place": state["place"],
        "persona": state["persona"],
        "turn": state["turn"],
        "turns_max": state["turns_max"],
        "queries_max": state["queries_max"],
        "history": state["history"],
    }
