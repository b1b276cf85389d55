"""Batched nodes in graphs: on plain LangGraph and accelerated, with the same assertions."""

from __future__ import annotations

import asyncio
import operator
import threading
from contextvars import ContextVar
from typing import Annotated, Any, Literal

import pytest
from dropin.watch import Implementation, plain_langgraph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, Send
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg

USER: ContextVar[str] = ContextVar("USER", default="nobody")


class State(TypedDict, total=False):
    items: list[int]
    results: Annotated[list[str], operator.add]
    done: int


class Item(TypedDict):
    item: int


class Work:
    """Batched functions of both colours that write down their calls."""

    def __init__(self, colour: Literal["async", "plain"], **limits: Any) -> None:
        self.calls: list[list[int]] = []
        self.cancelled = 0
        chosen = self.awaited if colour == "async" else self.called
        self.node = alto_lg.batched(**{"max_size": 100, **limits})(chosen)

    async def awaited(self, items: list[Item]) -> list[dict[str, Any]]:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.called(items)

    def called(self, items: list[Item]) -> list[dict[str, Any]]:
        self.calls.append([item["item"] for item in items])
        return [self._update(item["item"]) for item in items]

    def _update(self, item: int) -> Any:
        return ValueError("bad item") if item < 0 else {"results": [f"work {item}"]}


def each(state: State) -> list[Send]:
    return [Send("work", {"item": item}) for item in state["items"]]


