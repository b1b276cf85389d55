"""The functional API: entrypoints with a past, tasks as futures, retried, cached and interrupted."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from dropin.shapes.base import Log, add_all, connect
from dropin.watch import Implementation
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, Command, RetryPolicy, StreamWriter, interrupt

from surface.bench import PATIENCE_S, Bench, thread

AT_ONCE = {"initial_interval": 0.001, "max_interval": 0.001, "jitter": False}


def _doubled(bench: Bench, **settings: Any) -> Any:
    """A task in this bench's colour."""
    if bench.colour == "async":

        @task(name="double", **settings)
        async def double(number: int) -> int:
            await asyncio.sleep(0.1)
            return number * 2

        return double

    @task(name="double", **settings)
    def double_in_sync(number: int) -> int:
        return number * 2

    return double_in_sync


def _entrypoint(bench: Bench, asynchronous: Any, synchronous: Any, **settings: Any) -> Any:
    function = asynchronous if bench.colour == "async" else synchronous
    return bench.implementation(entrypoint(**settings)(function))


def _total(bench: Bench, double: Any, **settings: Any) -> Any:
    async def total(numbers: list[int]) -> int:
        return sum(await asyncio.gather(*(double(number) for number in numbers)))

    def total_in_sync(numbers: list[int]) -> int:
        return sum(future.result() for future in [double(number) for number in numbers])

    return _entrypoint(bench, total, total_in_sync, **settings)


def test_tasks_run_at_once_and_are_added_up(bench: Bench) -> None:
    assert bench.invoke(_total(bench, _doubled(bench)), [1, 2, 3]) == 12


def test_each_task_and_the_whole_are_streamed(bench: Bench) -> None:
    app = _total(bench, _doubled(bench))
    updates = bench.stream(app, [1, 2], stream_mode="updates")
    assert sorted(update["double"] for update in updates if "double" in update) == [2, 4]
    assert list(updates[-1].values()) == [6]
    assert bench.stream(app, [1, 2], stream_mode="values") == [6]


def test_tasks_on_threads_really_run_at_once(impl: Implementation) -> None:
    meeting = threading.Barrier(3)

    @task
    def meet(number: int) -> int:
        meeting.wait(PATIENCE_S)
        return number

    @entrypoint()
    def all_three(numbers: list[int]) -> int:
        return sum(future.result() for future in [meet(number) for number in numbers])

    assert impl(all_three).invoke([1, 2, 3]) == 6


def test_an_entrypoint_is_given_what_it_returned_last(bench: Bench) -> None:
    async def add(number: int, *, previous: Any = None) -> int:
        return number + (previous or 0)

    def add_in_sync(number: int, *, previous: Any = None) -> int:
        return number + (previous or 0)

    app = _entrypoint(bench, add, add_in_sync, checkpointer=InMemorySaver())
    assert [bench.invoke(app, number, thread()) for number in (1, 2, 3)] == [1, 3, 6]
    assert bench.invoke(app, 5, thread("other")) == 5
    assert bench.state(app, thread()).values == 6


def test_what_is_saved_may_differ_from_what_is_returned(bench: Bench) -> None:
    async def add(number: int, *, previous: Any = None) -> Any:
        return entrypoint.final(value=previous or 0, save=number * 2)

    def add_in_sync(number: int, *, previous: Any = None) -> Any:
        return entrypoint.final(value=previous or 0, save=number * 2)

    app = _entrypoint(bench, add, add_in_sync, checkpointer=InMemorySaver())
    assert [bench.invoke(app, number, thread()) for number in (3, 1, 4)] == [0, 6, 2]


def test_a_task_is_retried(bench: Bench) -> None:
    runs: list[str] = []

    @task(retry_policy=RetryPolicy(max_attempts=3, **AT_ONCE))
    async def fetch() -> int:
        runs.append("run")
        if len(runs) < 3:
            raise ConnectionError("again")
        return len(runs)

    @task(retry_policy=RetryPolicy(max_attempts=3, **AT_ONCE))
    def fetch_in_sync() -> int:
        runs.append("run")
        if len(runs) < 3:
            raise ConnectionError("again")
        return len(runs)

    async def main(given: str) -> int:
        return await fetch()

    def main_in_sync(given: str) -> int:
        return fetch_in_sync().result()

    assert bench.invoke(_entrypoint(bench, main, main_in_sync), "go") == 3


def test_a_cached_task_runs_once_for_one_argument(bench: Bench) -> None:
    runs: list[int] = []

    @task(cache_policy=CachePolicy())
    async def square(number: int) -> int:
        runs.append(number)
        return number * number

    @task(cache_policy=CachePolicy())
    def square_in_sync(number: int) -> int:
        runs.append(number)
        return number * number

    async def main(number: int) -> int:
        return await square(number)

    def main_in_sync(number: int) -> int:
        return square_in_sync(number).result()

    app = _entrypoint(bench, main, main_in_sync, cache=InMemoryCache())
    assert [bench.invoke(app, number) for number in (2, 3, 2)] == [4, 9, 4]
    assert runs == [2, 3]


