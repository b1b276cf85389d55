"""Readings: parts of a list mean the same on plain LangGraph and accelerated; accelerated, the reader starts sooner."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Overwrite, RetryPolicy, Send
from pydantic import BaseModel
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg


class State(TypedDict, total=False):
    items: Annotated[list[int], operator.add]
    seen: Annotated[list[Any], operator.add]


def graph(reader: Any, durations_s: tuple[float, ...] = (3, 1, 2, 6), state: Any = State, work: Any = None) -> Any:
    """Each item is written after its time; `reader` follows them all."""

    def begin(state: State) -> dict[str, Any]:
        return {}

    def spread(state: State) -> list[Send]:
        return [Send("work", {"item": item}) for item in range(len(durations_s))]

    async def write(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(durations_s[packet["item"]])
        return {"items": [packet["item"]]}

    builder = StateGraph(state)
    builder.add_node("begin", begin)
    builder.add_node("work", work or write)
    builder.add_node("reader", reader)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", spread, ["work"])
    builder.add_edge("work", "reader")
    return builder.compile()


def statistics(app: Any) -> alto_lg.RunStatistics:
    found = alto_lg.statistics(app)
    assert found is not None
    return found


def when() -> float:
    return asyncio.get_running_loop().time()


def noting(part: Any) -> tuple[Any, list[float]]:
    """A reader that notes when it began."""
    began: list[float] = []

    @alto_lg.reading(items=part)
    async def reader(state: State) -> dict[str, Any]:
        began.append(when())
        return {"seen": list(state["items"])}

    return reader, began


# ── First ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_items_are_those_of_langgraphs_order(impl: Implementation) -> None:
    reader, began = noting(alto_lg.First(2))
    app = impl(graph(reader))
    assert run(lambda: app.ainvoke({})).result["seen"] == [0, 1]
    assert began == [6.0 if impl is plain_langgraph else 3.0]


def test_items_that_fail_the_filter_do_not_count(impl: Implementation) -> None:
    reader, began = noting(alto_lg.First(1, where=lambda item: item == 2))
    app = impl(graph(reader))
    assert run(lambda: app.ainvoke({})).result["seen"] == [2]
    assert began == [6.0 if impl is plain_langgraph else 3.0]


def test_fewer_items_than_asked_for_are_all_of_them(impl: Implementation) -> None:
    reader, began = noting(alto_lg.First(7))
    assert run(lambda: impl(graph(reader)).ainvoke({})).result["seen"] == [0, 1, 2, 3]
    assert began == [6.0]


def test_items_of_the_input_come_first(impl: Implementation) -> None:
    reader, began = noting(alto_lg.First(2))
    assert run(lambda: impl(graph(reader)).ainvoke({"items": [7]})).result["seen"] == [7, 0]
    assert began == [6.0 if impl is plain_langgraph else 3.0]


def test_a_filter_that_raises_raises_in_the_node(impl: Implementation) -> None:
    reader, _ = noting(alto_lg.First(1, where=lambda item: 1 / (item - 1) > 5))
    with pytest.raises(ZeroDivisionError):
        run(lambda: impl(graph(reader)).ainvoke({}))


def test_an_overwrite_is_waited_for(impl: Implementation) -> None:
    async def write(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(packet["item"])
        return {"items": Overwrite([9]) if packet["item"] == 0 else [packet["item"]]}

    reader, _ = noting(alto_lg.First(1))
    app = impl(graph(reader, work=write))
    plain = run(lambda: graph(reader, work=write).ainvoke({})).result
    assert run(lambda: app.ainvoke({})).result == plain
    if impl is not plain_langgraph:
        assert statistics(app).dropped == 0


def test_what_is_declared_falsely_is_found_at_the_commit() -> None:
    """An Overwrite by a later sibling takes back what the reader was given."""

    async def write(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(packet["item"])
        return {"items": Overwrite([9]) if packet["item"] == 3 else [packet["item"]]}

    reader, _ = noting(alto_lg.First(1))
    app = alto_lg.accelerate(graph(reader, work=write))
    with pytest.warns(alto_lg.AltoWarning, match="differs from the committed one"):
        assert run(lambda: app.ainvoke({})).result["seen"] == [9]


def test_a_sync_api_starts_early_too(impl: Implementation) -> None:
    @alto_lg.reading(items=alto_lg.First(1))
    def reader(state: State) -> dict[str, Any]:
        return {"seen": list(state["items"])}

    def write(packet: dict[str, int]) -> dict[str, Any]:
        return {"items": [packet["item"]]}

    assert impl(graph(reader, work=write)).invoke({})["seen"] == [0]


# ── Stream ──────────────────────────────────────────────────────────────────────────────────────────────────────


def streaming(order: Any, most: int = 9) -> tuple[Any, list[tuple[Any, float, str | None]]]:
    got: list[tuple[Any, float, str | None]] = []

    @alto_lg.node(reads=["items"], writes=["seen"])  # it leaves items in `got`, which is the test's own business
    @alto_lg.reading(items=alto_lg.Stream(order))
    async def reader(state: State) -> dict[str, Any]:
        items: Any = state["items"]
        seen = []
        async for item in items:
            got.append((item, when(), items.ancestry and str(items.ancestry)))
            seen.append(item)
            if len(seen) == most:
                break
        return {"seen": sorted(seen)}

    return reader, got


def test_items_come_in_order_as_they_are_known_each_with_its_ancestry(impl: Implementation) -> None:
    reader, got = streaming("commit")
    assert run(lambda: impl(graph(reader)).ainvoke({})).result["seen"] == [0, 1, 2, 3]
    if impl is plain_langgraph:
        assert got == [(item, 6.0, None) for item in range(4)]
    else:
        times = (3.0, 3.0, 3.0, 6.0)
        assert got == [(item, times[item], f"request ▸ begin ▸ work#{item}") for item in range(4)]


def test_items_come_as_they_arrive(impl: Implementation) -> None:
    reader, got = streaming("arrival")
    assert run(lambda: impl(graph(reader)).ainvoke({})).result["seen"] == [0, 1, 2, 3]
    if impl is not plain_langgraph:
        assert [(item, time) for item, time, _ in got] == [(1, 1.0), (2, 2.0), (0, 3.0), (3, 6.0)]


def test_a_reader_that_stops_is_adopted_though_more_came(impl: Implementation) -> None:
    reader, _ = streaming("commit", most=2)
    app = impl(graph(reader))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["seen"] == [0, 1]
    if impl is not plain_langgraph:
        assert (statistics(app).early_starts, statistics(app).dropped) == (1, 0)


def test_a_reader_goes_on_over_a_commit(impl: Implementation) -> None:
    """The items come in two steps, and the reader follows the second."""

    async def first(state: State) -> dict[str, Any]:
        return {"items": [1, 2]}

    async def slow(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(5)
        return {"items": [packet["item"]]}

    async def fast(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(1)
        return {"items": [packet["item"]]}

    reader, _ = streaming("commit")
    builder = StateGraph(State)
    for name, node in (("first", first), ("slow", slow), ("fast", fast), ("reader", reader)):
        builder.add_node(name, node)
    builder.add_edge(START, "first")
    packets = [Send("slow", {"item": 3}), Send("fast", {"item": 4}), Send("fast", {"item": 5})]
    builder.add_conditional_edges("first", lambda state: packets, ["slow", "fast"])
    builder.add_edge("fast", "reader")
    outcome = run(lambda: impl(builder.compile()).ainvoke({}))
    assert outcome.result["seen"] == [1, 2, 3, 4, 5]


def test_a_failed_writer_stops_the_reader(impl: Implementation) -> None:
    stopped: list[bool] = []

    async def write(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(1 + packet["item"])
        if packet["item"] == 3:
            raise ValueError("broken off")
        return {"items": [packet["item"]]}

    @alto_lg.node(reads=["items"], writes=["seen"])
    @alto_lg.reading(items=alto_lg.Stream())
    async def reader(state: State) -> dict[str, Any]:
        try:
            async for _ in state["items"]:
                pass
        except asyncio.CancelledError:
            stopped.append(True)
            raise
        return {}

    with pytest.raises(ValueError, match="broken off"):
        run(lambda: impl(graph(reader, work=write)).ainvoke({}))
    assert stopped == ([] if impl is plain_langgraph else [True])


def test_a_reader_that_is_tried_again_gets_all_items_again(impl: Implementation) -> None:
    tries: list[list[int]] = []

    @alto_lg.reading(items=alto_lg.Stream())
    async def reader(state: State) -> dict[str, Any]:
        tries.append([])
        async for item in state["items"]:
            tries[-1].append(item)
            if len(tries) == 1 and item == 1:
                raise ConnectionError("once")
        return {"seen": tries[-1]}

    app = graph(reader)
    builder = app.builder
    builder.nodes["reader"].retry_policy = RetryPolicy(initial_interval=0.0, jitter=False)
    assert run(lambda: impl(builder.compile()).ainvoke({})).result["seen"] == [0, 1, 2, 3]
    assert [len(one) for one in tries] == [2, 4]


def test_a_limit_of_one_node_at_a_time_is_no_deadlock(impl: Implementation) -> None:
    reader, _ = streaming("commit")
    outcome = run(lambda: impl(graph(reader)).ainvoke({}, {"max_concurrency": 1}))
    assert outcome.result["seen"] == [0, 1, 2, 3]


# ── PerGroup ────────────────────────────────────────────────────────────────────────────────────────────────────


class Claims(TypedDict, total=False):
    evidence: Annotated[list[dict[str, int]], operator.add]
    verdicts: Annotated[list[str], operator.add]


def claims(judge: Any, seconds: Callable[[int, int], float]) -> Any:
    """Claim n has n + 1 queries, each taking `seconds(claim, query)`."""

    async def begin(state: Claims) -> dict[str, Any]:
        return {}

    async def claim(number: int) -> Command[Any]:
        return Command(goto=[Send("search", {"claim": number, "query": query}) for query in range(number + 1)])

    async def search(item: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(seconds(item["claim"], item["query"]))
        return {"evidence": [dict(item)]}

    builder = StateGraph(Claims)
    builder.add_node("begin", begin)
    builder.add_node("claim", claim, destinations=("search",))
    builder.add_node("search", search)
    builder.add_node("judge", judge)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", lambda state: [Send("claim", number) for number in range(3)], ["claim"])
    builder.add_edge("search", "judge")
    return builder.compile()


def test_a_group_starts_when_the_last_below_its_level_has_ended(impl: Implementation) -> None:
    began: dict[Any, float] = {}

    @alto_lg.node(reads=["evidence"], writes=["verdicts"])
    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim"))
    async def judge(state: Claims) -> dict[str, Any]:
        group: Any = state["evidence"]
        began[group.key] = when()
        await asyncio.sleep(5)
        return {"verdicts": [f"{group.key}: {[item['query'] for item in group]}"]}

    # Claim 0 ends last, claim 2 first.
    app = impl(claims(judge, lambda claim, query: 7 - 3 * claim + query / 10))
    outcome = run(lambda: app.ainvoke({}))
    assert outcome.result["verdicts"] == ["0: [0]", "1: [0, 1]", "2: [0, 1, 2]"]
    if impl is plain_langgraph:
        assert set(began.values()) == {7.0}
    else:
        assert began == {0: 7.0, 1: pytest.approx(4.1), 2: pytest.approx(1.2)}
        assert statistics(app).dropped == 0


def test_groups_without_items_are_run_in_their_place(impl: Implementation) -> None:
    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim", groups=lambda state: [5, 2, 1, 0]))
    async def judge(state: Claims) -> dict[str, Any]:
        group: Any = state["evidence"]
        return {"verdicts": [f"{group.key}: {len(group)}"]}

    outcome = run(lambda: impl(claims(judge, lambda claim, query: 1)).ainvoke({}))
    assert outcome.result["verdicts"] == ["5: 0", "2: 3", "1: 2", "0: 1"]


def test_a_level_that_is_not_one_costs_runs_and_no_answer(impl: Implementation) -> None:
    @alto_lg.reading(evidence=alto_lg.PerGroup("search", by="claim"))
    async def judge(state: Claims) -> dict[str, Any]:
        group: Any = state["evidence"]
        return {"verdicts": [f"{group.key}: {len(group)}"]}

    outcome = run(lambda: impl(claims(judge, lambda claim, query: claim + query)).ainvoke({}))
    assert outcome.result["verdicts"] == ["0: 1", "1: 2", "2: 3"]


def test_the_error_of_a_group_is_the_nodes_and_stops_the_others(impl: Implementation) -> None:
    stopped: list[Any] = []

    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim"))
    async def judge(state: Claims) -> dict[str, Any]:
        group: Any = state["evidence"]
        if group.key == 1:
            await asyncio.sleep(1)
            raise ValueError("cannot judge")
        try:
            await asyncio.sleep(50)
        except asyncio.CancelledError:
            stopped.append(group.key)
            raise
        return {}

    with pytest.raises(ValueError, match="cannot judge"):
        run(lambda: impl(claims(judge, lambda claim, query: 1)).ainvoke({}))
    assert sorted(stopped) == [0, 2]


def test_a_plain_function_is_run_group_by_group(impl: Implementation) -> None:
    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by=lambda item: item["claim"] % 2))
    def judge(state: Claims) -> dict[str, Any]:
        group: Any = state["evidence"]
        return {"verdicts": [f"{group.key}: {len(group)}"]}

    outcome = run(lambda: impl(claims(judge, lambda claim, query: 1)).ainvoke({}))
    assert outcome.result["verdicts"] == ["0: 4", "1: 2"]


# ── states, and mistakes ────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class DataState:
    items: Annotated[list[int], operator.add] = field(default_factory=list)
    seen: Annotated[list[Any], operator.add] = field(default_factory=list)


class ModelState(BaseModel):
    items: Annotated[list[int], operator.add] = []
    seen: Annotated[list[Any], operator.add] = []


@pytest.mark.parametrize("state", [DataState, ModelState])
def test_a_state_may_be_a_class(impl: Implementation, state: type) -> None:
    @alto_lg.reading(items=alto_lg.First(2))
    async def reader(state: Any) -> dict[str, Any]:
        return {"seen": list(state.items)}

    assert run(lambda: impl(graph(reader, state=state)).ainvoke({})).result["seen"] == [0, 1]


def test_a_model_gets_its_items_one_by_one_where_it_may(impl: Implementation) -> None:
    @alto_lg.reading(items=alto_lg.Stream())
    async def reader(state: Any) -> dict[str, Any]:
        return {"seen": [item async for item in state.items]}

    assert run(lambda: impl(graph(reader, state=ModelState)).ainvoke({})).result["seen"] == [0, 1, 2, 3]


def test_a_key_that_is_not_there_yet_is_left_alone(impl: Implementation) -> None:
    class Absent(TypedDict, total=False):
        plain: list[int]
        seen: Annotated[list[Any], operator.add]

    @alto_lg.reading(plain=alto_lg.First(1))
    async def reader(state: Absent) -> dict[str, Any]:
        return {"seen": ["plain" in state]}

    builder = StateGraph(Absent)
    builder.add_node("reader", reader)
    builder.add_edge(START, "reader")
    assert run(lambda: impl(builder.compile()).ainvoke({"seen": []})).result == {"seen": [False]}


def test_a_key_that_the_node_does_not_get_is_refused_by_accelerate() -> None:
    @alto_lg.reading(itmes=alto_lg.First(2))
    async def reader(state: State) -> dict[str, Any]:
        return {}

    with pytest.raises(ValueError, match=r"'reader' declares reading\(itmes=…\).*items, seen"):
        alto_lg.accelerate(graph(reader))


def test_a_level_that_is_no_node_is_refused_by_accelerate() -> None:
    @alto_lg.reading(items=alto_lg.PerGroup("works", by=abs))
    async def reader(state: State) -> dict[str, Any]:
        return {}

    with pytest.raises(ValueError, match=r"level='works'.*have begin, reader, work"):
        alto_lg.accelerate(graph(reader))


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda: alto_lg.reading(), "got none"),
        (lambda: alto_lg.reading(items=3), r"reading\(items=…\) got int"),
        (lambda: alto_lg.First(-1), "got -1"),
        (lambda: alto_lg.Stream("sooner"), "got 'sooner'"),
        (lambda: alto_lg.reading(a=alto_lg.PerGroup("n", by="x"), b=alto_lg.Stream()), "none with Stream"),
    ],
)
def test_what_cannot_be_meant_is_refused(declare: Callable[[], object], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        declare()


def test_a_generator_function_is_refused_with_the_way_out() -> None:
    with pytest.raises(TypeError, match=r"put @alto_lg\.streaming between"):

        @alto_lg.reading(items=alto_lg.First(1))
        async def reader(state: State) -> Any:
            yield {}


def test_a_reader_may_stream_in_turn(impl: Implementation) -> None:
    @alto_lg.reading(items=alto_lg.Stream())
    @alto_lg.streaming
    async def reader(state: State) -> Any:
        async for item in state["items"]:
            yield {"seen": [item]}

    app = impl(graph(reader))
    assert run(lambda: app.ainvoke({})).result["seen"] == [0, 1, 2, 3]
    if impl is not plain_langgraph:
        assert statistics(app).early_starts == 1


def test_a_node_can_be_called_outside_of_any_graph() -> None:
    @alto_lg.reading(items=alto_lg.PerGroup("work", by=lambda item: item % 2))
    def reader(state: State) -> dict[str, Any]:
        return {"seen": [sum(state["items"])]}

    assert reader({"items": [1, 2, 3]}) == {"seen": [4, 2]}


def is_even(item: int) -> bool:
    return item % 2 == 0


def test_a_spec_names_its_functions_without_their_addresses() -> None:
    assert repr(alto_lg.First(2, where=is_even)) == "First(count=2, where=is_even)"
    assert repr(alto_lg.PerGroup("work", by=is_even)) == "PerGroup(level='work', by=is_even, groups=None)"


def test_explain_says_what_is_taken_in_part_and_what_is_not() -> None:
    reader, _ = noting(alto_lg.First(2))
    node = alto_lg.explain(alto_lg.accelerate(graph(reader)))["reader"]
    assert node.notes == ("takes items in part: First(count=2, where=None)",)
    assert node.starts_early == "yes"

    @alto_lg.reading(items=alto_lg.Stream())
    def plain(state: State) -> dict[str, Any]:
        return {}

    (note,) = alto_lg.explain(alto_lg.accelerate(graph(plain)))["reader"].notes
    assert note == "waits for all of items: a plain function cannot wait for more; make it async"


def test_what_packets_lead_to_over_two_hops_comes_in_the_order_of_the_senders(impl: Implementation) -> None:
    """The first claim's passages are known while the second claim is still looked for."""

    def begin(state: State) -> dict[str, Any]:
        return {}

    async def search(claim: int) -> Command[Any]:
        await asyncio.sleep(1 + 5 * claim)
        return Command(goto=[Send("passage", 10 * claim + number) for number in range(2)])

    async def passage(number: int) -> dict[str, Any]:
        await asyncio.sleep(1)
        return {"items": [number]}

    reader, began = noting(alto_lg.First(2))
    builder = StateGraph(State)
    builder.add_node("begin", begin)
    builder.add_node("search", search)
    builder.add_node("passage", passage)
    builder.add_node("reader", reader)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", lambda state: [Send("search", claim) for claim in range(2)], ["search"])
    builder.add_edge("passage", "reader")
    app = impl(builder.compile())
    assert run(lambda: app.ainvoke({})).result["seen"] == [0, 1]
    assert began == [7.0 if impl is plain_langgraph else 2.0]


