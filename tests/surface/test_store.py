"""The store of a graph: what a node finds there is what LangGraph's order of steps has put there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.config import get_store
from langgraph.graph import START
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from surface.bench import Bench

PLACE = ("words",)


def _ways(bench: Bench, way: str) -> tuple[Any, Any]:
    """A slow node that puts a word, and a node of the next step that looks for it, in one of three ways."""
    is_async = bench.colour == "async"

    async def put(state: Log, *, store: BaseStore) -> dict[str, Any]:
        await asyncio.sleep(1.0)
        await store.aput(PLACE, "late", {"said": "slowly"})
        return {"log": ["put"]}

    def put_in_sync(state: Log, *, store: BaseStore) -> dict[str, Any]:
        store.put(PLACE, "late", {"said": "slowly"})
        return {"log": ["put"]}

    async def by_argument(state: Log, *, store: BaseStore) -> dict[str, Any]:
        found = await store.asearch(PLACE)
        return {"log": [item.value["said"] for item in found]}

    def by_argument_in_sync(state: Log, *, store: BaseStore) -> dict[str, Any]:
        return {"log": [item.value["said"] for item in store.search(PLACE)]}

    async def by_runtime(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        found = await runtime.store.asearch(PLACE)  # type: ignore[union-attr]
        return {"log": [item.value["said"] for item in found]}

    def by_runtime_in_sync(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        return {"log": [item.value["said"] for item in runtime.store.search(PLACE)]}  # type: ignore[union-attr]

    async def by_context(state: Log) -> dict[str, Any]:
        found = await get_store().asearch(PLACE)
        return {"log": [item.value["said"] for item in found]}

    def by_context_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [item.value["said"] for item in get_store().search(PLACE)]}

    readers = {
        "argument": (by_argument, by_argument_in_sync),
        "runtime": (by_runtime, by_runtime_in_sync),
        "context": (by_context, by_context_in_sync),
    }
    return (put, readers[way][0]) if is_async else (put_in_sync, readers[way][1])


def _graph(bench: Bench, way: str) -> Builder:
    """`get` follows `fast`, and in LangGraph's order comes after `put`; `free` touches no store."""
    put, get = _ways(bench, way)
    nodes = {"fast": bench.say("fast"), "put": put, "slow": bench.slow(), "get": get, "free": bench.overtakes("free")}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "put"), (START, "slow"))
    return connect(builder, ("fast", "get"), ("fast", "free"))


@pytest.mark.parametrize("way", ["argument", "runtime", "context"])
def test_a_node_finds_what_a_slow_node_of_an_earlier_step_has_put(bench: Bench, way: str) -> None:
    app = bench.app(_graph(bench, way), store=InMemoryStore())
    log = bench.invoke(app, {"log": []})["log"]
    assert log == ["fast", "put", "slow", "free", "slowly"]
    bench.assert_started_early(app)


def test_what_was_put_stays_for_the_next_run(bench: Bench) -> None:
    store = InMemoryStore()
    app = bench.app(_graph(bench, "argument"), store=store)
    for _ in range(2):
        bench.invoke(app, {"log": []})
    assert [item.value for item in store.search(PLACE)] == [{"said": "slowly"}]


def test_a_subgraph_shares_the_store_of_the_graph_above(bench: Bench) -> None:
    def put(state: Log, *, store: BaseStore) -> dict[str, Any]:
        store.put(PLACE, "inside", {"said": "from inside"})
        return {"log": ["put"]}

    def get(state: Log, *, store: BaseStore) -> dict[str, Any]:
        found = store.get(PLACE, "inside")
        return {"log": ["nothing" if found is None else found.value["said"]]}

    inner = connect(add_all(Log, {"put": put}), (START, "put")).compile()
    builder = add_all(Log, {"fast": bench.say("fast"), "get": get})
    builder.add_node("slow", bench.slow())
    builder.add_node("inner", inner)
    builder.add_node("free", bench.overtakes("free"))
    connect(builder, (START, "fast"), (START, "inner"), (START, "slow"), ("fast", "get"), ("fast", "free"))
    app = bench.app(builder, store=InMemoryStore())
    log = bench.invoke(app, {"log": []})["log"]
    assert log == ["fast", "put", "slow", "free", "from inside"]
    bench.assert_started_early(app)


def test_without_a_store_there_is_none(bench: Bench) -> None:
    def look(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [str(runtime.store)]}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "look": look}
    app = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "look")))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "None"]
    bench.assert_started_early(app)
