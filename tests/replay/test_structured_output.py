"""Structured output: a node that calls a model for an object with a list, opaque, and a router that fans out."""

from __future__ import annotations

import asyncio
import json
import operator
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel, Field
from sim.loop import run
from typing_extensions import TypedDict
from watching.scripted import Piece, ScriptedModel, call

import alto_lg


class Query(BaseModel):
    """What to look for."""

    text: str
    weight: int = Field(default=1, ge=0)


class Plan(BaseModel):
    """What to look for, in order."""

    reason: str = ""
    queries: list[Query]
    remark: str = ""


class State(TypedDict, total=False):
    question: str
    plan: Any
    found: Annotated[list[str], operator.add]


LONG = "and so on " * 20
PLAN: dict[str, Any] = {
    "reason": "[because]",
    "queries": [{"text": f"query {number}", "weight": number} for number in range(6)],
    "remark": LONG,
}
TEXTS = [f"query {number}" for number in range(6)]


def fan_out(state: State) -> list[Send]:
    return [Send("search", query.text) for query in state["plan"].queries]


async def search(text: str) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"found": [text]}


def graph(plan: Any, router: Any = fan_out, target: Any = search, retry: Any = None, **compiling: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("plan", plan, retry_policy=retry)
    builder.add_node("search", target)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", router, ["search"])
    return builder.compile(**compiling)


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


def asks(runnable: Any) -> Any:
    """A node that looks the same for every form of structured output."""

    async def plan(state: State) -> dict[str, Any]:
        return {"plan": await runnable.ainvoke(state["question"])}

    return plan


def check(impl: Implementation, app: Any, *, plan: Any, unpromised: int = 0) -> None:
    """The answer is the same; accelerated, what the last item sends runs while the model still writes."""
    outcome = run(lambda: app.ainvoke({"question": "Why?"}))
    assert outcome.result == {"question": "Why?", "plan": plan, "found": TEXTS}
    # The model writes for ten seconds, and the list ends before the sixth.
    assert outcome.elapsed_s == pytest.approx(11.0 if impl is plain_langgraph else 10.0, abs=0.1)
    if impl is not plain_langgraph:
        counted = statistics(app)
        assert (counted.early_starts, counted.dropped, counted.unpromised) == (6, 0, unpromised)


def tool_call(plan: dict[str, Any] = PLAN, name: str = "Plan") -> ScriptedModel:
    return ScriptedModel(scripts=[call(name, plan, 0, pieces=200, seconds=10.0)])


def text(plan: dict[str, Any] = PLAN, before: str = "", after: str = "") -> ScriptedModel:
    return ScriptedModel(scripts=[in_pieces(before + json.dumps(plan, indent=1) + after, seconds=10.0)])


def test_the_tool_call_form_goes_on_item_by_item(impl: Implementation) -> None:
    model = tool_call()
    app = app_of(impl, graph(asks(model.with_structured_output(Plan))))
    check(impl, app, plan=Plan.model_validate(PLAN))
    assert model.asked == ["whole" if impl is plain_langgraph else "stream"], "no prediction asks the model"


def test_the_tool_call_form_with_the_raw_message_goes_on_item_by_item(impl: Implementation) -> None:
    structured = tool_call().with_structured_output(Plan, include_raw=True)

    async def plan(state: State) -> dict[str, Any]:
        made = await structured.ainvoke(state["question"])
        assert made["raw"].tool_calls[0]["args"]["queries"], "the message says what the object says"
        return {"plan": made["parsed"]}

    check(impl, app_of(impl, graph(plan)), plan=Plan.model_validate(PLAN))


def test_a_pydantic_parser_goes_on_item_by_item(impl: Implementation) -> None:
    chain = text() | PydanticOutputParser(pydantic_object=Plan)
    check(impl, app_of(impl, graph(asks(chain))), plan=Plan.model_validate(PLAN))


def test_a_json_parser_goes_on_item_by_item(impl: Implementation) -> None:
    def route(state: State) -> list[Send]:
        return [Send("search", query["text"]) for query in state["plan"]["queries"]]

    chain = text(before="Here it is:\n```json\n", after="\n```") | JsonOutputParser()
    check(impl, app_of(impl, graph(asks(chain), route)), plan=PLAN)


def test_a_node_that_parses_json_itself_goes_on_item_by_item(impl: Implementation) -> None:
    model = text()

    async def plan(state: State) -> dict[str, Any]:
        message = await model.ainvoke(state["question"])
        assert message.response_metadata.get("finish_reason", "stop") == "stop"
        return {"plan": Plan(**json.loads(message.content))}

    app = app_of(impl, graph(plan), plan=alto_lg.split.json_items(path="queries"))
    check(impl, app, plan=Plan.model_validate(PLAN))


def test_lines_go_on_line_by_line(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[in_pieces("\n".join([*TEXTS, LONG]), seconds=10.0)])

    def route(state: State) -> list[Send]:
        return [Send("search", line) for line in state["plan"] if line != LONG]

    chain = model | StrOutputParser() | str.splitlines
    app = app_of(impl, graph(asks(chain), route), plan=alto_lg.split.lines)
    check(impl, app, plan=[*TEXTS, LONG])


def test_a_node_that_is_a_chain_goes_on_item_by_item(impl: Implementation) -> None:
    structured = tool_call().with_structured_output(Plan)
    chain = (lambda state: state["question"]) | structured | (lambda plan: {"plan": plan})
    check(impl, app_of(impl, graph(chain)), plan=Plan.model_validate(PLAN))


def test_a_node_that_streams_for_itself_goes_on_item_by_item(impl: Implementation) -> None:
    model = text()

    async def plan(state: State) -> dict[str, Any]:
        said = [chunk.content async for chunk in model.astream(state["question"])]
        return {"plan": Plan.model_validate_json("".join(map(str, said)))}

    check(impl, app_of(impl, graph(plan)), plan=Plan.model_validate(PLAN))


def test_an_item_that_is_not_valid_starts_nothing(impl: Implementation) -> None:
    wrong = {**PLAN, "queries": [*PLAN["queries"][:3], {"text": "no", "weight": -1}, *PLAN["queries"][3:]]}
    app = app_of(impl, graph(asks(tool_call(wrong).with_structured_output(Plan))))
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        run(lambda: app.ainvoke({"question": "Why?"}))
    if impl is not plain_langgraph:
        counted = statistics(app)
        assert (counted.early_starts, counted.dropped, counted.unpromised) == (3, 3, 4)


class Strict(Plan):
    """With a field that is written after the list."""

    remark: str


def test_a_required_field_behind_the_list_holds_all_back(impl: Implementation) -> None:
    app = app_of(impl, graph(asks(tool_call(name="Strict").with_structured_output(Strict))))
    outcome = run(lambda: app.ainvoke({"question": "Why?"}))
    assert outcome.result["found"] == TEXTS
    assert outcome.elapsed_s == pytest.approx(11.0, abs=0.1)
    if impl is not plain_langgraph:
        counted = statistics(app)
        assert (counted.early_starts, counted.dropped, counted.unpromised) == (0, 0, 6)


def test_a_model_that_cannot_stream_is_called_as_ever(impl: Implementation) -> None:
    model = text()
    model.streams = False
    app = app_of(impl, graph(asks(model | PydanticOutputParser(pydantic_object=Plan))))
    outcome = run(lambda: app.ainvoke({"question": "Why?"}))
    assert outcome.result["found"] == TEXTS
    assert model.asked == ["whole"]


def test_a_model_that_is_not_to_stream_is_called_as_ever(impl: Implementation) -> None:
    model = text()
    model.disable_streaming = True
    app = app_of(impl, graph(asks(model | PydanticOutputParser(pydantic_object=Plan))))
    assert run(lambda: app.ainvoke({"question": "Why?"})).result["found"] == TEXTS
    assert model.asked == ["whole"]


def test_a_sync_node_runs_beside_the_event_loop(impl: Implementation) -> None:
    structured = tool_call({**PLAN, "remark": ""}).with_structured_output(Plan)

    def plan(state: State) -> dict[str, Any]:
        return {"plan": structured.invoke(state["question"])}

    app = app_of(impl, graph(plan))
    assert asyncio.run(app.ainvoke({"question": "Why?"}))["found"] == TEXTS