# ── values that are no lists ────────────────────────────────────────────────────────────────────────────────────


class Counted(TypedDict, total=False):
    items: Annotated[list[int], operator.add]
    number: Annotated[int, alto_lg.reducers.count]
    seen: Annotated[list[Any], operator.add]


def counting(reader: Any) -> Any:
    async def write(packet: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep((3, 1, 2, 6)[packet["item"]])
        return {"number": [packet["item"]]}

    return graph(reader, state=Counted, work=write)


def test_a_count_is_read_while_it_grows_and_ends_with_what_it_is(impl: Implementation) -> None:
    got: list[tuple[int, float]] = []

    @alto_lg.node(reads=["number"], writes=["seen"])
    @alto_lg.reading(number=alto_lg.Stream())
    async def reader(state: Counted) -> dict[str, Any]:
        last = None
        numbers: Any = state["number"]
        async for number in numbers:
            got.append((number, when()))
            last = number
        return {"seen": [last]}

    app = impl(counting(reader))
    assert run(lambda: app.ainvoke({"number": 0})).result["seen"] == [4]
    if impl is plain_langgraph:
        assert got == [(4, 6.0)]
    else:
        assert got == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 6.0)]
        assert statistics(app).dropped == 0


def test_who_stops_before_a_count_has_ended_is_run_again() -> None:
    @alto_lg.reading(number=alto_lg.Stream())
    async def reader(state: Counted) -> dict[str, Any]:
        numbers: Any = state["number"]
        async for number in numbers:
            return {"seen": [number]}
        return {}

    app = alto_lg.accelerate(counting(reader))
    with pytest.warns(alto_lg.AltoWarning, match="differs from the committed one"):
        assert run(lambda: app.ainvoke({"number": 0})).result["seen"] == [4]


def test_a_value_whose_reducer_does_not_commute_is_waited_for(impl: Implementation) -> None:
    class Woven(TypedDict, total=False):
        items: Annotated[str, lambda before, update: f"({before}{update})"]
        seen: Annotated[list[Any], operator.add]

    async def write(packet: dict[str, int]) -> dict[str, Any]:
        return {"items": str(packet["item"])}

    @alto_lg.reading(items=alto_lg.Stream())
    async def reader(state: Woven) -> dict[str, Any]:
        return {"seen": [item async for item in state["items"]]}  # type: ignore[attr-defined]

    assert run(lambda: impl(graph(reader, state=Woven, work=write)).ainvoke({})).result["seen"] == ["((((0)1)2)3)"]
