"""The agent's graphs, as LangGraph and LangChain make them, unchanged.

Owns which versions there are. Always true: all versions ask the same model with the same instructions and tools; those
that end in "early" differ in one thing: their tools are declared to be repeatable.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import create_react_agent

from alto_lg.apps.agent.prompts import SYSTEM

Graph = CompiledStateGraph[Any, Any, Any, Any]
Make = Callable[[BaseChatModel, Sequence[BaseTool]], Graph]


def react(model: BaseChatModel, tools: Sequence[BaseTool]) -> Graph:
    """LangGraph's prebuilt agent."""
    with warnings.catch_warnings():
        # LangGraph 1 points to LangChain's agent, the other version here; most agents that run were made with this one.
        warnings.filterwarnings("ignore", "create_react_agent has been moved", DeprecationWarning)
        return create_react_agent(model, list(tools), prompt=SYSTEM)


def agent(model: BaseChatModel, tools: Sequence[BaseTool]) -> Graph:
    """LangChain's agent."""
    try:
        from langchain.agents import create_agent
    except ModuleNotFoundError as missing:
        raise needs(missing, "langchain") from missing
    return create_agent(model, tools=list(tools), system_prompt=SYSTEM)


def needs(missing: ModuleNotFoundError, distribution: str) -> ModuleNotFoundError:
    """An error that says what to install."""
    how = f"the agent needs {distribution}, which is not installed: pip install 'alto-lg[agent]'"
    return ModuleNotFoundError(how, name=missing.name)


VERSIONS: Mapping[str, tuple[Make, bool]] = {
    "react": (react, False),
    "create-agent": (agent, False),
    "react-early": (react, True),
    "create-agent-early": (agent, True),
}
"""How each version is made, and whether its tools are declared to be repeatable."""
