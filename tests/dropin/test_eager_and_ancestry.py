"""What accelerated runs add: updates as nodes end, and the place of each firing."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from sim.loop import run

import alto_lg


class State(TypedDict, total=False):
    items: list[int]
    log: Annotated[list[str], operator.add]


class Item(TypedDict):
    item: int


def _two_hops() -> StateGraph[Any, Any, Any, Any]:
    """Three items through two hops; item 0 is slow in the first, item 2 in the second."""

    async def plan(state: State) -> dict[str, list[int]]:
        return {"items": [0, 1, 2]}

    def each(state: State) -> list[Send]:
        return [Send("first", {"item": item}) for item in state["items"]]

    async def first(state: Item) -> dict[str, list[str]]:
        await asyncio.sleep(0.3 if state["item"] == 0 else 0.1)
        return {"log": [f"first {state['item']} {alto_lg.current_ancestry()}"]}

    def on(state: State) -> list[Send]:
        return [Send("second", {"item": int(state["log"][-1].split()[1])})]

    async def second(state: Item) -> dict[str, list[str]]:
        await asyncio.sleep(0.3 if state["item"] == 2 else 0.1)
        return {"log": [f"second {state['item']} {alto_lg.current_ancestry()}"]}

    graph = StateGraph(State)
    for function in (plan, first, second):
        graph.add_node(function)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", each, ["first"])
    graph.add_conditional_edges("first", on, ["second"])
    return graph


def _updates(app: Any) -> list[tuple[float, Any]]:
    async def main() -> list[tuple[float, Any]]:
        clock = asyncio.get_running_loop().time
        began = clock()
        return [(round(clock() - began, 6), event) async for event in app.astream({}, stream_mode="updates")]

    return run(main).result


def test_eager_updates_come_when_their_node_ends_and_say_where_they_belong() -> None:
    events = _updates(alto_lg.accelerate(_two_hops(), events="eager"))
    ended = [(at, event.step, str(event.ancestry)) for at, event in events]
    assert ended == [
        (0.0, 1, "request ▸ plan"),
        (0.1, 2, "request ▸ plan ▸ first#1"),
        (0.1, 2, "request ▸ plan ▸ first#2"),
        (0.2, 3, "request ▸ plan ▸ first#1 ▸ second#0"),
        (0.3, 2, "request ▸ plan ▸ first#0"),
        (0.4, 3, "request ▸ plan ▸ first#2 ▸ second#0"),
        (0.4, 3, "request ▸ plan ▸ first#0 ▸ second#0"),
    ]


def test_eager_updates_are_the_ones_that_come_in_steps_and_none_comes_twice() -> None:
    in_steps = [event for _, event in _updates(alto_lg.accelerate(_two_hops()))]
    eager = [event for _, event in _updates(alto_lg.accelerate(_two_hops(), events="eager"))]
    assert sorted(map(str, in_steps)) == sorted(map(str, eager))
    assert all(isinstance(event, alto_lg.Update) for event in eager)


def test_eager_updates_change_no_other_event() -> None:
    async def main(app: Any) -> list[Any]:
        modes = ["values", "tasks", "updates"]
        return [event async for event in app.astream({}, stream_mode=modes) if event[0] != "updates"]

    def plain(events: list[Any]) -> list[Any]:
        return [(mode, {key: value for key, value in data.items() if key != "id"}) for mode, data in events]

    in_steps = run(lambda: main(alto_lg.accelerate(_two_hops()))).result
    eager = run(lambda: main(alto_lg.accelerate(_two_hops(), events="eager"))).result
    assert plain(in_steps) == plain(eager)


def test_a_node_knows_its_place_and_the_log_is_in_the_order_of_commits() -> None:
    async def main() -> Any:
        return await alto_lg.accelerate(_two_hops()).ainvoke({})

    assert run(main).result["log"] == [
        "first 0 request ▸ plan ▸ first#0",
        "first 1 request ▸ plan ▸ first#1",
        "first 2 request ▸ plan ▸ first#2",
        "second 0 request ▸ plan ▸ first#0 ▸ second#0",
        "second 1 request ▸ plan ▸ first#1 ▸ second#0",
        "second 2 request ▸ plan ▸ first#2 ▸ second#0",
    ]


def test_outside_an_accelerated_graph_there_is_no_ancestry() -> None:
    async def main() -> Any:
        return await _two_hops().compile().ainvoke({})

    assert alto_lg.current_ancestry() is None
    assert all(line.endswith("None") for line in run(main).result["log"])


def _talking() -> StateGraph:
    async def plan(state: State) -> dict[str, list[int]]:
        return {"items": [0, 1]}

    def each(state: State) -> list[Send]:
        return [Send("talk", {"item": item}) for item in state["items"]]

    async def talk(state: Item) -> dict[str, list[str]]:
        model = GenericFakeChatModel(messages=iter([AIMessage(f"item {state['item']}")]))
        return {"log": [str((await model.ainvoke("go")).content)]}

    graph = StateGraph(State)
    graph.add_node(plan)
    graph.add_node(talk)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", each, ["talk"])
    return graph


def test_streamed_messages_carry_the_ancestry_of_their_firing() -> None:
    async def main() -> set[tuple[str, str]]:
        events = alto_lg.accelerate(_talking()).astream({}, stream_mode="messages")
        return {(metadata["alto_ancestry"], metadata["langgraph_node"]) async for _, metadata in events}

    assert run(main).result == {("request ▸ plan ▸ talk#0", "talk"), ("request ▸ plan ▸ talk#1", "talk")}


def test_without_annotations_the_metadata_of_messages_has_langgraphs_keys_alone() -> None:
    async def keys(app: Any) -> list[list[str]]:
        return [sorted(metadata) async for _, metadata in app.astream({}, stream_mode="messages")]

    async def main() -> None:
        ours, theirs = alto_lg.accelerate(_talking(), annotate=False), _talking().compile()
        assert await keys(ours) == await keys(theirs) != []

    run(main)


def test_the_ancestry_of_a_subgraph_hangs_under_the_firing_that_invoked_it() -> None:
    seen: list[str] = []

    async def inside(state: State) -> dict[str, list[str]]:
        seen.append(str(alto_lg.current_ancestry()))
        return {"log": ["inside"]}

    inner = StateGraph(State)
    inner.add_node("inside", inside)
    inner.add_edge(START, "inside")
    outer = StateGraph(State)
    outer.add_node("part", inner.compile())
    outer.add_edge(START, "part")

    async def main() -> Any:
        return await alto_lg.accelerate(outer).ainvoke({})

    run(main)
    assert seen == ["request ▸ part ▸ inside"]
