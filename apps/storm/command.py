"""STORM on the command line: what the graph is given, and an article made readable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.storm import application


def build(version: str, *, chat: OpenAIChat, corpus: Path | None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""
    return application.build(version, chat=chat, corpus=corpus)


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph.

    Raises:
        ValueError: The topic is empty, or there is a reference, of which nothing here could make use.
    """
    if reference:
        raise ValueError("storm takes no --reference: its article is made of what is found")
    if not text.strip():
        raise ValueError("the topic is empty; give the subject of an article, as in 'The history of printing'")
    return {"topic": text}


def readable(state: Mapping[str, Any]) -> str:
    """The article in Markdown, and how it came about."""
    found = {passage["id"] for finding in state["found"] for passage in finding["passages"]}
    made = f"{len(state['personas'])} editors, {len(state['said'])} questions, {len(found)} passages found"
    return f"{state['article']}\n\n({made}, {len(state['references'])} of them cited)"