def test_a_task_that_has_ended_is_not_run_again_after_a_question(bench: Bench) -> None:
    runs: list[str] = []

    @task
    async def fetch(word: str) -> str:
        runs.append(word)
        return word.upper()

    @task
    def fetch_in_sync(word: str) -> str:
        runs.append(word)
        return word.upper()

    async def main(given: str) -> str:
        word = await fetch(given)
        return f"{word} {interrupt('name?')}"

    def main_in_sync(given: str) -> str:
        word = fetch_in_sync(given).result()
        return f"{word} {interrupt('name?')}"

    app = _entrypoint(bench, main, main_in_sync, checkpointer=InMemorySaver())
    asked = bench.invoke(app, "hello", thread())
    assert [one.value for one in asked["__interrupt__"]] == ["name?"]
    assert bench.invoke(app, Command(resume="Ann"), thread()) == "HELLO Ann"
    assert runs == ["hello"]


def test_an_entrypoint_may_take_writer_runtime_and_store(bench: Bench) -> None:
    async def main(given: str, *, writer: StreamWriter, runtime: Runtime[dict[str, str]], store: Any = None) -> str:
        writer({"from": "main"})
        await runtime.store.aput(("words",), "word", {"said": given})  # type: ignore[union-attr]
        return f"{given} {runtime.context['name']}"

    def main_in_sync(given: str, *, writer: StreamWriter, runtime: Runtime[dict[str, str]], store: Any = None) -> str:
        writer({"from": "main"})
        runtime.store.put(("words",), "word", {"said": given})  # type: ignore[union-attr]
        return f"{given} {runtime.context['name']}"

    store = InMemoryStore()
    app = _entrypoint(bench, main, main_in_sync, store=store, context_schema=dict)
    events = bench.stream(app, "hello", context={"name": "Ann"}, stream_mode=["custom", "values"])
    assert events == [("custom", {"from": "main"}), ("values", "hello Ann")]
    found = store.get(("words",), "word")
    assert found is not None
    assert found.value == {"said": "hello"}


def test_an_error_of_a_task_can_be_caught_by_who_called_it(bench: Bench) -> None:
    @task
    async def fail() -> None:
        raise ValueError("no")

    @task
    def fail_in_sync() -> None:
        raise ValueError("no")

    async def main(given: str) -> str:
        try:
            await fail()
        except ValueError as raised:
            return f"caught {raised}"
        return "nothing"

    def main_in_sync(given: str) -> str:
        try:
            fail_in_sync().result()
        except ValueError as raised:
            return f"caught {raised}"
        return "nothing"

    assert bench.invoke(_entrypoint(bench, main, main_in_sync), "go") == "caught no"


def _calling(bench: Bench, double: Any) -> Any:
    """A node that calls tasks."""

    async def call(state: Log) -> dict[str, Any]:
        found = await asyncio.gather(*(double(number) for number in (1, 2)))
        return {"log": [f"called {found}"]}

    def call_in_sync(state: Log) -> dict[str, Any]:
        found = [future.result() for future in [double(number) for number in (1, 2)]]
        return {"log": [f"called {found}"]}

    return call if bench.colour == "async" else call_in_sync


def test_tasks_may_be_called_from_a_node_beside_a_slow_one(bench: Bench) -> None:
    double = _doubled(bench)
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, {**nodes, "call": _calling(bench, double), "last": bench.say("last")})
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "call"), ("call", "last"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    updates = bench.stream(app, {"log": []}, thread(), stream_mode="updates")
    bench.assert_started_early(app)
    names = [name for update in updates for name in update]
    assert sorted(names) == ["after", "call", "double", "double", "fast", "last", "slow"]
    assert set(names[:2]) == {"fast", "slow"}
    assert names[-1] == "last"
    assert bench.state(app, thread()).values == {"log": ["fast", "slow", "after", "called [2, 4]", "last"]}


def test_a_graph_may_be_called_from_an_entrypoint(bench: Bench) -> None:
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    graph = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after")))

    async def main(given: str) -> str:
        return ",".join((await graph.ainvoke({"log": [given]}))["log"])

    def main_in_sync(given: str) -> str:
        return ",".join(graph.invoke({"log": [given]})["log"])

    app = _entrypoint(bench, main, main_in_sync, checkpointer=InMemorySaver())
    assert bench.invoke(app, "given", thread()) == "given,fast,slow,after"
    bench.assert_started_early(graph)