def graph(node: Any, **settings: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("start", lambda state: {})
    builder.add_node("work", node, **settings)
    builder.add_node("end", lambda state: {"done": len(state["results"])})
    builder.add_edge(START, "start")
    builder.add_conditional_edges("start", each, ["work"])
    builder.add_edge("work", "end")
    return builder.compile()


@pytest.mark.parametrize("colour", ["async", "plain"])
def test_a_fan_out_is_answered_in_order(impl: Implementation, colour: Literal["async", "plain"]) -> None:
    work = Work(colour)
    app = impl(graph(work.node))
    outcome = run(lambda: app.ainvoke({"items": list(range(20))}))
    assert outcome.result["results"] == [f"work {item}" for item in range(20)]
    assert outcome.result["done"] == 20
    if colour == "async" or impl is not plain_langgraph:  # LangGraph runs a plain node's firings in threads
        assert work.calls == [list(range(20))]


def test_a_node_with_one_input_is_an_ordinary_one(impl: Implementation) -> None:
    work = Work("async")
    outcome = run(lambda: impl(graph(work.node)).ainvoke({"items": [7]}))
    assert outcome.result == {"items": [7], "results": ["work 7"], "done": 1}
    assert (work.calls, outcome.elapsed_s) == ([[7]], 1.0)


@pytest.mark.parametrize("colour", ["async", "plain"])
def test_runs_at_once_share_calls_and_nothing_else(impl: Implementation, colour: Literal["async", "plain"]) -> None:
    work = Work(colour)
    app = impl(graph(work.node))

    async def main() -> list[Any]:
        return await asyncio.gather(*(app.ainvoke({"items": [run, run + 100]}) for run in range(5)))

    for number, result in enumerate(run(main).result):
        assert result["results"] == [f"work {number}", f"work {number + 100}"]
    assert sum(map(len, work.calls)) == 10
    if colour == "async":
        assert len(work.calls) <= 2


def test_two_graphs_may_share_a_batched_function(impl: Implementation) -> None:
    work = Work("async")
    apps = [impl(graph(work.node)), impl(graph(work.node))]

    async def main() -> list[Any]:
        return await asyncio.gather(*(app.ainvoke({"items": [1]}) for app in apps))

    assert [result["results"] for result in run(main).result] == [["work 1"], ["work 1"]]
    assert work.calls == [[1, 1]]


@pytest.mark.parametrize("colour", ["async", "plain"])
def test_a_bad_item_fails_its_own_run_alone(impl: Implementation, colour: Literal["async", "plain"]) -> None:
    work = Work(colour)
    app = impl(graph(work.node))

    async def main() -> list[Any]:
        runs = (app.ainvoke({"items": items}) for items in ([1, 2], [3, -1], [5]))
        return await asyncio.gather(*runs, return_exceptions=True)

    one, bad, other = run(main).result
    assert one["results"] == ["work 1", "work 2"]
    assert other["results"] == ["work 5"]
    assert repr(bad) == "ValueError('bad item')"


def test_a_retry_takes_the_failed_item_alone(impl: Implementation) -> None:
    calls: list[list[int]] = []

    @alto_lg.batched(max_size=8)
    async def flaky(items: list[Item]) -> list[Any]:
        calls.append([item["item"] for item in items])
        failing = 2 if len(calls) == 1 else None
        return [
            ConnectionError("once") if item["item"] == failing else {"results": [f"work {item['item']}"]}
            for item in items
        ]

    retry = RetryPolicy(initial_interval=0.1, jitter=False, retry_on=ConnectionError)
    app = impl(graph(flaky, retry_policy=retry))
    assert run(lambda: app.ainvoke({"items": [1, 2, 3]})).result["results"] == ["work 1", "work 2", "work 3"]
    assert calls == [[1, 2, 3], [2]]


@pytest.mark.parametrize("colour", ["async", "plain"])
def test_a_wrong_length_names_the_node(impl: Implementation, colour: str) -> None:
    def short(items: list[Item]) -> list[Any]:
        return []

    async def ashort(items: list[Item]) -> list[Any]:
        return short(items)

    node = alto_lg.batched(max_size=8)(ashort if colour == "async" else short)
    app = impl(graph(node))
    with pytest.raises(alto_lg.BatchMismatch) as raised:
        app.invoke({"items": [1, 2, 3]}) if colour == "plain" else run(lambda: app.ainvoke({"items": [1, 2, 3]}))
    assert str(raised.value).startswith(f"Node 'work': {node.__name__}() got ")
    assert raised.value.node == "work"


def test_cancel_of_one_run_does_not_disturb_the_others(impl: Implementation) -> None:
    work = Work("async")
    app = impl(graph(work.node))

    async def main() -> Any:
        runs = [asyncio.create_task(app.ainvoke({"items": [number, number + 100]})) for number in range(3)]
        await asyncio.sleep(0.5)
        runs[1].cancel()
        return await asyncio.gather(*runs, return_exceptions=True)

    outcome = run(main)
    first, cancelled, last = outcome.result
    assert first["results"] == ["work 0", "work 100"]
    assert isinstance(cancelled, asyncio.CancelledError)
    assert last["results"] == ["work 2", "work 102"]
    assert work.cancelled == 0


def test_when_all_runs_are_cancelled_the_call_is_too(impl: Implementation) -> None:
    """`run` raises `Leak` for a task that is left."""
    work = Work("async")
    app = impl(graph(work.node))

    async def main() -> Any:
        runs = [asyncio.create_task(app.ainvoke({"items": [number]})) for number in range(3)]
        await asyncio.sleep(0.5)
        for one in runs:
            one.cancel()
        return await asyncio.gather(*runs, return_exceptions=True)

    outcome = run(main)
    assert [type(found) for found in outcome.result] == [asyncio.CancelledError] * 3
    assert work.cancelled == 1
    assert work.calls == []


@pytest.mark.parametrize("colour", ["async", "plain"])
def test_a_run_may_be_cancelled_at_any_turn_of_the_loop(
    impl: Implementation, colour: Literal["async", "plain"]
) -> None:
    """The run beside it gets its answer, and nothing is left: `run` raises `Leak`."""
    work = Work(colour, max_size=3)
    app = impl(graph(work.node))

    async def main(turns: int) -> Any:
        runs = [asyncio.create_task(app.ainvoke({"items": [number, number + 10, number + 20]})) for number in range(2)]
        for _ in range(turns):
            await asyncio.sleep(0)
        runs[0].cancel()
        return await asyncio.gather(*runs, return_exceptions=True)

    for turns in range(60):
        _, other = run(lambda turns=turns: main(turns), seed=turns, schedule="shuffle").result  # type: ignore[misc]
        assert other["results"] == ["work 1", "work 11", "work 21"]


@pytest.mark.parametrize("seed", range(8))
def test_a_failing_sibling_takes_its_own_runs_items_with_it(impl: Implementation, seed: int) -> None:
    work = Work("async")

    async def fail(state: State) -> None:
        await asyncio.sleep(0.5)
        if state["items"] == [1, 2]:
            raise RuntimeError("sibling")

    builder = StateGraph(State)
    builder.add_node("work", work.node, input_schema=Item)
    builder.add_node("fail", fail)
    builder.add_edge(START, "fail")
    builder.add_conditional_edges(START, each, ["work"])
    app = impl(builder.compile())

    async def main() -> Any:
        runs = (app.ainvoke({"items": items}) for items in ([1, 2], [3, 4]))
        return await asyncio.gather(*runs, return_exceptions=True)

    failed, result = run(main, seed=seed, schedule="shuffle").result
    assert repr(failed) == "RuntimeError('sibling')"
    assert result["results"] == ["work 3", "work 4"]


def test_no_run_meets_the_context_of_another(impl: Implementation) -> None:
    seen: list[str] = []

    @alto_lg.batched(max_size=8)
    async def who(items: list[Item]) -> list[Any]:
        seen.append(USER.get())
        with pytest.raises(RuntimeError):
            alto_lg.context.get_config()
        assert alto_lg.current_ancestry() is None
        return [{"results": [f"work {item['item']}"]} for item in items]

    app = impl(graph(who))

    async def as_user(number: int) -> Any:
        USER.set(f"user {number}")
        return await app.ainvoke({"items": [number]})

    async def main() -> Any:
        return await asyncio.gather(*(asyncio.create_task(as_user(number)) for number in range(3)))

    assert [result["results"] for result in run(main).result] == [[f"work {number}"] for number in range(3)]
    assert set(seen) == {"nobody"}


def test_items_in_threads_share_calls(impl: Implementation) -> None:
    """The first call ends when all others of the fan-out wait, as LangGraph's four threads let them."""
    calls: list[int] = []
    others = threading.Semaphore(0)

    @alto_lg.batched(max_size=100)
    def work(items: list[Item]) -> list[Any]:
        calls.append(len(items))
        if len(calls) == 1:
            for _ in range(3):
                assert others.acquire(timeout=30)
        return [{"results": [f"work {item['item']}"]} for item in items]

    def told(item: Item) -> Any:
        others.release()
        return work(item)

    app = impl(graph(told))
    assert app.invoke({"items": [1, 2, 3, 4]})["results"] == [f"work {item}" for item in (1, 2, 3, 4)]
    assert sum(calls) == 4


def test_its_firings_are_saved_and_resumed_one_by_one(impl: Implementation) -> None:
    """What has been answered is not asked again."""
    work = Work("async")
    builder = StateGraph(State)
    builder.add_node("work", work.node, input_schema=Item)
    builder.add_conditional_edges(START, each, ["work"])
    app = impl(builder.compile(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "1"}}

    async def main() -> Any:
        with pytest.raises(ValueError, match="bad item"):
            await app.ainvoke({"items": [1, -1, 2]}, config)
        work._update = lambda item: {"results": [f"again {item}"]}  # type: ignore[method-assign]
        return await app.ainvoke(None, config)

    result = run(main).result
    assert result["results"] == ["work 1", "again -1", "work 2"]
    assert work.calls == [[1, -1, 2], [-1]]


def test_what_follows_a_batched_node_starts_early() -> None:
    """Its reads and writes are proven, so a slow sibling holds up nobody."""

    async def slow(state: State) -> None:
        await asyncio.sleep(5)

    ended: list[tuple[float, int]] = []

    @alto_lg.batched(max_size=8)
    async def first(states: list[State]) -> list[dict[str, Any]]:
        await asyncio.sleep(1)
        return [{"done": len(state["items"])} for state in states]

    async def second(state: State) -> None:
        ended.append((asyncio.get_running_loop().time(), state["done"]))

    builder = StateGraph(State)
    builder.add_node("slow", slow)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_edge(START, "slow")
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    app = alto_lg.accelerate(builder.compile())
    run(lambda: app.ainvoke({"items": [1, 2]}))
    assert ended == [(1.0, 2)]


def test_each_item_of_a_fan_out_goes_on_with_those_that_are_ready() -> None:
    """Hop after hop: early firings of one run form batches as the items come."""
    calls: list[tuple[float, list[int]]] = []

    async def prepare(item: Item) -> Command[Literal["work"]]:
        await asyncio.sleep(item["item"])
        return Command(goto=Send("work", {"item": item["item"]}))

    @alto_lg.batched(max_size=8)
    async def work(items: list[Item]) -> list[dict[str, Any]]:
        calls.append((asyncio.get_running_loop().time(), [item["item"] for item in items]))
        await asyncio.sleep(0.5)
        return [{"results": [f"work {item['item']}"]} for item in items]

    builder = StateGraph(State)
    builder.add_node("prepare", prepare, input_schema=Item)
    builder.add_node("work", work, input_schema=Item)
    builder.add_conditional_edges(
        START, lambda state: [Send("prepare", {"item": item}) for item in state["items"]], ["prepare"]
    )
    builder.add_edge("work", END)
    app = alto_lg.accelerate(builder.compile())
    outcome = run(lambda: app.ainvoke({"items": [2, 1, 1, 3]}))
    assert outcome.result["results"] == ["work 2", "work 1", "work 1", "work 3"]
    assert calls == [(1.0, [1, 1]), (2.0, [2]), (3.0, [3])]
    assert outcome.elapsed_s == 3.5


def test_reading_may_stand_above_it(impl: Implementation) -> None:
    """Each group is an input of its own, and they share a call."""
    sizes: list[int] = []

    @alto_lg.reading(results=alto_lg.First(2))
    @alto_lg.batched(max_size=8)
    async def first_two(states: list[State]) -> list[dict[str, Any]]:
        sizes.append(len(states))
        return [{"done": len(state["results"])} for state in states]

    builder = StateGraph(State)
    builder.add_node(first_two)
    builder.add_edge(START, "first_two")
    app = impl(builder.compile())

    async def main() -> list[Any]:
        return await asyncio.gather(*(app.ainvoke({"results": ["a", "b", "c"]}) for _ in range(3)))

    assert [result["done"] for result in run(main).result] == [2, 2, 2]
    assert sizes == [3]


@pytest.mark.parametrize(
    ("colour", "limits", "said"),
    [
        (
            "async",
            {},
            "batched: one call takes up to 100 inputs, of all runs; while one is under way, an input waits at most 10 "
            "ms for others",
        ),
        (
            "plain",
            {"max_size": 8},
            "batched: one call takes up to 8 inputs, of all runs; the next call begins when the one before it has "
            "ended",
        ),
        (
            "plain",
            {"max_calls": 3, "max_wait_ms": 2.5},
            "batched: one call takes up to 100 inputs, of all runs; while one is under way, an input waits at most 2.5 "
            "ms for others, and for one of 3 calls at a time",
        ),
    ],
)
def test_explain_says_the_limits(colour: Literal["async", "plain"], limits: dict[str, Any], said: str) -> None:
    app = alto_lg.accelerate(graph(Work(colour, **limits).node))
    assert alto_lg.explain(app)["work"].notes == (said,)


def test_what_is_written_is_what_one_output_writes() -> None:
    app = alto_lg.accelerate(graph(_analysed))
    found = alto_lg.explain(app)["work"]
    assert (found.reads, found.writes) == (("item",), ("results",))


@alto_lg.batched(max_size=8)
def _analysed(items: list[Item]) -> list[dict[str, Any]]:
    return [{"results": [f"work {item['item']}"]} for item in items]
