"""Promised parts: a reader behind a streaming node begins while that one writes, and is run again if it was misled."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from dropin.watch import Implementation, plain_langgraph
from langgraph.graph import START, StateGraph
from langgraph.types import Overwrite, Send
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg


class State(TypedDict, total=False):
    wanted: list[int]
    items: Annotated[list[int], operator.add]
    seen: Annotated[list[Any], operator.add]
    last: int


class Twice(State, total=False):
    doubled: Annotated[list[int], operator.add]


def when() -> float:
    return asyncio.get_running_loop().time()


class Reader:
    """Follows the items, and notes when it got each; a list for each of its runs."""

    def __init__(self, part: Any = None, rest_s: float = 0) -> None:
        self.got: list[list[tuple[int, float]]] = []
        self.rest_s = rest_s
        # It leaves items in `got`, which is the test's own business.
        declared = alto_lg.node(reads=["items"], writes=["seen", "last"])
        self.node = declared(alto_lg.reading(items=part or alto_lg.Stream())(self._run))

    async def _run(self, state: State) -> dict[str, Any]:
        mine: list[tuple[int, float]] = []
        self.got.append(mine)
        items: Any = state["items"]
        if isinstance(items, list):
            mine += [(item, when()) for item in items]
        else:
            async for item in items:
                mine.append((item, when()))
        await asyncio.sleep(self.rest_s)
        return {"seen": [item for item, _ in mine], "last": len(mine)}


@alto_lg.node(reads=[], writes=["wanted"])
@alto_lg.streaming
async def plan(state: State) -> AsyncIterator[dict[str, Any]]:
    """An item a second, the last of them after ten."""
    for number in range(4):
        await asyncio.sleep(1 if number < 3 else 7)
        yield {"wanted": list(range(number + 1))}


def packets(state: State) -> list[Send]:
    return [Send("work", {"item": item}) for item in state["wanted"]]


async def work(packet: dict[str, int]) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"items": [packet["item"]]}


async def after(state: State) -> dict[str, Any]:
    return {"seen": [f"of {state['last']}"]}


def fanned_out(reader: Any, sender: Any = plan, worker: Any = work, last: Any = after) -> Any:
    """plan, which streams, sends to work; the reader takes what work writes."""
    builder = StateGraph(State)
    for name, node in (("plan", sender), ("work", worker), ("reader", reader), ("after", last)):
        builder.add_node(name, node)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", packets, ["work"])
    builder.add_edge("work", "reader")
    builder.add_edge("reader", "after")
    return builder.compile()


def straight(writer: Any, reader: Any) -> Any:
    """The reader takes what the node before it writes."""
    builder = StateGraph(State)
    for name, node in (("writer", writer), ("reader", reader), ("after", after)):
        builder.add_node(name, node)
    builder.add_edge(START, "writer")
    builder.add_edge("writer", "reader")
    builder.add_edge("reader", "after")
    return builder.compile()


def dropped(app: Any) -> int:
    found = alto_lg.statistics(app)
    assert found is not None
    return found.dropped


def test_what_promised_firings_write_is_read_while_their_sender_still_streams(impl: Implementation) -> None:
    reader = Reader()
    app = impl(fanned_out(reader.node))
    assert run(lambda: app.ainvoke({})).result["seen"] == [0, 1, 2, 3, "of 4"]
    (got,) = reader.got
    if impl is plain_langgraph:
        assert [at for _, at in got] == [11.0] * 4
    else:
        assert got == [(0, 2.0), (1, 3.0), (2, 4.0), (3, 11.0)]
        assert dropped(app) == 0


def test_the_first_items_may_all_be_promised(impl: Implementation) -> None:
    reader = Reader(alto_lg.First(2), rest_s=3)
    app = impl(fanned_out(reader.node))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["seen"] == [0, 1, "of 2"]
    (got,) = reader.got
    assert {at for _, at in got} == {11.0 if impl is plain_langgraph else 3.0}
    if impl is not plain_langgraph:
        assert dropped(app) == 0


def test_a_streaming_nodes_list_is_read_while_it_is_written(impl: Implementation) -> None:
    @alto_lg.node(reads=[], writes=["items"])
    @alto_lg.streaming
    async def writer(state: State) -> AsyncIterator[dict[str, Any]]:
        for item in range(3):
            await asyncio.sleep(2)
            yield {"items": [item]}

    reader = Reader()
    app = impl(straight(writer, reader.node))
    assert run(lambda: app.ainvoke({"items": [9]})).result["seen"] == [9, 0, 1, 2, "of 4"]
    (got,) = reader.got
    if impl is plain_langgraph:
        assert [at for _, at in got] == [6.0] * 4
    else:
        assert got == [(9, 0.0), (0, 2.0), (1, 4.0), (2, 6.0)]
        assert dropped(app) == 0


def test_the_first_items_of_a_list_that_is_being_written_will_do(impl: Implementation) -> None:
    @alto_lg.node(reads=[], writes=["items"])
    @alto_lg.streaming
    async def writer(state: State) -> AsyncIterator[dict[str, Any]]:
        for item in range(3):
            await asyncio.sleep(2)
            yield {"items": [item]}

    reader = Reader(alto_lg.First(2), rest_s=2)
    app = impl(straight(writer, reader.node))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["seen"] == [0, 1, "of 2"]
    assert outcome.elapsed_s == (8.0 if impl is plain_langgraph else 6.0)


def test_a_reader_is_run_again_when_the_writer_ends_with_something_else(impl: Implementation) -> None:
    @alto_lg.node(reads=[], writes=["items"])
    @alto_lg.streaming
    async def writer(state: State) -> AsyncIterator[dict[str, Any]]:
        for update in ([1], [2], Overwrite([3])):
            await asyncio.sleep(1)
            yield {"items": update}

    reader = Reader()
    app = impl(straight(writer, reader.node))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["seen"] == [3, "of 1"]
    assert reader.got[-1] == [(3, 3.0)]
    if impl is not plain_langgraph:
        assert [item for item, _ in reader.got[0]] == [1, 2]
        assert dropped(app) == 1


def test_of_a_list_that_somebody_has_replaced_no_part_is_given(impl: Implementation) -> None:
    async def replace(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(packet["item"])
        return {"items": Overwrite([packet["item"]]) if packet["item"] == 1 else [packet["item"]]}

    @alto_lg.node(reads=[], writes=["wanted"])
    async def at_once(state: State) -> dict[str, Any]:
        await asyncio.sleep(5)
        return {"wanted": [3, 1, 8]}

    reader = Reader(alto_lg.First(1))
    app = impl(fanned_out(reader.node, at_once, replace))
    assert run(lambda: app.ainvoke({"items": []})).result["items"] == [1]
    assert reader.got == [[(1, 13.0)]]
    if impl is not plain_langgraph:
        assert dropped(app) == 0


def test_a_reader_is_run_again_when_a_promise_that_it_relied_on_is_broken(impl: Implementation) -> None:
    @alto_lg.node(reads=[], writes=["wanted"])
    @alto_lg.streaming
    async def wavering(state: State) -> AsyncIterator[dict[str, Any]]:
        for wanted in ([5], [5, 6], [7, 6]):
            await asyncio.sleep(3)
            yield {"wanted": wanted}

    reader = Reader()
    app = impl(fanned_out(reader.node, wavering))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["seen"] == [7, 6, "of 2"]
    assert [item for item, _ in reader.got[-1]] == [7, 6]
    if impl is not plain_langgraph:
        assert reader.got[0] == [(5, 4.0), (6, 7.0)]
        assert dropped(app) == 2  # what was promised, and the reader


def test_a_reader_that_a_broken_promise_would_have_triggered_does_not_run(impl: Implementation) -> None:
    @alto_lg.node(reads=[], writes=["wanted"])
    @alto_lg.streaming
    async def wavering(state: State) -> AsyncIterator[dict[str, Any]]:
        for wanted in ([5], []):
            await asyncio.sleep(3)
            yield {"wanted": wanted}

    reader = Reader()
    app = impl(fanned_out(reader.node, wavering))
    assert run(lambda: app.ainvoke({})).result == {"items": [], "seen": [], "wanted": []}
    if impl is not plain_langgraph:
        assert reader.got == [[(5, 4.0)]]


def test_a_reader_streams_in_turn_what_it_makes_of_promised_items(impl: Implementation) -> None:
    @alto_lg.node(reads=["items"], writes=["last"])
    @alto_lg.reading(items=alto_lg.Stream())
    @alto_lg.streaming
    async def pass_on(state: Any) -> AsyncIterator[dict[str, Any]]:
        count = 0
        async for _ in state["items"]:
            count += 1
            yield {"last": count}

    async def double(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(1)
        return {"doubled": [2 * packet["item"]]}

    got: list[tuple[int, float]] = []

    @alto_lg.node(reads=["doubled"], writes=["seen"])
    @alto_lg.reading(doubled=alto_lg.Stream())
    async def end(state: Twice) -> dict[str, Any]:
        doubled: Any = state["doubled"]
        async for item in doubled:
            got.append((item, when()))
        return {"seen": [item for item, _ in got]}

    def each(state: Twice) -> Sequence[Send]:
        return [Send("double", {"item": item}) for item in range(state["last"])]

    builder = StateGraph(Twice)
    for name, node in (("plan", plan), ("work", work), ("pass_on", pass_on), ("double", double), ("end", end)):
        builder.add_node(name, node)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", packets, ["work"])
    builder.add_edge("work", "pass_on")
    builder.add_conditional_edges("pass_on", each, ["double"])
    builder.add_edge("double", "end")
    app = impl(builder.compile())
    assert run(lambda: app.ainvoke({})).result["seen"] == [0, 2, 4, 6]
    if impl is not plain_langgraph:
        assert got == [(0, 3.0), (2, 4.0), (4, 5.0), (6, 12.0)]
        assert dropped(app) == 0


def test_what_a_reader_leads_to_waits_until_it_cannot_be_misled() -> None:
    """It ends at 6.0, and what it relies on is final at 10.0: only then is it known what follows it."""
    began: list[float] = []

    @alto_lg.node(reads=[], writes=["wanted"])
    @alto_lg.streaming
    async def lingering(state: State) -> AsyncIterator[dict[str, Any]]:
        for wanted in ([0], [0, 1]):
            await asyncio.sleep(1)
            yield {"wanted": wanted}
        await asyncio.sleep(8)

    @alto_lg.node(reads=["last"], writes=[])
    async def noting(state: State) -> dict[str, Any]:
        began.append(when())
        return {}

    app = alto_lg.accelerate(fanned_out(Reader(alto_lg.First(2), rest_s=3).node, lingering, last=noting))
    run(lambda: app.ainvoke({}))
    assert began == [10.0]


def test_what_follows_a_reader_does_not_wait_for_writers_that_lead_to_that_reader_only(impl: Implementation) -> None:
    began: list[float] = []

    @alto_lg.node(reads=["last"], writes=[])
    async def noting(state: State) -> dict[str, Any]:
        began.append(when())
        return {}

    @alto_lg.node(reads=[], writes=["wanted"])
    async def at_once(state: State) -> dict[str, Any]:
        return {"wanted": [1, 1, 20]}

    async def slow(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(packet["item"])
        return {"items": [packet["item"]]}

    app = impl(fanned_out(Reader(alto_lg.First(2), rest_s=3).node, at_once, slow, noting))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["seen"] == [1, 1]
    assert began == [23.0 if impl is plain_langgraph else 4.0]


def test_with_one_node_at_a_time_there_is_no_deadlock(impl: Implementation) -> None:
    reader = Reader()
    outcome = run(lambda: impl(fanned_out(reader.node)).ainvoke({}, {"max_concurrency": 1}))
    assert outcome.result["seen"] == [0, 1, 2, 3, "of 4"]
