"""Structured output: a node that calls a model for an object with a list, opaque, and a router that fans out."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.messages import AIMessageChunk
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel
from sim.loop import run
from typing_extensions import TypedDict
from watching.scripted import Piece, ScriptedModel, call

import alto_lg


class Query(BaseModel):
    """What to look for."""

    text: str
    weight: int = 1


class Plan(BaseModel):
    """What to look for, in order."""

    queries: list[Query]


class State(TypedDict, total=False):
    question: str
    plan: Plan
    found: Annotated[list[str], operator.add]


PLAN: dict[str, Any] = {"queries": [{"text": f"query {number}", "weight": number} for number in range(6)]}
FOUND = [f"query {number}" for number in range(6)]


def fan_out(state: State) -> list[Send]:
    return [Send("search", query.text) for query in state["plan"].queries]


async def search(text: str) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"found": [text]}


def graph(plan: Any, router: Any = fan_out) -> Any:
    builder = StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("search", search)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", router, ["search"])
    return builder.compile()


def app_of(impl: Implementation, plain: Any, **replay: Any) -> Any:
    return plain if impl is plain_langgraph else alto_lg.accelerate(plain, replay=replay or {"plan": None})


def statistics(app: Any) -> alto_lg.RunStatistics:
    found = alto_lg.statistics(app)
    assert found is not None
    return found


def in_pieces(text: str, *, seconds: float, size: int = 3) -> list[Piece]:
    """A text, so many characters at a time."""
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [Piece(AIMessageChunk(content=piece), seconds / len(pieces)) for piece in pieces]


def test_a_tool_call_form_goes_on_item_by_item(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[call("Plan", PLAN, 0, pieces=200, seconds=6.0)])
    structured = model.with_structured_output(Plan)

    async def plan(state: State) -> dict[str, Any]:
        made = await structured.ainvoke(state["question"])
        return {"plan": made}

    app = app_of(impl, graph(plan))
    outcome = run(lambda: app.ainvoke({"question": "Why?"}))
    assert outcome.result["found"] == FOUND
    assert outcome.result["plan"] == Plan.model_validate(PLAN)
    assert outcome.elapsed_s == pytest.approx(7.0, abs=0.1)
    if impl is not plain_langgraph:
        counted = statistics(app)
        assert (counted.early_starts, counted.dropped, counted.unpromised) == (6, 0, 0)
        assert model.asked == ["stream"], "no prediction asks the model"
