"""Life and death of early tools: cancels and closes at any point, runs beside each other, graphs inside graphs."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.messages import AnyMessage, BaseMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.prebuilt import ToolNode
from sim.loop import Schedule, run
from typing_extensions import TypedDict
from watching.scripted import ScriptedModel, call, results, said

import alto_lg
from alto_lg.adapters.langgraph.tools import RunTools
from tools.agents import AGENTS, DONE, GO, THREE, Agent, Log, Messages, by_hand, model, now, worker


def statistics(app: Any) -> alto_lg.RunStatistics:
    found = alto_lg.statistics(app)
    assert found is not None
    return found


def expected(calls: int = 3) -> list[tuple[str, str, str]]:
    return [("work", f"call_{n}", f"worked on {n}") for n in range(calls)]


@pytest.mark.parametrize("schedule", ["fifo", "shuffle"])
@pytest.mark.parametrize("seed", range(6))
def test_any_schedule_gives_the_same_messages(impl: Implementation, schedule: Schedule, seed: int) -> None:
    log = Log()
    agent = tuple(AGENTS.values())[seed % len(AGENTS)]
    app = impl(agent(model(), [worker(log)]))
    outcome = run(lambda: app.ainvoke(GO), seed=seed, schedule=schedule)
    assert results(outcome.result["messages"]) == expected()
    assert sorted(log.numbers) == [0, 1, 2]


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_a_cancel_at_any_time_leaves_nothing_behind(agent: Agent) -> None:
    """`run` raises if a task is left, or if the event loop heard of an error."""
    for at_ms in range(100, 4_000, 195):
        log = Log()
        app = alto_lg.accelerate(agent(model(), [worker(log)], checkpointer=InMemorySaver()))

        async def drive(app: Any = app, at_ms: int = at_ms) -> None:
            task = asyncio.ensure_future(app.ainvoke(GO, {"configurable": {"thread_id": "1"}}))
            await asyncio.sleep(at_ms / 1000)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run(drive)
        assert len(log.began) == len(log.ended) + len(log.cancelled), f"at {at_ms} ms"
        found = statistics(app)
        assert found.early_tools == len(log.began)
        assert found.dropped_tools >= len(log.cancelled)


@pytest.mark.parametrize("events", [1, 4, 8, 14, 18, 21])
def test_a_stream_that_is_closed_leaves_nothing_behind(impl: Implementation, events: int) -> None:
    log = Log()
    app = impl(by_hand(model(), [worker(log, 5.0)]))

    async def drive() -> None:
        stream = app.astream(GO, stream_mode="messages")
        for _ in range(events):
            await anext(stream)
        await stream.aclose()

    run(drive)
    assert len(log.began) == len(log.ended) + len(log.cancelled)


def test_a_tool_that_cleans_up_is_waited_for(impl: Implementation) -> None:
    cleaned: list[float] = []

    @tool
    @alto_lg.repeatable
    async def work(n: int) -> str:
        """Work for long."""
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            cleaned.append(now())
        return "never"

    app = impl(by_hand(model(THREE), [work]))

    async def drive() -> float:
        task = asyncio.ensure_future(app.ainvoke(GO))
        await asyncio.sleep(3.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return now()

    ended = run(drive).result
    assert cleaned == [pytest.approx(4.5)] * 3
    assert ended == pytest.approx(4.5)


class Conversing(ScriptedModel):
    """Answers by how far the conversation is, so that many runs can share it."""

    def _script(self, messages: list[BaseMessage]) -> Any:
        return self.scripts[len(messages) > 1]


def test_runs_beside_each_other_never_mix(impl: Implementation) -> None:
    """Each run's tool says which run it is; the calls are equal."""

    @tool
    @alto_lg.repeatable
    async def work(n: int) -> str:
        """Say who asks."""
        await asyncio.sleep(0.3)
        return f"{get_config()['configurable']['thread_id']} {n}"

    app = impl(by_hand(Conversing(scripts=[THREE, DONE]), [work]))

    outcome = run(lambda: _twenty(app)).result
    for number, contents in enumerate(outcome):
        assert contents == [f"run {number} {n}" for n in range(3)]


async def _twenty(app: Any) -> list[list[Any]]:
    async def one(number: int) -> list[Any]:
        await asyncio.sleep(number * 0.07)
        state = await app.ainvoke(GO, {"configurable": {"thread_id": f"run {number}"}})
        return [content for _, _, content in results(state["messages"])]

    return list(await asyncio.gather(*(one(number) for number in range(20))))


