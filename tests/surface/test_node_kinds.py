"""Everything that may be a node: functions, methods, objects, generators, runnables; and what they return or raise."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import InvalidUpdateError, NodeCancelledError
from langgraph.graph import END, START
from langgraph.types import Command, Send

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


def _beside(bench: Bench, node: Any, name: str = "tested") -> Builder:
    """The node under test follows `fast`, as `after` does, which may overtake the slow node."""
    nodes = {
        "fast": bench.say("fast"),
        "slow": bench.slow(),
        "after": bench.overtakes("after"),
        "last": bench.say("last"),
    }
    builder = add_all(Log, nodes).add_node(name, node)
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", name))
    return connect(builder, (name, "last"))


class Says:
    """An object that can be called, and one of its methods."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, state: Log) -> dict[str, Any]:
        return {"log": [self.word]}

    def method(self, state: Log, config: RunnableConfig) -> dict[str, Any]:
        return {"log": [f"{self.word} {config['metadata']['langgraph_step']}"]}


class SaysLater(Says):
    """The same, to be awaited."""

    async def __call__(self, state: Log) -> dict[str, Any]:  # type: ignore[override]
        return {"log": [self.word]}

    async def method(self, state: Log, config: RunnableConfig) -> dict[str, Any]:  # type: ignore[override]
        return {"log": [f"{self.word} {config['metadata']['langgraph_step']}"]}


def generate(state: Log) -> Iterator[dict[str, Any]]:
    yield {"log": ["generated"]}


async def generate_later(state: Log) -> AsyncIterator[dict[str, Any]]:
    yield {"log": ["generated"]}


def say(word: str, state: Log) -> dict[str, Any]:
    return {"log": [word]}


async def say_later(word: str, state: Log) -> dict[str, Any]:
    return {"log": [word]}


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        return function(*args, **settings)

    return call


BOTH: dict[str, tuple[Any, str]] = {
    "object": (Says("object"), "object"),
    "method": (Says("method").method, "method 2"),
    "generator": (generate, "generated"),
    "partial": (functools.partial(say, "partial"), "partial"),
    "lambda": (lambda state: {"log": ["lambda"]}, "lambda"),
    "decorated": (decorated(functools.partial(say, "decorated")), "decorated"),
    "runnable": (RunnableLambda(lambda state: {"log": ["runnable"]}), "runnable"),
    "two_colours": (RunnableLambda(Says("two"), SaysLater("two")), "two"),
    "parallel": (RunnableParallel(log=lambda state: ["parallel"]), "parallel"),
    "command": (lambda state: Command(update={"log": ["command"]}), "command"),
    "commands": (lambda state: [Command(update={"log": ["commands"]}), {"log": []}], "commands"),
}

ASYNC_ONLY: dict[str, tuple[Any, str]] = {
    "object": (SaysLater("object"), "object"),
    "method": (SaysLater("method").method, "method 2"),
    "generator": (generate_later, "generated"),
    "partial": (functools.partial(say_later, "partial"), "partial"),
}


@pytest.mark.parametrize("kind", BOTH)
def test_it_runs_as_a_node(bench: Bench, kind: str) -> None:
    node, word = BOTH[kind]
    app = bench.app(_beside(bench, node))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", word, "last"]
    bench.assert_started_early(app)


@pytest.mark.parametrize("kind", ASYNC_ONLY)
def test_it_is_awaited_as_a_node(impl: Implementation, kind: str) -> None:
    bench = Bench(impl, "async", is_ours=impl is not plain_langgraph)
    node, word = ASYNC_ONLY[kind]
    app = bench.app(_beside(bench, node))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", word, "last"]
    bench.assert_started_early(app)


def test_a_node_that_only_can_be_awaited_is_refused_by_invoke(impl: Implementation) -> None:
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph, overlapping=False)
    with pytest.raises(TypeError, match="No synchronous function provided"):
        bench.invoke(bench.app(_beside(bench, SaysLater("later").method)), {"log": []})


