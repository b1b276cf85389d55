"""Where a replayed node may be: in a fan-out, in a subgraph, ahead of its step, beside readers of every API."""

from __future__ import annotations

import asyncio
import copy
import operator
import pickle
from collections import Counter
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from sim.loop import run
from typing_extensions import TypedDict
from watching.scripted import ScriptedModel, call

import alto_lg
from alto_lg import split
from replay.served import Script, served
from replay.test_clients import Work, by_create, by_parse, by_stream, checked, fan_out
from replay.test_replay import CALL, QUESTION, early, structured
from replay.test_structured_output import TEXTS, Plan, State, app_of, asks, graph, search


class Letters(TypedDict, total=False):
    letters: list[str]
    found: Annotated[list[str], operator.add]


def plan_of(letter: str) -> Any:
    queries = {"queries": [{"text": f"{letter}{number}"} for number in range(3)]}
    return ScriptedModel(scripts=[call("Plan", queries, 0, pieces=60, seconds=3.0)]).with_structured_output(Plan)


def nested() -> Any:
    """Each letter is planned for itself, and each query searched for."""
    models = {letter: plan_of(letter) for letter in "abc"}

    async def plan(letter: str) -> Command[Any]:
        made = await models[letter].ainvoke(letter)
        return Command(goto=[Send("search", query.text) for query in made.queries])

    builder = StateGraph(Letters)
    builder.add_node("plan", plan, destinations=("search",))
    builder.add_node("search", search)
    builder.add_conditional_edges(START, lambda state: [Send("plan", letter) for letter in state["letters"]], ["plan"])
    return builder.compile()


def test_each_firing_of_a_fan_out_is_predicted_by_itself(impl: Implementation) -> None:
    app = app_of(impl, nested())
    result = run(lambda: app.ainvoke({"letters": ["a", "b", "c"]})).result
    assert result["found"] == [f"{letter}{number}" for letter in "abc" for number in range(3)]
    if impl is not plain_langgraph:
        assert early(app) == (9, 0, 0)


def test_a_subgraph_is_accelerated_with_its_own_names(impl: Implementation) -> None:
    inner = app_of(impl, graph(asks(structured())))
    builder = StateGraph(State)
    builder.add_node("inner", inner)
    builder.add_edge(START, "inner")
    app = impl(builder.compile())
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert alto_lg.statistics(inner) is not None
        assert early(inner) == (6, 0, 0)


def test_a_node_that_starts_ahead_of_its_step_is_predicted_there(impl: Implementation) -> None:
    async def slow(state: State) -> dict[str, Any]:
        await asyncio.sleep(30)
        return {}

    async def quick(state: State) -> dict[str, Any]:
        return {}

    builder = StateGraph(State)
    builder.add_node("slow", alto_lg.node(writes=[])(slow))
    builder.add_node("quick", alto_lg.node(writes=[])(quick))
    builder.add_node("plan", alto_lg.node(reads=["question"], writes=["plan"])(asks(structured())))
    builder.add_node("search", search)
    builder.add_edge(START, "slow")
    builder.add_edge(START, "quick")
    builder.add_edge("quick", "plan")
    builder.add_conditional_edges(
        "plan", lambda state: [Send("search", q.text) for q in state["plan"].queries], ["search"]
    )
    app = app_of(impl, builder.compile())
    outcome = run(lambda: app.ainvoke(QUESTION))
    assert outcome.result["found"] == TEXTS
    assert outcome.elapsed_s == pytest.approx(41.0 if impl is plain_langgraph else 30.0, abs=0.1)


def test_events_of_what_is_inside_are_as_ever(impl: Implementation) -> None:
    app = app_of(impl, graph(asks(structured())))

    async def events() -> Counter[tuple[str, str]]:
        found = [event async for event in app.astream_events(QUESTION, version="v2")]
        return Counter((event["event"], event["name"]) for event in found)

    found = run(events).result
    assert found["on_chat_model_start", "ScriptedModel"] == found["on_chat_model_end", "ScriptedModel"] == 1
    assert found["on_chain_end", "search"] == 6
    plain = graph(asks(structured()))
    app = plain
    assert found == run(events).result


@pytest.mark.parametrize("client", [by_create, by_parse, by_stream])
def test_a_sync_node_in_an_async_run_goes_on_item_by_item(impl: Implementation, client: Any) -> None:
    work = Work()
    with served(work.script(impl)) as server:
        checked(impl, app_of(impl, graph(client(server), fan_out, work)), server)


def test_several_threads_of_one_node_are_watched(impl: Implementation) -> None:
    """`batch` calls the model on a thread for each question."""
    scripts = [call("Plan", {"queries": [{"text": f"{number}"}]}, 0, pieces=9) for number in range(4)]
    model = ScriptedModel(scripts=scripts)

    def plan(state: State) -> dict[str, Any]:
        made = model.with_structured_output(Plan).batch([f"{state['question']} {number}" for number in range(4)])
        return {"plan": Plan(queries=sorted((one.queries[0] for one in made), key=lambda query: query.text))}

    def noted(text: str) -> dict[str, Any]:
        return {"found": [text]}

    app = app_of(impl, graph(plan, target=noted))
    for result in (app.invoke(QUESTION), asyncio.run(app.ainvoke(QUESTION))):
        assert result["found"] == ["0", "1", "2", "3"]


def test_a_checked_graph_is_replayed_too() -> None:
    app = alto_lg.accelerate(graph(asks(structured())), replay={"plan": None}, check=True)
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    assert early(app) == (6, 0, 0)


def test_copies_of_the_graph_are_replayed_too() -> None:
    app = alto_lg.accelerate(graph(asks(structured())), replay={"plan": split.json_items(path="queries")})
    for same in (copy.copy(app), app.with_config({"tags": ["a"]})):
        assert run(lambda same=same: same.ainvoke(QUESTION)).result["found"] == TEXTS
        assert early(app) == (6, 0, 0)
    assert pickle.loads(pickle.dumps(split.json_items(path="queries"))).path == ("queries",)


def test_an_equal_accelerate_is_no_warning_and_another_one_is() -> None:
    app = alto_lg.accelerate(graph(asks(structured())), replay={"plan": split.lines})
    assert alto_lg.accelerate(app, replay={"plan": split.lines}) is app
    with pytest.warns(alto_lg.AltoWarning, match="replay="):
        alto_lg.accelerate(app, replay={"plan": split.words})


def test_a_server_script_of_no_pieces_gives_no_items(impl: Implementation) -> None:
    with served(Script(['{"queries": []}'])) as server:
        app = app_of(impl, graph(by_create(server), fan_out, Work()))
        assert asyncio.run(app.ainvoke(QUESTION))["found"] == []
    assert CALL, "the script of the other tests is not empty"


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_the_third_version_of_events_is_as_ever(impl: Implementation) -> None:
    app = app_of(impl, graph(asks(structured())))

    async def events() -> tuple[int, Any]:
        stream = await app.astream_events(QUESTION, version="v3")
        return len([event async for event in stream]), await stream.output()

    count, output = run(events).result
    assert (count, output["found"]) == (159, TEXTS)
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 0)
