"""The agent on the command line: what the graph is given, and its turns made readable."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.agent import application
from alto_lg.apps.agent.graphs import Graph
from alto_lg.apps.agent.inputs import input_of
from alto_lg.apps.base import ModelEndpoint

_WIDTH = 100


def build(version: str, *, chat: OpenAIChat, corpus: Path | None) -> Graph:
    """The compiled graph, with LangChain's client of the same server in place of `chat`."""
    endpoint = ModelEndpoint(chat.base_url, chat.model, os.environ.get("OPENAI_API_KEY") or "not-needed")
    return application.build(version, chat=application.chat_model(endpoint), corpus=corpus)


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph."""
    return input_of(text)


def readable(state: Mapping[str, Any]) -> str:
    """Each call with the first line of what it gave, and the answer."""
    messages = state["messages"]
    given_back = {one.tool_call_id: str(one.content) for one in messages if isinstance(one, ToolMessage)}
    lines: list[str] = []
    for message in messages:
        for call in message.tool_calls if isinstance(message, AIMessage) else ():
            lines.append(f"{call['name']}({', '.join(map(repr, call['args'].values()))})")
            first = given_back.get(str(call["id"]), "").partition("\n")[0]
            lines.append("    " + textwrap.shorten(first, _WIDTH, placeholder=" …"))
    return "\n".join([*lines, "", textwrap.fill(str(messages[-1].content), _WIDTH)])
