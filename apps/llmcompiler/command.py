"""LLMCompiler on the command line: what the graph is given, and its answer made readable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.llmcompiler import application, parsing


def build(version: str, *, chat: OpenAIChat, corpus: Path | None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph."""
    return application.build(version, chat=chat, corpus=corpus)


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph.

    Raises:
        ValueError: There is a reference, of which nothing here could make use.
    """
    if reference:
        raise ValueError("llmcompiler takes no --reference: its answer is worked out from what is found")
    return {"question": text}


def readable(state: Mapping[str, Any]) -> str:
    """The plan with what its tasks came to, and the answer."""
    lines = [
        f"{parsing.written(one['number'], one['tool'], one['argument'])} = {one['result']}" for one in state["results"]
    ]
    return "\n".join([*lines, "", f"Answer: {state['answer'] or 'none'}", f"{state['round']} plan(s) made"])
