"""Every message, update and custom event says which firing it comes from, and is LangGraph's in all else."""

from __future__ import annotations

import json
import operator
import pickle
from typing import Annotated, Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg

MODES = ["messages", "custom", "updates"]


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def _graph() -> Any:
    """Two claims side by side; each is checked in a subgraph that says something in all three ways."""

    async def begin(state: State) -> dict[str, Any]:
        return {}

    async def check(claim: Any) -> dict[str, Any]:
        model = GenericFakeChatModel(messages=iter([AIMessage("so it is")]))
        await model.ainvoke("claim")
        get_stream_writer()({"checked": claim})
        get_stream_writer()(f"checked {claim}")
        get_stream_writer()(claim)
        return {"log": [str(claim)]}

    builder = StateGraph(State)
    builder.add_node("begin", begin)
    builder.add_node("check", check)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", lambda state: [Send("check", number) for number in range(2)], ["check"])
    return builder.compile()


def _events(app: Any, **options: Any) -> list[Any]:
    async def main() -> list[Any]:
        return [event async for event in app.astream({}, stream_mode=MODES, **options)]

    return list(run(main).result)


def _of(events: list[Any], mode: str) -> list[Any]:
    return [event for kind, event in events if kind == mode]


def test_each_event_carries_the_ancestry_of_its_firing() -> None:
    events = _events(alto_lg.accelerate(_graph()))
    for mode, event in events:
        ancestry = alto_lg.ancestry(event)
        if mode == "custom" and isinstance(event, int):
            assert ancestry is None, "a number cannot carry anything"
        elif mode == "updates" and "begin" in event:
            assert str(ancestry) == "request ▸ begin"
        else:
            assert ancestry is not None
            assert ancestry.at("begin") is not None
            assert str(ancestry) in ("request ▸ begin ▸ check#0", "request ▸ begin ▸ check#1")


def _index(event: Any) -> int | None:
    found = alto_lg.ancestry(event)
    assert found is not None
    return found.index


def test_items_that_run_at_the_same_time_do_not_mix() -> None:
    events = _events(alto_lg.accelerate(_graph()))
    customs = [event for event in _of(events, "custom") if isinstance(event, dict)]
    assert {(event["checked"], _index(event)) for event in customs} == {(0, 0), (1, 1)}
    updates = [event for event in _of(events, "updates") if "check" in event]
    assert [(event["check"]["log"], _index(event)) for event in updates] == [(["0"], 0), (["1"], 1)]
    assert {_index(event) for event in _of(events, "messages")} == {0, 1}


def test_the_events_equal_those_of_plain_langgraph() -> None:
    ours, theirs = _events(alto_lg.accelerate(_graph())), _events(_graph())
    assert _of(ours, "updates") == _of(theirs, "updates")
    assert sorted(map(str, _of(ours, "custom"))) == sorted(map(str, _of(theirs, "custom")))
    assert json.dumps(_of(ours, "updates")) == json.dumps(_of(theirs, "updates"))


def test_without_annotations_the_events_are_of_langgraphs_types() -> None:
    events = _events(alto_lg.accelerate(_graph(), annotate=False))
    assert {type(event) for event in _of(events, "updates")} == {dict}
    assert {type(event) for event in _of(events, "custom")} == {dict, str, int}
    assert {alto_lg.ancestry(event) for _, event in events} == {None}


def test_the_innermost_firing_of_a_subgraph_counts() -> None:
    outer = StateGraph(State)
    outer.add_node("part", _graph())
    outer.add_edge(START, "part")
    events = _events(alto_lg.accelerate(outer.compile()), subgraphs=True)
    custom = {str(alto_lg.ancestry(event)) for event in events if event[1] == "custom" and isinstance(event[2], dict)}
    assert custom == {"request ▸ part ▸ begin ▸ check#0", "request ▸ part ▸ begin ▸ check#1"}


def test_parts_of_the_second_version_carry_it_too() -> None:
    async def main() -> set[str]:
        app = alto_lg.accelerate(_graph())
        parts = app.astream({}, stream_mode=MODES, version="v2")
        return {str(alto_lg.ancestry(part)) async for part in parts if part["type"] == "messages"}

    assert run(main).result == {"request ▸ begin ▸ check#0", "request ▸ begin ▸ check#1"}


@pytest.mark.parametrize(
    "event", [None, 3, (), {"type": "values", "ns": (), "data": {}}, ("custom", {"a": 1}), object()]
)
def test_what_carries_no_ancestry_has_none(event: object) -> None:
    assert alto_lg.ancestry(event) is None


def test_what_is_pickled_is_langgraphs() -> None:
    for _, event in _events(alto_lg.accelerate(_graph())):
        if isinstance(event, str):
            assert type(pickle.loads(pickle.dumps(event))) is str
