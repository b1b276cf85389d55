"""WikiChat on the command line: what the graph is given, and a turn made readable."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.wikichat import application

_WIDTH = 100


def build(version: str, *, chat: OpenAIChat, corpus: Path | None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph; it keeps the conversation, so that each input is a turn of it."""
    return application.build(version, chat=chat, corpus=corpus, checkpointer=InMemorySaver())


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph.

    Raises:
        ValueError: There is a reference, of which nothing here could make use.
    """
    if reference:
        raise ValueError("wikichat takes no --reference: its answer is made of what is found")
    return {"question": text}


def readable(state: Mapping[str, Any]) -> str:
    """The turn of the conversation, what it refers to, and what was searched for."""
    lines = [f"> {state['question']}", "", textwrap.fill(state["answer"], _WIDTH), ""]
    lines += [f"[{reference['number']}] {reference['title']} ({reference['id']})" for reference in state["references"]]
    useful = sum(bool(note["points"]) for note in state["notes"])
    searched = f"{len(state['queries'])} queries and {len(state['facts'])} facts searched for"
    return "\n".join([*lines, f"{searched}, {len(state['notes'])} passages read, {useful} of them useful"])
