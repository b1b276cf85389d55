"""What a trace says of a run, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dropin.watch import Implementation
from langchain_core.language_models import FakeListChatModel
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from sim.loop import run

import alto_lg
from alto_lg.tracing.tasks import with_ancestry_of
from tracing.graphs import State, fan


def _traced(app: Any, given: Any = None) -> alto_lg.Trace:
    """One run on virtual time."""

    async def body() -> alto_lg.Trace:
        with alto_lg.trace("run", clock=asyncio.get_running_loop().time) as traced:
            await app.ainvoke({"seen": []} if given is None else given)
        return traced

    return run(body).result


def _times(traced: alto_lg.Trace, name: str) -> list[tuple[float, float]]:
    return [(round(task.started_s, 3), round(task.ended_s, 3)) for task in traced.tasks if task.name == name]


def test_a_trace_has_every_task_once(impl: Implementation) -> None:
    tasks = _traced(impl(fan())).tasks
    assert sorted((task.name, task.step) for task in tasks) == [
        ("ask", 1),
        ("deep", 1),
        ("find", 2),
        ("find", 2),
        ("find", 2),
        ("inner", 4),
        ("slow", 1),
        ("tell", 3),
    ]
    assert {task.ending for task in tasks} == {"done"}


def test_what_runs_in_a_subgraph_says_in_which(impl: Implementation) -> None:
    (deep,) = [task for task in _traced(impl(fan())).tasks if task.name == "deep"]
    assert (deep.within, deep.node) == (("inner",), "deep")


def test_plain_langgraph_starts_a_step_when_the_one_before_has_ended() -> None:
    traced = _traced(fan())
    assert _times(traced, "find") == [(1.0, 1.2)] * 3
    assert not any(task.early for task in traced.tasks)
    waited = {task.waited_for for task in traced.tasks if task.name == "find"}
    assert waited == {"the end of step 1, in which 'slow' was the last"}


def test_an_accelerated_graph_starts_before_that_and_the_trace_says_so() -> None:
    traced = _traced(alto_lg.accelerate(fan()))
    assert _times(traced, "find") == [(0.1, 0.3)] * 3
    early = {task.name for task in traced.tasks if task.early}
    assert early == {"find", "tell"}
    assert {task.waited_for for task in traced.tasks if task.name == "find"} == {"its sender, request ▸ ask"}


def test_the_trace_says_whom_the_engine_waited_for() -> None:
    builder = StateGraph(State)
    for name, took_s in {"quick": 0.1, "slow": 1.0, "slower": 2.0, "reader": 0.1}.items():
        builder.add_node(name, _reader if name == "reader" else _sleeper(name, took_s))
    builder.add_edge(START, "quick")
    builder.add_edge(START, "slower")
    builder.add_edge("quick", "reader")
    app = alto_lg.accelerate(builder.add_edge(START, "slow").compile())
    (reader,) = [task for task in _traced(app).tasks if task.name == "reader"]
    assert reader.waited_for is not None
    assert "'slower' of step 1 may still write what it reads" in reader.waited_for


def _sleeper(name: str, took_s: float) -> Callable[[State], Any]:
    async def node(state: State) -> dict[str, Any]:
        await asyncio.sleep(took_s)
        return {"seen": [name]}

    return node


async def _reader(state: State) -> dict[str, Any]:
    return {"seen": [f"read {len(state['seen'])}"]}


def test_plain_tasks_are_given_the_ancestry_of_the_same_tasks_of_an_accelerated_run() -> None:
    plain, accelerated = _traced(fan()).tasks, _traced(alto_lg.accelerate(fan())).tasks
    told = with_ancestry_of(plain, accelerated)
    assert {(str(task.ancestry), task.place) for task in told if task.name == "find"} == {
        (f"request ▸ ask ▸ find#{place}", place) for place in range(3)
    }


def test_a_failure_is_named_and_the_trace_of_it_is_kept(impl: Implementation) -> None:
    async def fail(state: State) -> dict[str, Any]:
        raise KeyError("secret")

    app = impl(StateGraph(State).add_node("fail", fail).add_edge(START, "fail").compile())

    async def body() -> alto_lg.Trace:
        with alto_lg.trace() as traced, pytest.raises(KeyError):
            await app.ainvoke({"seen": []})
        return traced

    (failed,) = run(body).result.tasks
    assert (failed.ending, failed.error) == ("failed", "KeyError")


def test_what_ran_ahead_of_a_failure_is_shown_as_cancelled() -> None:
    builder = StateGraph(State)
    for name, node in {"quick": _sleeper("quick", 0.1), "fail": _failing, "ahead": _sleeper("ahead", 9.0)}.items():
        builder.add_node(name, node)
    builder.add_edge(START, "quick").add_edge(START, "fail").add_edge("quick", "ahead")
    app = alto_lg.accelerate(builder.compile(), hints={"ahead": alto_lg.Hint(reads=[])})

    async def body() -> alto_lg.Trace:
        with alto_lg.trace(clock=asyncio.get_running_loop().time) as traced, pytest.raises(ValueError):
            await app.ainvoke({"seen": []})
        return traced

    ended = {task.name: (task.ending, round(task.ended_s, 3)) for task in run(body).result.tasks}
    assert ended == {"quick": ("done", 0.1), "fail": ("failed", 0.5), "ahead": ("cancelled", 0.5)}


async def _failing(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.5)
    raise ValueError("no")


def test_a_pause_is_no_failure(impl: Implementation) -> None:
    async def ask_somebody(state: State) -> dict[str, Any]:
        return {"seen": [interrupt("who?")]}

    builder = StateGraph(State).add_node("ask_somebody", ask_somebody).add_edge(START, "ask_somebody")
    app = impl(builder.compile(checkpointer=InMemorySaver()))

    async def body() -> alto_lg.Trace:
        with alto_lg.trace() as traced:
            await app.ainvoke({"seen": []}, {"configurable": {"thread_id": "1"}})
        return traced

    assert [task.ending for task in run(body).result.tasks] == ["interrupted"]


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word


def test_models_and_tools_are_shown_inside_of_their_node(impl: Implementation) -> None:
    def node(state: State) -> dict[str, Any]:
        answer = FakeListChatModel(responses=["yes"]).invoke("really?")
        return {"seen": [look_up.invoke({"word": str(answer.content)})]}

    app = impl(StateGraph(State).add_node("node", node).add_edge(START, "node").compile())
    with alto_lg.trace() as traced:
        app.invoke({"seen": []})
    kinds = [(task.kind, task.name, task.node) for task in traced.tasks]
    assert kinds == [("node", "node", "node"), ("model", "FakeListChatModel", "node"), ("tool", "look_up", "node")]


@task
def double(number: int) -> int:
    """Twice as much."""
    return 2 * number


@entrypoint()
def workflow(number: int) -> int:
    """Two calls."""
    return sum(call.result() for call in [double(number), double(number + 1)])


def test_calls_of_tasks_are_shown_inside_of_their_workflow(impl: Implementation) -> None:
    with alto_lg.trace() as traced:
        assert impl(workflow).invoke(1) == 6
    told = sorted((one.within, one.name, one.place) for one in traced.tasks)
    assert told == [((), "workflow", None), (("workflow",), "double", 0), (("workflow",), "double", 1)]


def test_nothing_is_recorded_after_the_block(impl: Implementation) -> None:
    app = impl(StateGraph(State).add_node("node", lambda state: {"seen": []}).add_edge(START, "node").compile())
    with alto_lg.trace() as traced:
        app.invoke({"seen": []})
    app.invoke({"seen": []})
    assert len(traced.tasks) == 1


def test_what_still_runs_when_the_block_ends_is_unfinished(impl: Implementation) -> None:
    app = impl(fan())

    async def body() -> alto_lg.Trace:
        with alto_lg.trace(clock=asyncio.get_running_loop().time) as traced:
            going_on = asyncio.create_task(app.ainvoke({"seen": []}))
            await asyncio.sleep(0.5)
        await going_on
        return traced

    left = {task.name: task.ended_s for task in run(body).result.tasks if task.ending == "unfinished"}
    assert left == {"slow": 0.5}


def test_two_traces_at_once_hear_their_own_graphs_only(impl: Implementation) -> None:
    async def one(label: str, name: str) -> alto_lg.Trace:
        app = impl(StateGraph(State).add_node(name, _sleeper(name, 0.1)).add_edge(START, name).compile())
        with alto_lg.trace(label) as traced:
            await app.ainvoke({"seen": []})
        return traced

    async def body() -> list[alto_lg.Trace]:
        return list(await asyncio.gather(one("first", "a"), one("second", "b")))

    assert [[task.name for task in traced.tasks] for traced in run(body).result] == [["a"], ["b"]]


def test_a_trace_changes_no_answer_and_no_stream(impl: Implementation) -> None:
    def stream(traced: bool) -> list[Any]:
        async def body() -> list[Any]:
            app = impl(fan())
            if not traced:
                return [event async for event in app.astream({"seen": []}, stream_mode=["updates", "values"])]
            with alto_lg.trace():
                return [event async for event in app.astream({"seen": []}, stream_mode=["updates", "values"])]

        return run(body).result

    assert stream(traced=True) == stream(traced=False)
