"""What the graphs have in common: how an article begins, its packets, and all that follows the outline.

The nodes that call the model declare what they write, which plain LangGraph ignores: the analysis does not follow the
client to its end, so it cannot see that they write nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Overwrite, Send

import alto_lg
from alto_lg.apps.storm.composing import composed
from alto_lg.apps.storm.nodes import Stages
from alto_lg.apps.storm.state import (
    PERSPECTIVES_MAX,
    QUERIES_MAX,
    SECTIONS_MAX,
    TURNS_MAX,
    Article,
    Section,
    Settings,
    Talk,
    Topic,
    Writing,
)

Graph = CompiledStateGraph[Any, Any, Any, Any]
Builder = StateGraph[Any, Any, Any, Any]
Saver = BaseCheckpointSaver[Any] | None


def given_of(given: Topic) -> dict[str, Any]:
    """The topic and the settings.

    Raises:
        ValueError: The topic is empty, or there could be no question, no search or no section.
    """
    topic = " ".join(given["topic"].split())
    if not topic:
        raise ValueError("the topic is empty; give the subject of an article, as in 'The history of printing'")
    return {"topic": topic, **settings_of(given)}


def settings_of(given: Topic) -> Settings:
    """How much of everything there may be, as given or by default."""
    settings: Settings = {
        "perspectives_max": given.get("perspectives_max", PERSPECTIVES_MAX),
        "turns_max": given.get("turns_max", TURNS_MAX),
        "queries_max": given.get("queries_max", QUERIES_MAX),
        "sections_max": given.get("sections_max", SECTIONS_MAX),
        "polish": given.get("polish", False),
    }
    least = {"perspectives_max": 0, "turns_max": 1, "queries_max": 1, "sections_max": 1}
    low = [f"{key}={settings[key]}" for key in least if settings[key] < least[key]]  # type: ignore[literal-required]
    if low:
        raise ValueError(f"got {', '.join(low)}; perspectives_max must be at least 0, the others at least 1")
    return settings


@alto_lg.node(writes=["topic", *Settings.__annotations__, "said", "found", "sections"])
async def begin(state: Topic) -> dict[str, Any]:
    """The state before any work, whatever an earlier article on the same thread has left behind."""
    return {**given_of(state), **{key: Overwrite([]) for key in ("said", "found", "sections")}}


def interviews(state: Article) -> list[Talk]:
    """The interviews before their first question, one for each editor so far."""
    return [talk_of(state, place, persona) for place, persona in enumerate(state["personas"])]


def talk_of(state: Any, place: int, persona: str) -> Talk:
    """The interview of one editor before its first question."""
    return {
        "topic": state["topic"],
        "place": place,
        "persona": persona,
        "turn": 0,
        "turns_max": state["turns_max"],
        "queries_max": state["queries_max"],
        "history": "",
    }


def each_section(state: Article) -> list[Send] | Literal["lead"]:
    """A packet for each section of the plan; straight to the lead where there is none."""
    packets = [
        Send(
            "write",
            {
                "topic": state["topic"],
                "place": planned["place"],
                "heading": planned["heading"],
                "outline": planned["outline"],
                "evidence": planned["evidence"],
            },
        )
        for planned in state["plan"]
    ]
    return packets or "lead"


def add_draft(graph: Builder, stages: Stages) -> None:
    """The first outline. No edge leads away from it: what reads it comes later in every graph."""

    @alto_lg.node(writes=["drafted"])
    async def draft(state: Article) -> dict[str, str]:
        return {"drafted": await stages.draft(state["topic"])}

    graph.add_node("draft", draft)


def add_ending(graph: Builder, stages: Stages) -> None:
    """From the sections to the article."""

    @alto_lg.node(writes=["sections"])
    async def write(state: Writing) -> dict[str, list[Section]]:
        place, heading = state["place"], state["heading"]
        text = await stages.write(place, state["topic"], state["outline"], state["evidence"])
        return {"sections": [{"place": place, "heading": heading, "text": text}]}

    @alto_lg.node(writes=["lead"])
    async def lead(state: Article) -> dict[str, str]:
        return {"lead": await stages.lead(state["topic"], state["sections"], state["plan"])}

    def then(state: Article) -> Literal["polish", "publish"]:
        return "polish" if state["polish"] else "publish"

    @alto_lg.node(writes=["polished"])
    async def polish(state: Article) -> dict[str, str]:
        return {"polished": await stages.polish(state["lead"], state["sections"], state["plan"])}

    @alto_lg.node(writes=["article", "references"])
    async def publish(state: Article) -> dict[str, Any]:
        text = state["polished"] if state["polish"] else composed(state["lead"], state["sections"], state["plan"])
        article, references = await stages.publish(state["topic"], text, state["found"])
        return {"article": article, "references": references}

    graph.add_node("write", write, input_schema=Writing)
    graph.add_node("lead", lead)
    graph.add_node("polish", polish)
    graph.add_node("publish", publish)
    graph.add_conditional_edges("refine", each_section, ["write", "lead"])
    graph.add_edge("write", "lead")
    graph.add_conditional_edges("lead", then, ["polish", "publish"])
    graph.add_edge("polish", "publish")
    graph.add_edge("publish", END)


def sent(node: str, packets: Sequence[Any]) -> list[Send]:
    """A packet for a node each."""
    return [Send(node, packet) for packet in packets]
