"""LLMCompiler as a graph, in two forms that give equal answers with equal calls.

`flat` is what most LangGraph users write: the plan is made whole, then a `Send` for each task that can be called, then
`collect`, and again until nothing is left. A wave waits for the slowest task of the wave before.

In `streaming`, `plan` gives out each task when the model has written its line, and every task gets a `Send` at once. A
task that needs others waits for them inside its node, by `SharedCalls`, on plain LangGraph, too: all tasks are in one
step. So it does not matter to a graph which task needs which, and nothing of that has to be known before the last line
is written. There is no version with subgraphs: a subgraph keeps the hops of one item together, and here each item has
one hop, and needs other items.

The nodes declare what they write, which plain LangGraph ignores: the analysis does not follow the client to its end, so
it cannot see that they write nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Overwrite, Send

import alto_lg
from alto_lg.apps.llmcompiler.nodes import Stages, lines_up_to, ready, waiting
from alto_lg.apps.llmcompiler.state import Asked, Call, Compiled, Line, Result, Task

Graph = CompiledStateGraph[Any, Any, Any, Any]


def build_flat(stages: Stages) -> Graph:
    """The compiled graph that works in waves."""

    @alto_lg.node(writes=["plan"])
    async def plan(state: Compiled) -> dict[str, list[Task]]:
        return {"plan": await stages.plan(*_planned(state))}

    @alto_lg.node(writes=["results"])
    async def work(state: Call) -> dict[str, list[Result]]:
        return {"results": [await stages.call(state["round"], state["number"], state["tool"], state["argument"])]}

    @alto_lg.node(writes=[])
    async def collect(state: Compiled) -> None:
        """Waits for the wave: a conditional edge behind `work` would see the result of one task only."""

    def each_ready(state: Compiled) -> list[Send] | Literal["join"]:
        return [Send("work", call) for call in ready(state["round"], state["plan"], state["results"])] or "join"

    graph = _begun(stages)
    graph.add_node("plan", plan)
    graph.add_node("work", work, input_schema=Call)
    graph.add_node("collect", collect)
    graph.add_conditional_edges("plan", each_ready, ["work", "join"])
    graph.add_edge("work", "collect")
    graph.add_conditional_edges("collect", each_ready, ["work", "join"])
    return graph.compile(name="llmcompiler-flat")


def build_streaming(stages: Stages) -> Graph:
    """The compiled graph with a streaming `plan`; `TypeError` if the model cannot stream."""
    stages.require_streaming()

    @alto_lg.node(writes=["plan"])
    @alto_lg.streaming
    async def plan(state: Compiled) -> AsyncIterator[dict[str, list[Task]]]:
        async for tasks in stages.plan_by_and_by(*_planned(state)):
            yield {"plan": tasks}

    @alto_lg.node(writes=["results"])
    async def work(state: Line) -> dict[str, list[Result]]:
        return {"results": [await stages.call_when_ready(state["run"], state["round"], state["number"], state["plan"])]}

    def each_task(state: Compiled) -> list[Send] | Literal["join"]:
        run, turn, plan = state["run"], state["round"], state["plan"]
        return [
            Send("work", {"run": run, "round": turn, "number": task["number"], "plan": lines_up_to(task, plan)})
            for task in waiting(plan, state["results"])
        ] or "join"

    graph = _begun(stages)
    graph.add_node("plan", plan)
    graph.add_node("work", work, input_schema=Line)
    graph.add_conditional_edges("plan", each_task, ["work", "join"])
    graph.add_edge("work", "join")
    return graph.compile(name="llmcompiler-streaming")


async def begin(state: Asked) -> dict[str, Any]:
    """Nothing planned and nothing done yet, whatever an earlier question on the same thread has left behind."""
    return {"run": uuid.uuid4().hex, "round": 1, "plan": [], "results": Overwrite([]), "missing": "", "answer": ""}


def goes_on(state: Compiled) -> str:
    """Another plan where something is missing for an answer."""
    return "plan" if state["missing"] else END


def _planned(state: Compiled) -> tuple[str, int, list[Task], list[Result], str]:
    return state["question"], state["round"], state["plan"], state["results"], state["missing"]


def _begun(stages: Stages) -> StateGraph[Any, Any, Any, Any]:
    """The nodes that both forms have alike."""

    @alto_lg.node(writes=["round", "missing", "answer"])
    async def join(state: Compiled) -> dict[str, Any]:
        answer, missing = await stages.join(state["question"], state["round"], state["results"])
        if not missing:
            stages.forget(state["run"])
        return {"round": state["round"] + bool(missing), "missing": missing, "answer": answer}

    graph = StateGraph(Compiled, input_schema=Asked)
    graph.add_node("begin", begin)
    graph.add_node("join", join)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "plan")
    graph.add_conditional_edges("join", goes_on, ["plan", END])
    return graph
