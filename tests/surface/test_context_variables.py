"""Context variables: what the caller has set is seen in every node, and what a node sets stays its own."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from dropin.shapes.base import Builder, Log, Node, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from sim.loop import run

from surface.bench import Bench

USER: ContextVar[str] = ContextVar("USER", default="nobody")


def _tell(bench: Bench, word: str, *, overtakes: bool = False, sets: str | None = None) -> Node:
    overtaken = bench.overtaken

    async def tell(state: Log) -> dict[str, Any]:
        user = USER.get()
        if sets is not None:
            USER.set(sets)
        await asyncio.sleep(0.1)
        return {"log": [f"{word} {user}"]}

    def tell_in_sync(state: Log) -> dict[str, Any]:
        if overtakes:
            overtaken.set()
        user = USER.get()
        if sets is not None:
            USER.set(sets)
        return {"log": [f"{word} {user}"]}

    return tell if bench.colour == "async" else tell_in_sync


def _graph(bench: Bench, *, sets: str | None = None) -> Builder:
    nodes = {
        "fast": _tell(bench, "fast", sets=sets),
        "slow": bench.slow(),
        "after": _tell(bench, "after", sets=sets),
        "last": _tell(bench, "last", overtakes=True),
    }
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))


def _as(user: str, bench: Bench, app: Any) -> list[str]:
    """Run as a user: set in the caller's context, and set back."""
    token = USER.set(user)
    try:
        log: list[str] = bench.invoke(app, {"log": []})["log"]
        return log
    finally:
        USER.reset(token)


def test_what_the_caller_has_set_is_seen_in_every_node(bench: Bench) -> None:
    app = bench.app(_graph(bench))
    assert _as("Ann", bench, app) == ["fast Ann", "slow", "after Ann", "last Ann"]
    bench.assert_started_early(app)
    assert _as("Bo", bench, app) == ["fast Bo", "slow", "after Bo", "last Bo"]
    assert bench.invoke(app, {"log": []})["log"] == ["fast nobody", "slow", "after nobody", "last nobody"]


def test_what_a_node_sets_is_not_seen_by_the_next(bench: Bench) -> None:
    app = bench.app(_graph(bench, sets="changed"))
    assert _as("Ann", bench, app) == ["fast Ann", "slow", "after Ann", "last Ann"]
    bench.assert_started_early(app)
    assert USER.get() == "nobody"


def test_runs_at_once_each_have_their_own(impl: Implementation) -> None:
    bench = Bench(impl, "async", is_ours=impl is not plain_langgraph)
    app = bench.app(_graph(bench))

    async def one(user: str) -> list[str]:
        USER.set(user)
        log: list[str] = (await app.ainvoke({"log": []}))["log"]
        return log

    async def main() -> list[list[str]]:
        return await asyncio.gather(*(asyncio.create_task(one(user)) for user in ("Ann", "Bo", "Cy")))

    assert [log[-1] for log in run(main).result] == ["last Ann", "last Bo", "last Cy"]
    bench.assert_started_early(app)


def test_packets_see_the_callers_variables_too(bench: Bench) -> None:
    def spread(state: Log) -> list[Send]:
        return [Send("first", {"log": []}) for _ in range(2)]

    def first(state: Log) -> Command[Any]:
        return Command(update={"log": [f"first {USER.get()}"]}, goto=Send("second", {"log": []}))

    def second(state: Log) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"second {USER.get()}"]}

    builder: Builder = StateGraph(Log)
    for name, node in (("plan", bench.say("plan")), ("slow", bench.slow()), ("second", second)):
        builder.add_node(name, node)
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges("plan", spread, ["first"])
    app = bench.app(connect(builder, (START, "plan"), (START, "slow")))
    log = _as("Ann", bench, app)
    assert log == ["plan", "slow", "first Ann", "first Ann", "second Ann", "second Ann"]
    bench.assert_started_early(app)


def test_a_router_sees_the_callers_variables(bench: Bench) -> None:
    def route(state: Log) -> str:
        return "ann" if USER.get() == "Ann" else "other"

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "ann": bench.overtakes("ann")}
    builder = add_all(Log, {**nodes, "other": bench.say("other")})
    builder.add_conditional_edges("fast", route, ["ann", "other"])
    app = bench.app(connect(builder, (START, "fast"), (START, "slow")))
    assert _as("Ann", bench, app) == ["fast", "slow", "ann"]
    bench.assert_started_early(app)