def test_results_do_not_outlive_their_run(impl: Implementation) -> None:
    """The same call in the next run is an execution of its own."""
    log = Log()
    app = impl(by_hand(model(), [worker(log)]))

    async def twice() -> list[Any]:
        return [results((await app.ainvoke(GO))["messages"]) for _ in range(2)]

    assert run(twice).result == [expected()] * 2
    assert sorted(log.numbers) == [0, 0, 1, 1, 2, 2]


def test_an_agent_inside_a_graph_has_results_of_its_own(impl: Implementation) -> None:
    log = Log()
    inner = by_hand(model(), [worker(log)])
    builder = StateGraph(Messages)
    builder.add_node("agent", inner)
    builder.add_edge(START, "agent")
    builder.add_edge("agent", END)
    app = impl(builder.compile())
    outcome = run(lambda: app.ainvoke(GO))
    assert results(outcome.result["messages"]) == expected()
    assert log.numbers == [0, 1, 2]
    if impl is not plain_langgraph:
        assert log.began[0] == (0, pytest.approx(1.0))
        assert (statistics(app).early_tools, statistics(app).dropped_tools) == (3, 0)


def test_an_agent_that_a_node_runs_is_not_heard_twice(impl: Implementation) -> None:
    """The outer graph has the same tool, and hears the model of the inner one, which has early results of its own."""
    log = Log()
    made = worker(log)
    inner = impl(by_hand(model(), [made]))

    async def agent(state: Messages) -> dict[str, list[AnyMessage]]:
        return {"messages": (await inner.ainvoke({"messages": state["messages"]}))["messages"]}

    async def direct(state: Messages) -> dict[str, list[AnyMessage]]:
        await made.ainvoke({"n": 99})
        return {"messages": []}

    builder = StateGraph(Messages)
    builder.add_node("agent", agent)
    builder.add_node("direct", direct)
    builder.add_edge(START, "agent")
    builder.add_edge("agent", "direct")
    app = impl(builder.compile())
    outcome = run(lambda: app.ainvoke(GO))
    assert results(outcome.result["messages"]) == expected()
    assert log.numbers == [0, 1, 2, 99]


@pytest.mark.parametrize("accelerated", [True, False])
def test_a_tool_of_the_graph_around_is_not_run_for_a_call_inside(impl: Implementation, accelerated: bool) -> None:
    """Both have a tool named `work`; only the outer one's is declared."""
    outside, inside = Log(), Log()
    made = worker(outside)
    inner = by_hand(model(), [worker(inside, declare=False)])
    if accelerated:
        inner = impl(inner)

    async def agent(state: Messages) -> dict[str, list[AnyMessage]]:
        return {"messages": (await inner.ainvoke({"messages": state["messages"]}))["messages"]}

    async def direct(state: Messages) -> dict[str, list[AnyMessage]]:
        await made.ainvoke({"n": 99})
        return {"messages": []}

    builder = StateGraph(Messages)
    builder.add_node("agent", agent)
    builder.add_node("direct", direct)
    builder.add_edge(START, "agent")
    builder.add_edge("agent", "direct")
    outcome = run(lambda: impl(builder.compile()).ainvoke(GO))
    assert results(outcome.result["messages"]) == expected()
    assert (inside.numbers, outside.numbers) == ([0, 1, 2], [99])


def test_many_turns_each_take_their_own(impl: Implementation) -> None:
    log = Log()
    scripts = [[*call("work", {"n": turn % 2}, turn)] for turn in range(8)]
    app = impl(by_hand(model(*scripts), [worker(log)]))
    messages = run(lambda: app.ainvoke(GO)).result["messages"]
    assert results(messages) == [("work", f"call_{turn}", f"worked on {turn % 2}") for turn in range(8)]
    assert log.numbers == [turn % 2 for turn in range(8)]


def test_more_calls_than_may_be_under_way_run_in_their_step(impl: Implementation) -> None:
    log = Log()
    script = [piece for n in range(80) for piece in call("work", {"n": n}, n, seconds=0.01)]
    app = impl(by_hand(model(script), [worker(log, 100.0)]))
    messages = run(lambda: app.ainvoke(GO)).result["messages"]
    assert results(messages) == expected(80)
    assert sorted(log.numbers) == list(range(80))
    if impl is not plain_langgraph:
        assert statistics(app).early_tools == 64


def test_a_run_that_keeps_its_steps_apart_starts_nothing(impl: Implementation) -> None:
    log = Log()
    app = impl(by_hand(model(), [worker(log)], checkpointer=InMemorySaver()))
    run(lambda: app.ainvoke(GO, {"configurable": {"thread_id": "1"}}, durability="sync"))
    assert log.began == [(n, pytest.approx(3.0)) for n in range(3)]


