"""IRCoT on the command line: what the graph is given, and its answer made readable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.ircot import application


def build(version: str, *, chat: OpenAIChat, corpus: Path | None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""
    return application.build(version, chat=chat, corpus=corpus)


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph.

    Raises:
        ValueError: There is a reference, of which nothing here could make use.
    """
    if reference:
        raise ValueError("ircot takes no --reference: its answer is worked out from what is found")
    return {"question": text}


def readable(state: Mapping[str, Any]) -> str:
    """The reasoning, the answer, and what it was found in."""
    thoughts = [f"{number}. {thought}" for number, thought in enumerate(state["thoughts"], 1) if thought]
    titles = "; ".join(passage["title"] for passage in state["passages"])
    read = f"{len(state['passages'])} passages read: {titles}"
    return "\n".join([*thoughts, "", f"Answer: {state['answer'] or 'none'}", read])