def test_nothing_may_be_returned(bench: Bench) -> None:
    app = bench.app(_beside(bench, lambda state: None))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "last"]
    bench.assert_started_early(app)


@pytest.mark.parametrize("returned", [5, "text", [{"log": []}, {"log": []}]], ids=["number", "text", "list"])
def test_anything_else_is_refused_as_langgraph_refuses_it(bench: Bench, returned: Any) -> None:
    app = bench.app(_beside(bench, lambda state: returned))
    with pytest.raises(InvalidUpdateError, match="Expected dict, got"):
        bench.invoke(app, {"log": []})


ERRORS = (ValueError, MemoryError, RecursionError, ExceptionGroup)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_of_an_early_node_reaches_the_caller_as_it_is(bench: Bench, error: Any) -> None:
    thrown = ExceptionGroup("no", [ValueError("inside")]) if error is ExceptionGroup else error("no")

    def fail(state: Log) -> dict[str, Any]:
        raise thrown

    app = bench.app(_beside(bench, fail))
    with pytest.raises(error) as raised:
        bench.invoke(app, {"log": []})
    assert raised.value is thrown


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit], ids=lambda error: error.__name__)
def test_the_end_of_a_process_reaches_the_caller_of_invoke(impl: Implementation, error: Any) -> None:
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph, overlapping=False)

    def leave(state: Log) -> dict[str, Any]:
        raise error("no")

    with pytest.raises(error):
        bench.invoke(bench.app(_beside(bench, leave)), {"log": []})


def test_a_node_that_cancels_itself_has_failed(impl: Implementation) -> None:
    bench = Bench(impl, "async", is_ours=impl is not plain_langgraph)

    async def cancel(state: Log) -> dict[str, Any]:
        raise asyncio.CancelledError

    with pytest.raises(NodeCancelledError, match="'tested' raised"):
        bench.invoke(bench.app(_beside(bench, cancel)), {"log": []})


def test_a_saver_on_a_file_is_used_from_every_thread_that_langgraph_uses(impl: Implementation, tmp_path: Any) -> None:
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph)
    with SqliteSaver.from_conn_string(str(tmp_path / "saved.sqlite")) as saver:
        app = bench.app(uneven(bench), checkpointer=saver)
        assert bench.invoke(app, {"log": []}, thread())["log"] == UNEVEN_LOG
        bench.assert_started_early(app)
        assert [state.metadata["step"] for state in bench.history(app, thread())] == [3, 2, 1, 0, -1]


@pytest.mark.parametrize("limit", [None, 2])
def test_graphs_inside_packets_do_not_starve_each_other_of_threads(impl: Implementation, limit: int | None) -> None:
    """Twelve packets each invoke a graph, on a pool that has fewer threads."""
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph, overlapping=False)
    inner = bench.app(uneven(bench))

    def call(state: Log) -> dict[str, Any]:
        return {"log": [",".join(inner.invoke({"log": []})["log"])]}

    def spread(state: Log) -> list[Send]:
        return [Send("call", {"log": []}) for _ in range(12)]

    builder = add_all(Log, {"plan": bench.say("plan"), "call": call})
    builder.add_conditional_edges("plan", spread, ["call"])
    app = bench.app(connect(builder, (START, "plan"), ("call", END)))
    config = {"max_concurrency": limit} if limit else None
    assert bench.invoke(app, {"log": []}, config)["log"] == ["plan", *[",".join(UNEVEN_LOG)] * 12]


def test_a_closed_synchronous_stream_leaves_no_thread_behind(impl: Implementation) -> None:
    """The stream is closed while a node of the next step has begun; it ends, and nothing of it is kept."""
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph)
    app = bench.app(uneven(bench))
    before = set(threading.enumerate())
    events = app.stream({"log": []}, stream_mode="updates")
    assert set(next(events)) <= {"fast", "slow"}
    events.close()
    assert set(threading.enumerate()) <= before