def test_threads_run_tools_while_the_model_writes(impl: Implementation) -> None:
    """On threads, and with a model that waits until the first tool has begun: without early starts it gives up."""
    began = threading.Event()

    @tool
    @alto_lg.repeatable
    def work(n: int) -> str:
        """Say that it began."""
        began.set()
        return f"worked on {n}"

    saw: list[bool] = []

    def sleep(seconds: float) -> None:
        if seconds == 20:
            saw.append(began.wait(0.01 if impl is plain_langgraph else seconds))

    chat = model([*call("work", {"n": 0}, 0), *said("", 20), *call("work", {"n": 1}, 1)], sleep=sleep)
    app = impl(by_hand(chat, [work]))
    assert results(app.invoke(GO)["messages"]) == expected(2)
    assert saw == [impl is not plain_langgraph]


def test_a_run_leaves_no_cycle_for_the_collector(impl: Implementation) -> None:
    log = Log()
    app = impl(by_hand(model(), [worker(log)]))
    run(lambda: app.ainvoke(GO))
    gc.collect()
    others = [one for one in gc.get_objects() if isinstance(one, RunTools)]  # of runs that other tests still hold
    run(lambda: app.ainvoke(GO))
    assert not [one for one in gc.get_objects() if isinstance(one, RunTools) and one not in others]


def test_the_same_tool_by_two_objects_never_starts_early(impl: Implementation) -> None:
    log = Log()

    def other() -> BaseTool:
        @tool
        @alto_lg.repeatable
        async def work(n: int) -> str:
            """Another of the same name."""
            return f"worked on {n}"

        return work

    unrelated = other()

    async def before(state: Messages) -> dict[str, Any]:
        await unrelated.ainvoke({"n": 1})
        return {}

    graph = by_hand(model(), [worker(log)])
    graph.builder.add_node("before", before)
    graph.builder.add_edge(START, "before")
    app = impl(graph.builder.compile())
    assert results(run(lambda: app.ainvoke(GO)).result["messages"])[:3] == expected()
    if impl is not plain_langgraph:
        (verdict,) = alto_lg.explain(app).tools
        assert verdict.why_not == "the graph has 2 tools of this name"
        assert statistics(app).early_tools == 0


def test_a_sync_node_of_an_async_run_starts_them_from_its_thread(impl: Implementation) -> None:
    """The model waits on a thread, and the tool is a coroutine of the event loop."""
    began = threading.Event()
    saw: list[bool] = []

    @tool
    @alto_lg.repeatable
    async def work(n: int) -> str:
        """Say that it began."""
        began.set()
        await asyncio.sleep(0)
        return f"worked on {n}"

    def sleep(seconds: float) -> None:
        if seconds == 20:
            saw.append(began.wait(0.01 if impl is plain_langgraph else seconds))

    chat = model([*call("work", {"n": 0}, 0), *said("", 20), *call("work", {"n": 1}, 1)], sleep=sleep)
    bound = chat.bind_tools([work])

    def ask(state: Messages) -> dict[str, list[AnyMessage]]:
        return {"messages": [bound.invoke(state["messages"])]}

    graph = by_hand(chat, [work])
    graph.builder.nodes["ask"].runnable = RunnableLambda(ask)
    app = impl(graph.builder.compile())
    state = asyncio.run(app.ainvoke(GO))
    assert results(state["messages"]) == expected(2)
    assert saw == [impl is not plain_langgraph]
    if impl is not plain_langgraph:
        assert (statistics(app).early_tools, statistics(app).dropped_tools) == (2, 0)


def test_tools_in_parallel_branches_each_take_their_own(impl: Implementation) -> None:
    """Two agents of one run call the same tool with the same arguments, under the same ids, and at the same time."""
    log = Log()
    made = worker(log)

    class Branches(TypedDict):
        left: Annotated[list[AnyMessage], add_messages]
        right: Annotated[list[AnyMessage], add_messages]

    builder = StateGraph(Branches)
    for side in ("left", "right"):
        chat = model()

        async def ask(state: Any, side: str = side, chat: ScriptedModel = chat) -> Any:
            return {side: [await chat.ainvoke([*GO["messages"], *state[side]])]}

        builder.add_node(f"ask_{side}", ask)
        builder.add_node(f"tools_{side}", ToolNode([made], messages_key=side))
        builder.add_edge(START, f"ask_{side}")
        builder.add_edge(f"ask_{side}", f"tools_{side}")
    app = impl(builder.compile())
    outcome = run(lambda: app.ainvoke({"left": [], "right": []}))
    for side in ("left", "right"):
        assert results(outcome.result[side]) == expected()
    assert sorted(log.numbers) == [0, 0, 1, 1, 2, 2]
    if impl is not plain_langgraph:
        assert (statistics(app).early_tools, statistics(app).dropped_tools) == (6, 0)
