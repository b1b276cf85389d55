"""The sync API on threads: what overlaps, what bounds it, and how it ends.

Orders are forced with events and barriers, so that a node that should run beside another hangs, and fails by its
timeout, where it does not.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import operator
import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.early import EarlyFiring
from alto_lg.adapters.langgraph.lookahead import Lookahead
from alto_lg.adapters.langgraph.loop import AltoThreadedLoop
from dropin.watch import Implementation, plain_langgraph

PATIENCE_S = 5
CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="nobody")


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def _branches(fast: Any, slow: Any, after: Any, **compile_options: Any) -> Any:
    """fast and slow side by side; after follows fast alone."""
    builder: Any = StateGraph(Log)
    for name, node in (("fast", fast), ("slow", slow), ("after", after)):
        builder.add_node(name, node)
    builder.add_edge(START, "fast")
    builder.add_edge(START, "slow")
    builder.add_edge("fast", "after")
    return builder.compile(**compile_options)


def _fan_out(node: Callable[[Any], Any], width: int) -> Any:
    builder: Any = StateGraph(Log)
    builder.add_node("item", node)
    builder.add_conditional_edges(START, lambda state: [Send("item", index) for index in range(width)], ["item"])
    return builder.compile()


def _threads_of_runs() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("alto_lg")]


class _Gate:
    """Opened by one node, waited for by another."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def open(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(PATIENCE_S), "nobody opened the gate: the nodes did not run side by side"


def _fast(state: Log) -> dict[str, Any]:
    return {"log": ["fast"]}


def test_a_branch_does_not_wait_for_a_slow_sibling() -> None:
    gate = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        gate.wait()
        return {"log": ["slow"]}

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        gate.open()
        return {"log": ["after"]}

    app = alto_lg.accelerate(_branches(_fast, slow, after))
    assert app.invoke({"log": []}) == {"log": ["fast", "slow", "after"]}
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert (statistics.early_starts, statistics.dropped) == (1, 0)


@pytest.mark.parametrize("width", [21, 100])
def test_a_whole_fan_out_runs_at_once(width: int) -> None:
    everyone = threading.Barrier(width)

    def item(index: int) -> dict[str, Any]:
        everyone.wait(PATIENCE_S)
        return {"log": [str(index)]}

    app = alto_lg.accelerate(_fan_out(item, width))
    assert app.invoke({"log": []}) == {"log": [str(index) for index in range(width)]}


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_nodes_run_at_a_time_than_max_concurrency(limit: int, impl: Implementation) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def item(index: int) -> Command[Any]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1
        return Command(update={"log": [str(index)]}, goto=[] if index >= 100 else Send("item", index + 100))

    app = impl(_fan_out(item, 12))
    assert len(app.invoke({"log": []}, {"max_concurrency": limit})["log"]) == 24
    assert most <= limit


def test_with_a_limit_of_one_a_stream_of_live_events_goes_on() -> None:
    """Plain LangGraph 1.2.22 hangs: its one thread waits for events."""
    app = alto_lg.accelerate(_fan_out(lambda index: {"log": [str(index)]}, 3))
    settings: Any = {"stream_mode": ["values", "custom"]}
    events = list(app.stream({"log": []}, {"max_concurrency": 1}, **settings))
    assert events[-1] == ("values", {"log": ["0", "1", "2"]})


@pytest.mark.parametrize("limit", [None, 2])
def test_tasks_called_by_an_early_node_wait_for_their_turn_without_holding_a_place(
    limit: int | None, impl: Implementation
) -> None:
    @task
    def double(number: int) -> int:
        return 2 * number

    called = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        if impl is not plain_langgraph:
            called.wait()
        return {"log": [f"slow {double(1).result()}"]}

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        promised = double(2)
        called.open()
        return {"log": [f"after {promised.result()}"]}

    app = impl(_branches(_fast, slow, after))
    assert app.invoke({"log": []}, {"max_concurrency": limit}) == {"log": ["fast", "slow 2", "after 4"]}


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_only_node_of_a_step_leaves_all_of_the_limit_to_the_tasks_that_it_calls(
    colour: str, impl: Implementation
) -> None:
    @task
    def double(number: int) -> int:
        return 2 * number

    @task
    async def adouble(number: int) -> int:
        return 2 * number

    def calls(state: Log) -> dict[str, Any]:
        return {"log": [str(promised.result()) for promised in [double(1), double(2)]]}

    async def acalls(state: Log) -> dict[str, Any]:
        return {"log": [str(await promised) for promised in [adouble(1), adouble(2)]]}

    builder: Any = StateGraph(Log)
    builder.add_node("node", calls if colour == "sync" else acalls)
    builder.add_edge(START, "node")
    app = impl(builder.compile())
    if colour == "sync":
        assert app.invoke({"log": []}, {"max_concurrency": 1}) == {"log": ["2", "4"]}
    else:
        assert asyncio.run(app.ainvoke({"log": []}, {"max_concurrency": 1})) == {"log": ["2", "4"]}


def test_when_a_sibling_fails_the_error_is_langgraphs_and_no_thread_is_left(impl: Implementation) -> None:
    started = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        if impl is not plain_langgraph:
            started.wait()
        raise ValueError("slow failed")

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        started.open()
        return {"log": ["after"]}

    app = impl(_branches(_fast, slow, after))
    with pytest.raises(ValueError, match=r"^slow failed"):
        app.invoke({"log": []})
    assert not _threads_of_runs()


