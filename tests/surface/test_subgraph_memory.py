"""What a subgraph remembers, with a saver of its own, its parent's, or none."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from dropin import compare
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from surface.bench import Bench, thread

settings = pytest.mark.parametrize("setting", [None, True, False], ids=["inherited", "own", "none"])
BEFORE = ["fast", "slow", "after"]


class Inside(Log):
    """The subgraph's own state: it shares the log, and keeps a key that its parent does not have."""

    visits: int


class Other(TypedDict):
    """A subgraph's state with nothing but the shared key."""

    log: Annotated[list[str], operator.add]


class Both(TypedDict):
    log: Annotated[list[str], operator.add]
    other: str


def _inner(bench: Bench, setting: Any, *, asks: bool = False) -> Any:
    def count(state: Inside) -> dict[str, Any]:
        visits = (state.get("visits") or 0) + 1
        return {"visits": visits, "log": [f"visit {visits}"]}

    def ask(state: Inside) -> dict[str, Any]:
        return {"log": [interrupt("name?")] if asks else ["no question"]}

    builder = connect(add_all(Inside, {"count": count, "ask": ask}), (START, "count"), ("count", "ask"))
    return builder.compile(checkpointer=setting)


def _outer(bench: Bench, setting: Any, **inside: Any) -> Builder:
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, nodes).add_node("inner", _inner(bench, setting, **inside))
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"))


def _visits(state: dict[str, Any]) -> list[str]:
    return [word for word in state["log"] if word.startswith("visit")]


@settings
def test_only_a_subgraph_with_a_memory_of_its_own_counts_on(bench: Bench, setting: Any) -> None:
    app = bench.app(_outer(bench, setting), checkpointer=InMemorySaver())
    for _ in range(3):
        found = bench.invoke(app, {"log": []}, thread())
        bench.assert_started_early(app)
    if setting is not True:
        assert set(_visits(found)) == {"visit 1"}
    else:
        assert {"visit 1", "visit 2", "visit 3"} == set(_visits(found))


@settings
def test_what_is_saved_of_a_subgraph_is_what_langgraph_saves(bench: Bench, plain_bench: Bench, setting: Any) -> None:
    found = []
    for side in (bench, plain_bench):
        app = side.app(_outer(side, setting), checkpointer=InMemorySaver())
        for _ in range(2):
            side.invoke(app, {"log": []}, thread())
        inner = {"configurable": {"thread_id": "1", "checkpoint_ns": "inner"}}
        mine = compare.history(side.history(app, thread()))
        found.append((mine, compare.history(side.history(app, inner)) if setting is True else None))
    assert found[0] == found[1]


@pytest.mark.parametrize("setting", [None, True], ids=["inherited", "own"])
def test_a_subgraph_with_a_memory_can_be_asked_and_answered(bench: Bench, setting: Any) -> None:
    app = bench.app(_outer(bench, setting, asks=True), checkpointer=InMemorySaver())
    asked = bench.invoke(app, {"log": []}, thread())
    bench.assert_started_early(app)
    assert [one.value for one in asked["__interrupt__"]] == ["name?"]
    inside = bench.state(app, thread(), subgraphs=True).tasks[0].state
    assert inside.next == ("ask",)
    assert inside.values == {"visits": 1, "log": [*BEFORE, "visit 1"]}
    answered = bench.invoke(app, Command(resume="Ann"), thread())
    assert answered["log"][-2:] == ["visit 1", "Ann"]


def test_a_subgraph_without_a_memory_begins_anew_after_an_answer(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        app = side.app(_outer(side, False, asks=True), checkpointer=InMemorySaver())
        asked = side.invoke(app, {"log": []}, thread())
        answered = side.invoke(app, Command(resume="Ann"), thread())
        found.append((compare.plain(asked), compare.plain(answered)))
    assert found[0] == found[1]


@settings
def test_two_subgraphs_beside_each_other_stay_apart(bench: Bench, plain_bench: Bench, setting: Any) -> None:
    """Two nodes hold subgraphs, one of them in an earlier step than the other."""
    found = []
    for side in (bench, plain_bench):
        builder = add_all(Log, {"fast": side.say("fast"), "slow": side.slow(), "after": side.overtakes("after")})
        builder.add_node("first", _inner(side, setting))
        builder.add_node("second", _inner(side, setting))
        connect(builder, (START, "fast"), (START, "slow"), (START, "first"), ("fast", "second"), ("fast", "after"))
        app = side.app(builder, checkpointer=InMemorySaver())
        answers = [compare.plain(side.invoke(app, {"log": []}, thread())) for _ in range(2)]
        side.assert_started_early(app)
        found.append((answers, compare.history(side.history(app, thread()))))
    assert found[0] == found[1]


def test_a_subgraph_in_a_graph_without_a_saver_may_have_none(bench: Bench) -> None:
    app = bench.app(_outer(bench, None))
    assert bench.invoke(app, {"log": []})["log"] == [*BEFORE, *BEFORE, "visit 1", "no question"]
    bench.assert_started_early(app)


def test_a_subgraph_may_start_early_where_nothing_is_saved(bench: Bench) -> None:
    """Without a saver a subgraph has no place to file anything under, and need not wait for its step."""
    inner = connect(add_all(Other, {"one": bench.overtakes("inside")}), (START, "one")).compile()
    builder = add_all(Both, {"fast": bench.say("fast"), "slow": _slow_elsewhere(bench), "inner": inner})
    app = bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "inner")))
    assert bench.invoke(app, {"log": []}) == {"log": ["fast", "fast", "inside"], "other": "slow"}
    bench.assert_started_early(app)


