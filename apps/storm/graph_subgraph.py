"""STORM with a subgraph for each interview, and one for all that leads to the interviews.

What LangGraph's maintainers advise where items should not wait for each other. The interview of the editor who covers
the basic facts starts at once; the draft, that interview, and the branch of the other editors are joined by the
outline.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from alto_lg.apps.storm.graph_parts import Graph, Saver, add_draft, add_ending, begin, interviews, sent, talk_of
from alto_lg.apps.storm.nodes import BASIC_EDITOR, Stages
from alto_lg.apps.storm.state import Article, Finding, Planned, Said, Settings, Talk, Topic


class Interviewed(TypedDict):
    """What interviews hand back."""

    said: Annotated[list[Said], operator.add]
    found: Annotated[list[Finding], operator.add]


class Interview(Talk, Interviewed):
    """The state of one interview."""


class Chosen(Interviewed):
    """What the branch of the editors hands back."""

    related: list[str]
    contents: list[str]
    personas: list[str]


class Choosing(Settings):
    """What the branch of the editors begins with."""

    topic: str


class Editors(Choosing, Chosen):
    """The state of the branch of the editors."""


def build_subgraph(stages: Stages, checkpointer: Saver = None) -> Graph:
    """The compiled graph."""

    def at_once(state: Article) -> list[Any]:
        return ["draft", "editors", Send("interview", talk_of(state, 0, BASIC_EDITOR))]

    async def refine(state: Article) -> dict[str, list[Planned]]:
        topic, drafted, said, found = state["topic"], state["drafted"], state["said"], state["found"]
        return {"plan": await stages.refine(topic, drafted, said, found, state["sections_max"])}

    interview = _interview(stages)
    graph = StateGraph(Article, input_schema=Topic)
    graph.add_node("begin", begin, input_schema=Topic)
    add_draft(graph, stages)
    graph.add_node("interview", interview)
    graph.add_node("editors", _editors(stages, interview))
    graph.add_node("refine", refine)
    graph.add_edge(START, "begin")
    graph.add_conditional_edges("begin", at_once, ["draft", "editors", "interview"])
    graph.add_edge(["draft", "editors", "interview"], "refine")
    add_ending(graph, stages)
    return graph.compile(name="storm-subgraph", checkpointer=checkpointer)


def _editors(stages: Stages, interview: Graph) -> Graph:
    async def relate(state: Editors) -> dict[str, list[str]]:
        return {"related": await stages.relate(state["topic"])}

    async def look_through(state: Editors) -> dict[str, list[str]]:
        return {"contents": await stages.look_through(state["related"])}

    async def personas(state: Editors) -> dict[str, list[str]]:
        return {"personas": await stages.choose(state["topic"], state["contents"], state["perspectives_max"])}

    def each_other(state: Any) -> list[Send]:
        return sent("interview", interviews(state)[1:])

    graph = StateGraph(Editors, input_schema=Choosing, output_schema=Chosen)
    graph.add_node("relate", relate)
    graph.add_node("look_through", look_through)
    graph.add_node("personas", personas)
    graph.add_node("interview", interview)
    graph.add_edge(START, "relate")
    graph.add_edge("relate", "look_through")
    graph.add_edge("look_through", "personas")
    graph.add_conditional_edges("personas", each_other, ["interview"])
    graph.add_edge("interview", END)
    return graph.compile(name="editors")


def _interview(stages: Stages) -> Graph:
    async def ask(state: Interview) -> dict[str, str]:
        item = (state["place"], state["turn"])
        return {"question": await stages.ask(item, state["topic"], state["persona"], state["history"])}

    def asked(state: Interview) -> str:
        return "query" if state["question"] else END

    async def query(state: Interview) -> dict[str, str]:
        item = (state["place"], state["turn"])
        queries = await stages.query(item, state["topic"], state["question"], state["queries_max"])
        return {"queries": "\n".join(queries)}

    async def search(state: Interview) -> dict[str, Any]:
        place, turn, queries = state["place"], state["turn"], state["queries"].splitlines()
        finding, evidence = await stages.search((place, turn), queries)
        return {"found": [finding], "evidence": evidence}

    async def answer(state: Interview) -> dict[str, Any]:
        place, turn, question = state["place"], state["turn"], state["question"]
        said, history = await stages.answer(
            (place, turn), state["topic"], question, state["evidence"], state["history"]
        )
        return {"said": [said], "turn": turn + 1, "history": history}

    def answered(state: Interview) -> str:
        return "ask" if state["turn"] < state["turns_max"] else END

    graph = StateGraph(Interview, input_schema=Talk, output_schema=Interviewed)
    graph.add_node("ask", ask)
    graph.add_node("query", query)
    graph.add_node("search", search)
    graph.add_node("answer", answer)
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", asked, ["query", END])
    graph.add_edge("query", "search")
    graph.add_edge("search", "answer")
    graph.add_conditional_edges("answer", answered, ["ask", END])
    return graph.compile(name="interview")
