"""Rows of steps with one task each, which follow one another at once: nothing of that is to be seen."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypedDict

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue
from langgraph.errors import GraphDrained, GraphInterrupt, GraphRecursionError
from langgraph.func import task
from langgraph.graph import END, START, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.runtime import RunControl, get_runtime
from langgraph.types import Command, PregelExecutableTask, RetryPolicy, Send, interrupt
from sim.loop import run

from alto_lg.adapters.langgraph.stepping import RunChannels
from alto_lg.adapters.langgraph.strides import Stride
from surface.bench import Bench

Strode = Callable[[], int]


@pytest.fixture
def strode(monkeypatch: pytest.MonkeyPatch) -> Strode:
    """How many steps have begun in strides."""
    begun = 0
    begin = Stride._begin

    def counted(stride: Stride, name: str) -> None:
        nonlocal begun
        begun += 1
        begin(stride, name)

    monkeypatch.setattr(Stride, "_begin", counted)
    return lambda: begun


def _row(bench: Bench, *names: str, **others: Any) -> Builder:
    """A graph whose nodes follow one another; those that are not given say their names."""
    nodes = {name: others.get(name) or bench.say(name) for name in names}
    return connect(add_all(Log, nodes), *zip((START, *names), names, strict=False))


def _ended(calling: Callable[[], Any]) -> Any:
    """What a call returned or raised, with the notes."""
    try:
        return calling()
    except BaseException as raised:
        return type(raised), str(raised), [note.split(" and id ")[0] for note in getattr(raised, "__notes__", ())]


@pytest.mark.parametrize("modes", ["updates", "values", ["updates", "values"]])
def test_each_step_is_streamed_before_the_next_one_runs(
    bench: Bench, plain_bench: Bench, strode: Strode, modes: Any
) -> None:
    def seen(one: Bench) -> list[Any]:
        events: list[Any] = []

        def node(name: str) -> Any:
            def say(state: Log) -> dict[str, Any]:
                events.append(name)
                return {"log": [name]} if name != "b" else {}

            return say

        app = one.app(_row(one, *"abcd", **{name: node(name) for name in "abcd"}))

        async def listen() -> None:
            async for event in app.astream({"log": []}, stream_mode=modes):
                events.append(event)

        if one.colour == "async":
            asyncio.run(listen())
        else:
            for event in app.stream({"log": []}, stream_mode=modes):
                events.append(event)
        return events

    assert seen(bench) == seen(plain_bench)
    assert not bench.is_ours or strode() == 4


def test_invoke_returns_the_values_of_the_last_step_that_wrote_any(bench: Bench, strode: Strode) -> None:
    app = bench.app(_row(bench, *"abc", b=lambda state: {"log": ["b"]}, c=lambda state: {}))
    assert bench.invoke(app, {"log": []}) == {"log": ["a", "b"]}
    assert bench.invoke(app, {"log": []}, output_keys="log") == ["a", "b"]
    assert not bench.is_ours or strode() == 6


def test_a_value_that_lasts_one_step_is_in_no_later_state(bench: Bench, plain_bench: Bench) -> None:
    class Fleeting(Log):
        now: Annotated[str, EphemeralValue]

    def build(one: Bench) -> Any:
        builder = StateGraph(Fleeting)
        builder.add_node("a", lambda state: {"log": ["a"], "now": "a"})
        builder.add_node("b", lambda state: {"log": [state.get("now")]})
        builder.add_node("c", lambda state: {"log": [state.get("now")]})
        return one.app(connect(builder, (START, "a"), ("a", "b"), ("b", "c")))

    for modes in ("values", ["updates", "values"]):
        found = [one.stream(build(one), {"log": []}, stream_mode=modes) for one in (bench, plain_bench)]
        assert found[0] == found[1]
    assert bench.invoke(build(bench), {"log": []}) == plain_bench.invoke(build(plain_bench), {"log": []})


def test_a_node_that_fails_fails_as_its_own_step_would(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def fail(state: Log) -> dict[str, Any]:
        raise ValueError("no")

    def events(one: Bench) -> Any:
        heard: list[Any] = []
        app = one.app(_row(one, *"abcd", c=fail))

        async def listen() -> None:
            async for event in app.astream({"log": []}, stream_mode="updates"):
                heard.append(event)

        def listen_here() -> None:
            for event in app.stream({"log": []}, stream_mode="updates"):
                heard.append(event)

        return _ended(lambda: asyncio.run(listen()) if one.colour == "async" else listen_here()), heard

    ours, plain = events(bench), events(plain_bench)
    assert ours == plain
    assert ours[0][:2] == (ValueError, "no")
    assert "During task with name 'c'" in ours[0][2][0]
    assert len(ours[1]) == 2
    for one in (bench, plain_bench):
        app = one.app(_row(one, *"abcd", c=fail))
        assert _ended(lambda app=app, one=one: one.invoke(app, {"log": []})) == ours[0]
    assert not bench.is_ours or strode() == 6


def test_a_run_leaves_nothing_to_the_collector(bench: Bench) -> None:
    app = bench.app(_row(bench, *"abc", **{name: bench.say(name, 0.0) for name in "abc"}))

    def call() -> None:
        if bench.colour == "async":
            asyncio.run(app.ainvoke({"log": []}))
        else:
            app.invoke({"log": []})

    call()
    gc.collect()
    gc.disable()
    try:
        call()
        left = [one for one in gc.get_objects() if isinstance(one, PregelExecutableTask | RunChannels)]
    finally:
        gc.enable()
    assert left == []


def test_a_loop_without_end_meets_the_limit_at_the_same_step(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def runs(one: Bench) -> tuple[Any, int]:
        ran = 0

        def again(state: Log) -> dict[str, Any]:
            nonlocal ran
            ran += 1
            return {"log": []}

        builder = add_all(Log, {"a": again, "b": again})
        app = one.app(connect(builder, (START, "a"), ("a", "b"), ("b", "a")))
        return _ended(lambda: one.invoke(app, {"log": []}, {"recursion_limit": 7})), ran

    ours = runs(bench)
    assert ours == runs(plain_bench)
    assert ours[0][0] is GraphRecursionError
    assert not bench.is_ours or strode() > 0


def test_a_loop_by_conditional_edges_and_one_by_commands(bench: Bench, strode: Strode) -> None:
    class Count(TypedDict):
        n: int

    edges = StateGraph(Count)
    edges.add_node("count", lambda state: {"n": state["n"] + 1})
    edges.add_edge(START, "count")
    edges.add_conditional_edges("count", lambda state: "count" if state["n"] < 9 else END, ["count", END])

    def go(state: Count) -> Command[Any]:
        return Command(update={"n": state["n"] + 1}, goto="count" if state["n"] < 8 else END)

    commands = StateGraph(Count)
    commands.add_node("count", go, destinations=("count", END))
    commands.add_edge(START, "count")
    for builder in (edges, commands):
        assert bench.invoke(bench.app(builder), {"n": 0}) == {"n": 9}
    assert not bench.is_ours or strode() == 18


def test_a_stride_ends_where_a_node_leads_to_several(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def build(one: Bench) -> Any:
        builder = add_all(Log, {name: one.say(name) for name in ("a", "b", "left", "right", "join", "c", "work", "d")})
        connect(builder, (START, "a"), ("a", "b"), ("b", "left"), ("b", "right"), ("join", "c"), ("work", "d"))
        builder.add_edge(["left", "right"], "join")
        builder.add_conditional_edges("c", lambda state: [Send("work", state), Send("work", state)], ["work"])
        return one.app(builder)

    for modes in ("updates", "values"):
        assert bench.stream(build(bench), {"log": []}, stream_mode=modes) == plain_bench.stream(
            build(plain_bench), {"log": []}, stream_mode=modes
        )
    assert not bench.is_ours or strode() > 0


def test_a_node_in_a_row_may_call_tasks(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def build(one: Bench) -> Any:
        if one.colour == "async":

            @task
            async def double(number: int) -> int:
                return 2 * number

            async def calls(state: Log) -> dict[str, Any]:
                return {"log": [str(await double(3)), *map(str, await asyncio.gather(double(4), double(5)))]}
        else:

            @task
            def double(number: int) -> int:
                return 2 * number

            def calls(state: Log) -> dict[str, Any]:
                return {"log": [str(double(number).result()) for number in (3, 4, 5)]}

        return one.app(_row(one, *"abcd", b=calls))

    assert bench.invoke(build(bench), {"log": []}) == {"log": ["a", "6", "8", "10", "c", "d"]}
    heard = [one.stream(build(one), {"log": []}, stream_mode="updates") for one in (bench, plain_bench)]
    assert heard[0] == heard[1]
    assert not bench.is_ours or strode() > 2


def test_a_task_that_fails_fails_its_node(bench: Bench, plain_bench: Bench) -> None:
    def build(one: Bench) -> Any:
        if one.colour == "async":

            @task
            async def fails() -> None:
                raise ValueError("no")

            async def calls(state: Log) -> dict[str, Any]:
                await fails()
                return {"log": ["never"]}
        else:

            @task
            def fails() -> None:
                raise ValueError("no")

            def calls(state: Log) -> dict[str, Any]:
                fails().result()
                return {"log": ["never"]}

        return one.app(_row(one, *"abc", b=calls))

    ended = [_ended(lambda one=one: one.invoke(build(one), {"log": []})) for one in (bench, plain_bench)]
    assert ended[0] == ended[1]


def test_a_node_that_is_tried_again_is_tried_as_ever(bench: Bench, strode: Strode) -> None:
    tries = 0

    def flaky(state: Log) -> dict[str, Any]:
        nonlocal tries
        tries += 1
        if get_runtime().execution_info.node_attempt < 3:
            raise ConnectionError("try again")
        return {"log": ["flaky"]}

    builder = add_all(Log, {"a": bench.say("a"), "c": bench.say("c"), "d": bench.say("d")})
    builder.add_node("flaky", flaky, retry_policy=RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3))
    connect(builder, (START, "a"), ("a", "flaky"), ("flaky", "c"), ("c", "d"))
    assert bench.invoke(bench.app(builder), {"log": []}) == {"log": ["a", "flaky", "c", "d"]}
    assert tries == 3
    assert not bench.is_ours or strode() > 1


@pytest.mark.filterwarnings("ignore:Node 'b' called interrupt")
def test_an_interrupt_without_a_checkpointer_ends_the_run_as_ever(bench: Bench, plain_bench: Bench) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("well?")]}

    def strip(found: Any) -> Any:
        return str(found).split(", id=")[0]

    ended = [
        strip(_ended(lambda one=one: one.invoke(one.app(_row(one, *"abc", b=ask)), {"log": []})))
        for one in (bench, plain_bench)
    ]
    assert ended[0] == ended[1]
    assert "well?" in ended[0] or GraphInterrupt.__name__ in ended[0]


def test_a_command_as_the_input_begins_a_row(bench: Bench, plain_bench: Bench) -> None:
    given: list[Any] = [Command(update={"log": ["given"]}, goto="b"), Command(goto="b"), Command(update={"log": ["x"]})]
    for command in given:
        ended = [_ended(partial(one.invoke, one.app(_row(one, *"abcd")), command)) for one in (bench, plain_bench)]
        assert ended[0] == ended[1]


def test_a_graph_in_a_row_goes_where_it_likes_in_the_outer_one(
    bench: Bench, plain_bench: Bench, strode: Strode
) -> None:
    def build(one: Bench) -> Any:
        def leave(state: Log) -> Command[Any]:
            return Command(graph=Command.PARENT, update={"log": ["left"]}, goto="d")

        inner = _row(one, "in", "out", **{"out": leave}).compile()
        builder = add_all(Log, {name: one.say(name) for name in "acde"})
        builder.add_node("graph", inner)
        return one.app(connect(builder, (START, "a"), ("a", "graph"), ("graph", "c"), ("d", "e")))

    assert bench.invoke(build(bench), {"log": []}) == plain_bench.invoke(build(plain_bench), {"log": []})
    for modes in ("updates", "values"):
        heard = [one.stream(build(one), {"log": []}, stream_mode=modes) for one in (bench, plain_bench)]
        assert heard[0] == heard[1]
    assert not bench.is_ours or strode() > 6


def test_what_is_left_of_the_steps_is_counted(bench: Bench, strode: Strode) -> None:
    class Managed(Log):
        remaining: RemainingSteps
        last: IsLastStep

    def look(state: Any) -> dict[str, Any]:
        return {"log": [str((state["remaining"], state["last"]))]}

    builder = connect(add_all(Managed, dict.fromkeys("abc", look)), (START, "a"), ("a", "b"), ("b", "c"))
    found = bench.invoke(bench.app(builder), {"log": []}, {"recursion_limit": 4})
    assert found == {"log": ["(3, False)", "(2, False)", "(1, True)"]}
    assert not bench.is_ours or strode() == 3


def test_one_packet_begins_a_row(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def build(one: Bench) -> Any:
        builder = connect(add_all(Log, {name: one.say(name) for name in "abcd"}), ("b", "c"), ("c", "d"), (START, "a"))
        builder.add_conditional_edges("a", lambda state: [Send("b", {"log": ["sent"]})], ["b"])
        return one.app(builder)

    for modes in ("updates", "values"):
        heard = [one.stream(build(one), {"log": []}, stream_mode=modes) for one in (bench, plain_bench)]
        assert heard[0] == heard[1]
    assert not bench.is_ours or strode() == 6


def test_what_a_node_is_told_of_its_step(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def told(one: Bench) -> list[Any]:
        seen: list[Any] = []

        def look(state: Log, config: RunnableConfig) -> dict[str, Any]:
            runtime, own = get_runtime(), config["configurable"]
            info = runtime.execution_info
            seen.append(
                (
                    sorted(own),
                    {key: value for key, value in config["metadata"].items() if "checkpoint_ns" not in key},
                    own["checkpoint_ns"].split(":")[0] == config["metadata"]["langgraph_node"],
                    own["checkpoint_ns"].split(":")[1] == info.task_id == own["__pregel_task_id"],
                    list(own["checkpoint_map"]) == [""],
                    own["checkpoint_map"][""] == info.checkpoint_id,
                    info.node_attempt,
                    own["__pregel_scratchpad"].step,
                )
            )
            return {"log": [info.checkpoint_id]}

        app = one.app(_row(one, *"abcd", **dict.fromkeys("abcd", look)))
        ids = one.invoke(app, {"log": []}, {"tags": ["t"], "metadata": {"who": "me"}})["log"]
        assert ids == sorted(set(ids))
        return seen

    ours, plain = told(bench), told(plain_bench)
    keys = [{key for key in one[0] if "alto" not in key} for one in ours]
    assert keys == [set(one[0]) for one in plain]
    assert [one[1:] for one in ours] == [one[1:] for one in plain]
    assert not bench.is_ours or strode() == 4


def test_a_context_variable_that_a_node_sets_is_its_own(bench: Bench) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    def node(state: Log) -> dict[str, Any]:
        found = variable.get()
        variable.set("set")
        return {"log": [found]}

    app = bench.app(_row(bench, *"abc", **dict.fromkeys("abc", node)))
    assert bench.invoke(app, {"log": []}) == {"log": ["none"] * 3}
    assert variable.get() == "none"


def test_a_run_that_is_to_drain_stops_before_its_next_step(bench: Bench, plain_bench: Bench, strode: Strode) -> None:
    def ended(one: Bench) -> Any:
        control = RunControl()

        def drain(state: Log) -> dict[str, Any]:
            control.request_drain("that is all")
            return {"log": ["drain"]}

        app = one.app(_row(one, *"abcd", c=drain))
        return _ended(lambda: one.invoke(app, {"log": []}, control=control))

    ours = ended(bench)
    assert ours == ended(plain_bench)
    assert ours[0] is GraphDrained
    assert not bench.is_ours or strode() == 3


def test_a_stream_that_is_left_ends_the_run(bench: Bench, strode: Strode) -> None:
    ran: list[str] = []

    def node(name: str) -> Any:
        def say(state: Log) -> dict[str, Any]:
            ran.append(name)
            return {"log": [name]}

        return say

    app = bench.app(_row(bench, *"abcd", **{name: node(name) for name in "abcd"}))

    async def leave() -> None:
        stream = app.astream({"log": []}, stream_mode="updates")
        async for _ in stream:
            break
        await stream.aclose()

    if bench.colour == "async":
        run(leave)
    else:
        stream = app.stream({"log": []}, stream_mode="updates")
        next(stream)
        stream.close()
    assert ran == ["a"]
    assert not bench.is_ours or strode() > 0


def test_a_cancel_reaches_the_node_that_runs(bench: Bench, strode: Strode) -> None:
    if bench.colour == "sync":
        pytest.skip("threads are not cancelled")
    ended: list[str] = []

    async def long(state: Log) -> dict[str, Any]:
        try:
            await asyncio.sleep(100.0)
        finally:
            ended.append("long")
        return {"log": ["never"]}

    app = bench.app(_row(bench, *"abc", c=long))

    async def cancel() -> None:
        running = asyncio.ensure_future(app.ainvoke({"log": []}))
        await asyncio.sleep(10.0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(cancel)
    assert ended == ["long"]
    assert not bench.is_ours or strode() == 3


def test_others_have_their_turn_while_nodes_follow_that_wait_for_nothing(bench: Bench, strode: Strode) -> None:
    if bench.colour == "sync":
        pytest.skip("turns are of event loops")
    builder = StateGraph(Log)

    async def again(state: Log) -> Command[Any]:
        return Command(goto="again") if not had_turn else Command(goto=END)

    had_turn: list[bool] = []
    builder.add_node("again", again, destinations=("again", END))
    builder.add_edge(START, "again")
    app = bench.app(builder)

    async def beside() -> None:
        running = asyncio.ensure_future(app.ainvoke({"log": []}, {"recursion_limit": 1_000_000}))
        for _ in range(20):
            await asyncio.sleep(0)
        had_turn.append(True)
        await running

    asyncio.run(beside())
    assert not bench.is_ours or strode() > 0


def test_a_run_with_a_checkpointer_saves_every_step(bench: Bench, strode: Strode) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    app = bench.app(_row(bench, *"abc"), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    bench.invoke(app, {"log": []}, config)
    assert [len(state.values["log"]) for state in bench.history(app, config)] == [3, 2, 1, 0, 0]
    assert strode() == 0