def _slow_elsewhere(bench: Bench) -> Any:
    """A slow node that writes no key that the subgraph reads."""

    async def wait(state: Both) -> dict[str, Any]:
        await asyncio.sleep(1.0)
        return {"other": "slow"}

    hold = bench.hold

    def wait_in_sync(state: Both) -> dict[str, Any]:
        hold()
        return {"other": "slow"}

    return wait if bench.colour == "async" else wait_in_sync


# ── graphs that a node runs itself ──────────────────────────────────────────────────────────────────────────


PLACES = ("seen", "boxed", "held", "made")


class Held:
    """An object that runs a graph which it holds."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    async def call(self, state: Log) -> dict[str, Any]:
        return {"log": [",".join((await self.graph.ainvoke({"log": []}))["log"])]}

    def call_in_sync(self, state: Log) -> dict[str, Any]:
        return {"log": [",".join(self.graph.invoke({"log": []})["log"])]}


def _calls(bench: Bench, place: str, inner: Any) -> Any:
    """A node that runs a graph: one that LangGraph sees in its closure, or one that it does not see."""
    box = {"graph": inner}

    async def seen(state: Log) -> dict[str, Any]:
        return {"log": [",".join((await inner.ainvoke({"log": []}))["log"])]}

    def seen_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [",".join(inner.invoke({"log": []})["log"])]}

    async def boxed(state: Log) -> dict[str, Any]:
        return {"log": [",".join((await box["graph"].ainvoke({"log": []}))["log"])]}

    def boxed_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [",".join(box["graph"].invoke({"log": []})["log"])]}

    def make() -> Any:
        return inner.builder.compile()

    async def made(state: Log) -> dict[str, Any]:
        return {"log": [",".join((await make().ainvoke({"log": []}))["log"])]}

    def made_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [",".join(make().invoke({"log": []})["log"])]}

    attribute = Held(inner)
    ways = {
        "seen": (seen, seen_in_sync),
        "boxed": (boxed, boxed_in_sync),
        "made": (made, made_in_sync),
        "held": (attribute.call, attribute.call_in_sync),
    }
    found = ways[place]
    return found[0] if bench.colour == "async" else found[1]


def _calling(bench: Bench, place: str, runs: list[str]) -> Builder:
    def one(state: Log) -> dict[str, Any]:
        runs.append("one")
        return {"log": ["one"]}

    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name?")]}

    inner = connect(add_all(Log, {"one": one, "ask": ask}), (START, "one"), ("one", "ask")).compile()
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, {**nodes, "calls": _calls(bench, place, inner)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "calls"))


@pytest.mark.parametrize("place", PLACES)
def test_a_graph_that_a_node_runs_goes_on_where_it_asked(bench: Bench, place: str) -> None:
    runs: list[str] = []
    saver = InMemorySaver()
    app = bench.app(_calling(bench, place, runs), checkpointer=saver)
    asked = bench.invoke(app, {"log": []}, thread())
    assert [one.value for one in asked["__interrupt__"]] == ["name?"]
    bench.assert_started_early(app)
    assert bench.invoke(app, Command(resume="Ann"), thread())["log"] == [*BEFORE, "one,Ann"]
    assert runs == ["one"]
    spaces = {saved.config["configurable"]["checkpoint_ns"] for saved in saver.list(thread())}
    assert len(spaces) == 2


@pytest.mark.parametrize("place", PLACES)
def test_the_states_of_a_graph_that_a_node_runs_come_in_their_step(bench: Bench, place: str) -> None:
    inner = connect(add_all(Log, {"one": bench.say("one")}), (START, "one")).compile()
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, {**nodes, "calls": _calls(bench, place, inner)})
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "calls"))
    app = bench.app(builder)
    events = bench.stream(app, {"log": []}, stream_mode="values", subgraphs=True)
    bench.assert_started_early(app)
    seen = [(tuple(part.split(":")[0] for part in place), len(state["log"])) for place, state in events]
    assert seen == [((), 0), ((), 2), (("calls",), 0), (("calls",), 1), ((), 4)]


@pytest.mark.parametrize("saved", [False, True], ids=["bare", "saved"])
def test_the_states_of_a_subgraph_without_a_memory_come_in_their_step(bench: Bench, saved: bool) -> None:
    inner = connect(add_all(Other, {"one": bench.say("one")}), (START, "one")).compile(checkpointer=False)
    nodes = {"fast": bench.say("fast"), "slow": _slow_elsewhere(bench), "after": bench.overtakes("after")}
    builder = connect(add_all(Both, {**nodes, "inner": inner}), (START, "fast"), (START, "slow"), ("fast", "inner"))
    app = bench.app(connect(builder, ("fast", "after")), checkpointer=InMemorySaver() if saved else None)
    events = bench.stream(app, {"log": []}, thread(), stream_mode="values", subgraphs=True)
    bench.assert_started_early(app)
    seen = [(tuple(part.split(":")[0] for part in place), len(state["log"])) for place, state in events]
    assert seen == [((), 0), ((), 1), (("inner",), 1), (("inner",), 2), ((), 4)]
