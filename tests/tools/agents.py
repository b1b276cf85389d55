"""Agents of every kind over one scripted model, and tools that note when they ran."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import pytest
from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, tool
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from typing_extensions import TypedDict
from watching.scripted import ScriptedModel, call, said

import alto_lg

GO: dict[str, Any] = {"messages": [HumanMessage("go", id="go")]}
THREE = [*said("Let me see. "), *call("work", {"n": 0}, 0), *call("work", {"n": 1}, 1), *call("work", {"n": 2}, 2)]
"""One second for each call; the message is complete after three."""
DONE = said("done")


class Messages(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class Log:
    """When which execution of a tool began and ended, on the clock of the run."""

    def __init__(self) -> None:
        self.began: list[tuple[Any, float]] = []
        self.ended: list[tuple[Any, float]] = []
        self.cancelled: list[Any] = []

    @property
    def numbers(self) -> list[Any]:
        return [number for number, _ in self.began]


def now() -> float:
    return asyncio.get_running_loop().time()


def worker(log: Log, seconds: float = 1.0, *, declare: bool = True) -> BaseTool:
    """An async tool that takes a while."""

    async def work(n: int) -> str:
        """Work on a number."""
        log.began.append((n, now()))
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            log.cancelled.append(n)
            raise
        log.ended.append((n, now()))
        return f"worked on {n}"

    return tool(alto_lg.repeatable(work) if declare else work)


def sync_worker(log: Log) -> BaseTool:
    """A plain function as a tool."""

    @tool
    @alto_lg.repeatable
    def work(n: int) -> str:
        """Work on a number."""
        log.began.append((n, 0.0))
        return f"worked on {n}"

    return work


def model(*scripts: Any, **fields: Any) -> ScriptedModel:
    return ScriptedModel(scripts=[*(scripts or (THREE,)), DONE], **fields)


Agent = Callable[..., Any]


def by_hand(chat: ScriptedModel, tools: Sequence[BaseTool], **options: Any) -> Any:
    """A graph with a node that calls the model and a `ToolNode`."""
    bound = chat.bind_tools(tools)

    def ask(state: Messages) -> dict[str, Any]:
        return {"messages": [bound.invoke(state["messages"])]}

    async def aask(state: Messages) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    return _around(ask, aask, ToolNode(tools, **options.pop("node", {})), **options)


def by_own_node(chat: ScriptedModel, tools: Sequence[BaseTool], **options: Any) -> Any:
    """The same, with a node of the user's that runs the tools, one after another."""
    by_name = {one.name: one for one in tools}

    def run(state: Messages) -> dict[str, Any]:
        return {"messages": [by_name[one["name"]].invoke(one) for one in state["messages"][-1].tool_calls]}  # type: ignore[union-attr]

    async def arun(state: Messages) -> dict[str, Any]:
        calls = state["messages"][-1].tool_calls  # type: ignore[union-attr]
        return {"messages": list(await asyncio.gather(*(by_name[one["name"]].ainvoke(one) for one in calls)))}

    def ask(state: Messages) -> dict[str, Any]:
        return {"messages": [chat.invoke(state["messages"])]}

    async def aask(state: Messages) -> dict[str, Any]:
        return {"messages": [await chat.ainvoke(state["messages"])]}

    return _around(ask, aask, RunnableLambda(run, arun), **options)


def _around(ask: Any, aask: Any, tools: Any, **options: Any) -> Any:
    builder = StateGraph(Messages)
    builder.add_node("ask", RunnableLambda(ask, aask), **options.pop("ask_options", {}))
    builder.add_node("tools", tools, **options.pop("tools_options", {}))
    builder.add_edge(START, "ask")
    builder.add_conditional_edges("ask", tools_condition, ["tools", END])
    builder.add_edge("tools", "ask")
    return builder.compile(**options)


def prebuilt(version: str) -> Agent:
    def agent(chat: ScriptedModel, tools: Sequence[BaseTool], **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is deprecated, and most agents are still made by it
            return create_react_agent(chat, tools, version=version, **options)  # type: ignore[arg-type]

    return agent


def of_langchain(chat: ScriptedModel, tools: Sequence[BaseTool], **options: Any) -> Any:
    agents = pytest.importorskip("langchain.agents", reason="langchain is not installed")
    return agents.create_agent(chat, tools, **options)


AGENTS: dict[str, Agent] = {
    "a ToolNode": by_hand,
    "a node of one's own": by_own_node,
    "create_react_agent, v1": prebuilt("v1"),
    "create_react_agent, v2": prebuilt("v2"),
    "create_agent": of_langchain,
}
