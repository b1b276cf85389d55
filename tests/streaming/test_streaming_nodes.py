"""Streaming nodes: on plain LangGraph they are ordinary nodes; accelerated, what follows begins while they go on."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg


class State(TypedDict, total=False):
    items: Annotated[list[int], operator.add]
    results: Annotated[list[str], operator.add]
    last: int


def fan_out(state: State) -> list[Send]:
    return [Send("work", {"item": item}) for item in state["items"]]


async def work(packet: dict[str, int]) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"results": [f"work {packet['item']}"]}


def graph(emit: Any, router: Any = fan_out, target: Any = work) -> Any:
    builder = StateGraph(State)
    builder.add_node("emit", emit)
    builder.add_node("work", target)
    builder.add_edge(START, "emit")
    builder.add_conditional_edges("emit", router, ["work"])
    builder.add_edge("work", END)
    return builder.compile()


@alto_lg.streaming
async def ten(state: State) -> AsyncIterator[dict[str, Any]]:
    for item in range(10):
        await asyncio.sleep(0.1)
        yield {"items": [item], "last": item}


def test_partial_updates_are_folded_into_one(impl: Implementation) -> None:
    outcome = run(lambda: impl(graph(ten)).ainvoke({}))
    assert outcome.result == {
        "items": list(range(10)),
        "last": 9,
        "results": [f"work {item}" for item in range(10)],
    }
    if impl is plain_langgraph:
        assert outcome.elapsed_s == pytest.approx(2.0)


def test_each_item_goes_on_as_it_comes() -> None:
    app = alto_lg.accelerate(graph(ten))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.elapsed_s == pytest.approx(2.0), "the last item comes after one second, and takes one more"
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert (statistics.early_starts, statistics.dropped) == (10, 0)


def _statistics(app: Any) -> alto_lg.RunStatistics:
    found = alto_lg.statistics(app)
    assert found is not None
    return found


def test_the_first_result_does_not_wait_for_the_last_item() -> None:
    ended: list[tuple[str, float]] = []

    async def timed(packet: dict[str, int]) -> dict[str, Any]:
        update = await work(packet)
        ended.append((update["results"][0], asyncio.get_running_loop().time()))
        return update

    app = alto_lg.accelerate(graph(ten, target=timed))
    run(lambda: app.ainvoke({}))
    assert ended[0] == ("work 0", pytest.approx(1.1))
    assert ended[-1] == ("work 9", pytest.approx(2.0))


def _chain(emit: Any, hops: int = 2) -> Any:
    """Each item goes through so many hops of one second."""
    builder = StateGraph(State)
    builder.add_node("emit", emit)
    builder.add_edge(START, "emit")

    def hop(number: int) -> Any:
        async def node(packet: dict[str, int]) -> Any:
            await asyncio.sleep(1)
            if number == hops:
                return {"results": [f"item {packet['item']}"]}
            return Command(goto=Send(f"hop{number + 1}", packet))

        return node

    for number in range(1, hops + 1):
        builder.add_node(f"hop{number}", hop(number))
    builder.add_conditional_edges(
        "emit", lambda state: [Send("hop1", {"item": item}) for item in state["items"]], ["hop1"]
    )
    return builder.compile()


def test_what_a_promised_item_sends_goes_on_too(impl: Implementation) -> None:
    @alto_lg.streaming
    async def slowly(state: State) -> AsyncIterator[dict[str, Any]]:
        for item in range(4):
            yield {"items": [item]}
            await asyncio.sleep(3)

    outcome = run(lambda: impl(_chain(slowly)).ainvoke({}))
    assert outcome.result["results"] == [f"item {item}" for item in range(4)]
    assert outcome.elapsed_s == pytest.approx(14.0 if impl is plain_langgraph else 12.0)


def test_what_the_official_routing_does_not_send_is_dropped() -> None:
    """The router sends the last three only, so that early promises do not hold."""

    def last_three(state: State) -> list[Send]:
        return [Send("work", {"item": item}) for item in state["items"][-3:]]

    plain = run(lambda: graph(ten, last_three).ainvoke({}))
    app = alto_lg.accelerate(graph(ten, last_three))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result == plain.result
    statistics = _statistics(app)
    assert statistics.dropped == statistics.early_starts - 3 > 0
    (why,) = statistics.dropped_why
    assert why == "request ▸ emit did not give out what it promised"


def test_a_router_that_needs_the_whole_of_it_is_asked_again_at_the_end(impl: Implementation) -> None:
    def complete(state: State) -> list[Send]:
        if len(state["items"]) < 10:
            raise ValueError("not complete")
        return fan_out(state)

    app = impl(graph(ten, complete))
    outcome = run(lambda: app.ainvoke({}))
    assert len(outcome.result["results"]) == 10
    if impl is not plain_langgraph:
        assert _statistics(app).unpromised == 9


def test_a_sync_generator_streams_on_the_event_loop_and_on_threads(impl: Implementation) -> None:
    @alto_lg.streaming
    def emit(state: State) -> Iterator[dict[str, Any]]:
        yield {"items": [1]}
        yield {"items": [2]}

    def target(packet: dict[str, int]) -> dict[str, Any]:
        return {"results": [str(packet["item"])]}

    app = impl(graph(emit, target=target))
    expected = {"items": [1, 2], "results": ["1", "2"]}
    assert asyncio.run(app.ainvoke({})) == expected
    assert app.invoke({}) == expected
    if impl is not plain_langgraph:
        assert _statistics(app).early_starts == 2, "on a thread the node waits while its conditional edge runs"


def test_a_failure_in_the_middle_is_langgraphs_and_leaves_nothing(impl: Implementation) -> None:
    cancelled: list[int] = []

    @alto_lg.streaming
    async def breaks(state: State) -> AsyncIterator[dict[str, Any]]:
        yield {"items": [1]}
        await asyncio.sleep(0.5)
        raise ValueError("broken off")

    @alto_lg.node(reads=[], writes=["results"])
    async def noted(packet: dict[str, int]) -> dict[str, Any]:
        try:
            return await work(packet)
        except asyncio.CancelledError:
            cancelled.append(packet["item"])
            raise

    with pytest.raises(ValueError, match="broken off"):
        run(lambda: impl(graph(breaks, target=noted)).ainvoke({}))
    assert cancelled == ([] if impl is plain_langgraph else [1])


def test_commands_are_collected(impl: Implementation) -> None:
    @alto_lg.streaming
    async def goes(state: State) -> AsyncIterator[Command[Any]]:
        for item in range(3):
            await asyncio.sleep(1)
            yield Command(update={"items": [item]}, goto=Send("work", {"item": item}))

    builder = StateGraph(State)
    builder.add_node("emit", goes, destinations=("work",))
    builder.add_node("work", work)
    builder.add_edge(START, "emit")
    outcome = run(lambda: impl(builder.compile()).ainvoke({}))
    assert outcome.result == {"items": [0, 1, 2], "results": ["work 0", "work 1", "work 2"]}


def test_a_promised_node_may_stream_in_turn(impl: Implementation) -> None:
    class Nested(TypedDict, total=False):
        letters: Annotated[list[str], operator.add]
        done: Annotated[list[str], operator.add]

    @alto_lg.streaming
    async def outer(state: Nested) -> AsyncIterator[Command[Any]]:
        for letter in "ab":
            await asyncio.sleep(1)
            yield Command(update={"letters": [letter]}, goto=Send("inner", letter))

    @alto_lg.streaming
    async def inner(letter: str) -> AsyncIterator[Command[Any]]:
        for number in range(2):
            await asyncio.sleep(1)
            yield Command(goto=Send("leaf", f"{letter}{number}"))

    async def leaf(name: str) -> dict[str, Any]:
        await asyncio.sleep(1)
        return {"done": [name]}

    builder = StateGraph(Nested)
    builder.add_node("outer", outer, destinations=("inner",))
    builder.add_node("inner", inner, destinations=("leaf",))
    builder.add_node("leaf", leaf)
    builder.add_edge(START, "outer")
    outcome = run(lambda: impl(builder.compile()).ainvoke({}))
    assert outcome.result == {"letters": ["a", "b"], "done": ["a0", "a1", "b0", "b1"]}
    assert outcome.elapsed_s == pytest.approx(5.0)


def test_explain_says_who_streams_and_who_cannot() -> None:
    app = alto_lg.accelerate(graph(ten))
    assert alto_lg.explain(app)["emit"].notes == ("streams: what its updates so far lead to starts while it goes on",)
    twice = graph(ten).builder
    twice.add_conditional_edges("emit", lambda state: [], ["work"])
    assert alto_lg.explain(alto_lg.accelerate(twice))["emit"].notes == (
        "streams to nobody: it has two conditional edges",
    )
    assert "streams to nobody" in str(alto_lg.explain(alto_lg.accelerate(twice)))


def test_a_loop_that_yields_is_not_advised_to_become_packets() -> None:
    assert alto_lg.explain(alto_lg.accelerate(graph(ten)))["emit"].advice == ()
