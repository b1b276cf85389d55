"""Tree of Thoughts on the command line: what the graph is given, and its answer made readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.tot import application
from alto_lg.apps.tot.puzzles import read_puzzle


def build(version: str, *, chat: OpenAIChat, corpus: Path | None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph; a corpus is refused."""
    application.refuse_corpus(corpus)
    return application.build(version, chat=chat)


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph.

    Raises:
        ValueError: The text is no puzzle, or there is a reference, of which nothing here could make use.
    """
    if reference:
        raise ValueError("tot takes no --reference: whether an answer is right is worked out")
    return {"puzzle": read_puzzle(text)}


def readable(state: Mapping[str, Any]) -> str:
    """The answer with the steps to it, and how many thoughts there were at each step."""
    best = state["kept"][0] if state["kept"] else None
    steps = best["steps"].splitlines() if best else []
    made = Counter(thought["step"] for thought in state.get("thoughts", []))
    counted = ", ".join(f"{made[step]} at step {step}" for step in sorted(made)) or "none"
    if state["solved"]:
        ending = f"Solved: {state['answer']} = 24"
    else:
        ending = f"NOT solved: {state['answer'] or 'nothing'} is the best that was found"
    return "\n".join([*steps, "", ending, f"Thoughts: {counted}"])