def test_a_task_that_an_early_node_waits_for_is_given_up_when_the_run_fails() -> None:
    @task
    def never(number: int) -> int:
        raise AssertionError("its caller was not adopted")

    called = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        called.wait()
        raise ValueError("slow failed")

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        promised = never(2)
        called.open()
        return {"log": [str(promised.result(PATIENCE_S))]}

    app = alto_lg.accelerate(_branches(_fast, slow, after))
    with pytest.raises(ValueError, match=r"^slow failed"):
        app.invoke({"log": []})
    assert not _threads_of_runs()


def test_a_stream_that_is_closed_early_leaves_no_thread_and_can_be_run_on(impl: Implementation) -> None:
    gate = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        gate.wait()
        return {"log": ["slow"]}

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        return {"log": ["after"]}

    app = impl(_branches(_fast, slow, after, checkpointer=InMemorySaver()))
    config: Any = {"configurable": {"thread_id": "1"}}
    events = app.stream({"log": []}, config, stream_mode="updates")
    assert next(events) == {"fast": {"log": ["fast"]}}
    gate.open()
    events.close()
    assert not _threads_of_runs()
    assert app.invoke(None, config) == {"log": ["fast", "slow", "after"]}


def test_an_interrupt_of_an_early_node_is_its_own_and_can_be_answered(impl: Implementation) -> None:
    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        return {"log": ["slow"]}

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        return {"log": [f"after {interrupt('really?')}"]}

    app = impl(_branches(_fast, slow, after, checkpointer=InMemorySaver()))
    config: Any = {"configurable": {"thread_id": "1"}}
    assert app.invoke({"log": []}, config)["__interrupt__"][0].value == "really?"
    assert app.invoke(Command(resume="yes"), config) == {"log": ["fast", "slow", "after yes"]}


def test_an_early_node_sees_the_context_of_the_caller() -> None:
    gate = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        gate.wait()
        return {"log": ["slow"]}

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        gate.open()
        return {"log": [f"after {CALLER.get()}"]}

    app = alto_lg.accelerate(_branches(_fast, slow, after))

    def call() -> Any:
        CALLER.set("me")
        return app.invoke({"log": []})

    assert contextvars.copy_context().run(call) == {"log": ["fast", "slow", "after me"]}


def test_a_run_leaves_nothing_for_the_collector() -> None:
    gate = _Gate()

    @alto_lg.node(reads=[], writes=["log"])
    def slow(state: Log) -> dict[str, Any]:
        gate.wait()
        return {"log": ["slow"]}

    @alto_lg.node(reads=[], writes=["log"], pure=True)
    def after(state: Log) -> dict[str, Any]:
        gate.open()
        return {"log": ["after"]}

    app = alto_lg.accelerate(_branches(_fast, slow, after))
    gc.collect()
    gc.disable()
    try:
        app.invoke({"log": []})
        assert not [one for one in gc.get_objects() if isinstance(one, AltoThreadedLoop)]
    finally:
        gc.enable()


def test_an_end_that_the_official_task_is_the_first_to_tell_of_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a future may go on before the callbacks of that future have run."""
    ended, committed, told_twice, read = _Gate(), _Gate(), _Gate(), _Gate()
    early_ended, task_ended = Lookahead.early_ended, Lookahead.task_ended

    def told_late(self: Lookahead, early: EarlyFiring, future: Any) -> None:
        if early.task.input != 1:
            return early_ended(self, early, future)
        ended.open()
        self.loop.lock.release()  # type: ignore[attr-defined]
        try:
            committed.wait()
        finally:
            self.loop.lock.acquire()  # type: ignore[attr-defined]
        early_ended(self, early, future)
        told_twice.open()

    def told(self: Lookahead, task_id: str, writes: Any) -> None:
        task_ended(self, task_id, writes)
        if ("log", ["item 1"]) in writes:
            committed.open()

    monkeypatch.setattr(Lookahead, "early_ended", told_late)
    monkeypatch.setattr(Lookahead, "task_ended", told)

    def first(state: Log) -> Command[Any]:
        return Command(goto=[Send("item", 1), Send("item", 2)])

    @alto_lg.node(reads=[], writes=[])
    def slow(state: Log) -> None:
        ended.wait()

    def item(number: int) -> dict[str, Any]:
        if number == 2:
            told_twice.wait()
        return {"log": [f"item {number}"]}

    @alto_lg.node(reads=["log"], writes=["log"], pure=True)
    def reads(state: Log) -> dict[str, Any]:
        read.open()
        return {"log": [f"read {state['log']}"]}

    @alto_lg.node(reads=[], writes=[])
    def slow_again(state: Log) -> None:
        read.wait()

    builder: Any = StateGraph(Log)
    for node in (first, slow, item, reads, slow_again):
        builder.add_node(node)
    for source, target in ((START, "first"), (START, "slow"), ("item", "reads"), ("slow", "slow_again")):
        builder.add_edge(source, target)
    app = alto_lg.accelerate(builder.compile())
    assert app.invoke({"log": []})["log"] == ["item 1", "item 2", "read ['item 1', 'item 2']"]
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert (statistics.early_starts, statistics.dropped) == (3, 0)
