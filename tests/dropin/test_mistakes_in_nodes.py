"""Mistakes in what a node returns: what LangGraph loses in silence, and what it refuses. Each first on LangGraph."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, RetryPolicy, Send
from pydantic import BaseModel
from sim.loop import VirtualLoop, run
from typing_extensions import TypedDict

import alto_lg
from alto_lg.errors import Mistake
from dropin.mistaken import (
    INPUT,
    THREAD,
    Colour,
    State,
    answer,
    assert_not_said,
    assert_said,
    assert_same_error,
    both_colours,
    graph_of,
    hear,
    writes_x,
)
from dropin.watch import App, Implementation


def returning(value: Any) -> Callable[[State], Any]:
    def node(state: State) -> Any:
        return value() if callable(value) else value

    return node


def writes_log(state: State) -> dict[str, Any]:
    return {"log": ["b"]}


# ── keys that the state does not have ───────────────────────────────────────────────────────────────────────────

DROPPED = "Node 'a' returned key 'zzz', which is not in the state (keys: log, x); LangGraph drops it."


@both_colours
@pytest.mark.parametrize(
    "update",
    [
        {"x": 1, "zzz": 2},
        {"zzz": 2},
        Command(update={"x": 1, "zzz": 2}),
        Command(update={"zzz": 2}, goto=END),
        [Command(update={"x": 1}), {"zzz": 2}],
        [{"log": ["one"]}, Command(update={"zzz": 2})],
    ],
    ids=["among others", "alone", "command", "command that goes", "list", "command in a list"],
)
def test_a_key_that_is_not_in_the_state_is_named(update: Any, colour: Colour) -> None:
    assert_said(graph_of(a=returning(update)).compile, lambda app: answer(app, colour), DROPPED)


def test_a_misspelt_key_is_named_with_the_one_that_was_meant() -> None:
    text = (
        "Node 'a' returned key 'lgo', which is not in the state (keys: log, x); LangGraph drops it. Did you mean 'log'?"
    )
    assert_said(graph_of(a=returning({"lgo": ["hello"]})).compile, lambda app: answer(app, "async"), text)


def test_each_key_and_each_node_is_named_once() -> None:
    build = graph_of(a=returning({"yyy": 1, "zzz": 2}), b=returning({"zzz": 3}))
    app = alto_lg.accelerate(build.compile())
    said = hear(lambda: [answer(app, "async"), answer(app, "sync")]).said
    assert sorted(text.partition(",")[0] for text in said) == [
        "Node 'a' returned key 'yyy'",
        "Node 'a' returned key 'zzz'",
        "Node 'b' returned key 'zzz'",
    ]


def test_a_graph_with_names_without_end_says_so_many_and_no_more() -> None:
    numbers = iter(range(10_000))
    app = alto_lg.accelerate(graph_of(a=lambda state: {f"key {next(numbers)}": 1 for _ in range(1500)}).compile())
    assert len(hear(lambda: answer(app, "sync")).said) == 1000


class Wide(TypedDict):
    x: int
    extra: str


def _wide(**compiling: Any) -> App:
    inner = StateGraph(Wide)
    inner.add_node("inside", lambda state: {"x": 4, "extra": "mine"})
    inner.add_edge(START, "inside")
    return inner.compile(**compiling)


class Calls:
    """A node that is an object with a graph, and another whose method calls it."""

    def __init__(self, graph: App) -> None:
        self.graph = graph

    def __call__(self, state: State) -> Any:
        return self.graph.invoke(state)

    def by_method(self, state: State) -> Any:
        return self.graph.invoke(state)


def _calls(graph: App, state: State) -> Any:
    return graph.invoke(state)


@pytest.mark.parametrize("compiling", [{}, {"checkpointer": False}], ids=["with memory", "without"])
@pytest.mark.parametrize(
    "node_of",
    [
        lambda sub: sub,
        lambda sub: lambda state: sub.invoke(state),
        lambda sub: lambda state: dict(sub.invoke(state)),
        lambda sub: functools.partial(_calls, sub),
        lambda sub: Calls(sub),
        lambda sub: Calls(sub).by_method,
        lambda sub: (lambda graphs: lambda state: graphs["a"].invoke(state))({"a": sub}),
    ],
    ids=["subgraph", "closure", "copy", "partial", "object", "method", "collection"],
)
def test_a_graph_in_a_node_has_keys_of_its_own(node_of: Any, compiling: dict[str, Any]) -> None:
    sub = _wide(**compiling)
    assert_not_said(lambda: graph_of(a=node_of(sub)).compile(), lambda app: answer(app, "sync"))


def test_a_command_for_the_graph_above_has_the_keys_of_that_one() -> None:
    def leaves(state: State) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="after", update={"above": 1, "x": 2})

    class Above(TypedDict):
        x: int
        above: int

    def build() -> App:
        builder = StateGraph(Above)
        builder.add_node("sub", graph_of(leaves).compile(), destinations=("after",))
        builder.add_node("after", lambda state: {"x": state["x"] + state["above"]})
        builder.add_edge(START, "sub")
        return builder.compile()

    assert_not_said(build, lambda app: answer(app, "async", {"x": 0, "above": 0}))


class Model(BaseModel):
    x: int = 0
    log: Annotated[list[str], lambda left, right: left + right] = []


@dataclass
class Private:
    secret: str = ""


def test_updates_of_every_kind_are_not_complained_of() -> None:
    def private(state: State) -> Private:
        return Private("known to the graph, because a node reads it")

    def reads_private(state: Private) -> dict[str, Any]:
        return {"log": [state.secret]}

    for result in (None, {}, {"x": 1}, Model(x=3), [Command(update={"x": 2}), Command(update=[("log", ["pair"])])]):

        def build(result: Any = result) -> App:
            return graph_of(a=returning(result), private=private, reads_private=reads_private).compile()

        assert_not_said(build, lambda app: answer(app, "async"))


def test_a_state_that_is_one_value_has_no_keys_to_lose() -> None:
    def build() -> App:
        builder = StateGraph(dict)
        builder.add_node("a", lambda state: {**state, "anything": 1})
        builder.add_edge(START, "a")
        return builder.compile()

    assert_not_said(build, lambda app: answer(app, "async", {"x": 0}))


def test_messages_are_not_complained_of() -> None:
    def build() -> App:
        builder = StateGraph(MessagesState)
        builder.add_node("a", lambda state: {"messages": AIMessage("hello", id="h")})
        builder.add_edge(START, "a")
        return builder.compile()

    assert_not_said(build, lambda app: answer(app, "async", {"messages": [AIMessage("first", id="f")]}))


# ── destinations that are not there ─────────────────────────────────────────────────────────────────────────────

ROUTED = "{} routed to 'nope', which is not a node (nodes: a, node_b); LangGraph ends that branch."
SENT = "{} sent a packet to 'nope', which is not a node (nodes: a, node_b); LangGraph drops it."


def _routing(result: Any, source: str = "a") -> Callable[[], App]:
    def build() -> App:
        builder = graph_of(a=writes_x)
        builder.add_node("node_b", writes_log)
        builder.add_conditional_edges(source, lambda state: result)
        return builder.compile()

    return build


def _going(result: Any) -> Callable[[], App]:
    def build() -> App:
        builder = graph_of(a=returning(Command(goto=result, update={"x": 5})))
        builder.add_node("node_b", writes_log)
        return builder.compile()

    return build


@both_colours
@pytest.mark.parametrize(
    ("build", "text"),
    [
        (_routing("nope"), ROUTED.format("Node 'a'")),
        (_routing(["node_b", "nope"]), ROUTED.format("Node 'a'")),
        (_routing("nope", START), ROUTED.format("The conditional edge from START")),
        (_going("nope"), ROUTED.format("Node 'a'")),
        (_going(["node_b", "nope"]), ROUTED.format("Node 'a'")),
        (_routing(Send("nope", {})), SENT.format("Node 'a'")),
        (_routing([Send("node_b", INPUT), Send("nope", {})]), SENT.format("Node 'a'")),
        (_going(Send("nope", {})), SENT.format("Node 'a'")),
        (_routing("node_c"), ROUTED.format("Node 'a'").replace("nope", "node_c") + " Did you mean 'node_b'?"),
        (_going([writes_log]), ROUTED.format("Node 'a'").replace("'nope'", repr(writes_log))),
    ],
    ids=[
        "route",
        "route among others",
        "route from START",
        "goto",
        "goto among others",
        "packet",
        "packet among others",
        "packet by goto",
        "route misspelt",
        "goto by function",
    ],
)
def test_a_way_to_nowhere_is_named(build: Callable[[], App], text: str, colour: Colour) -> None:
    assert_said(build, lambda app: answer(app, colour), text)


@pytest.mark.parametrize(
    "build",
    [
        _routing("node_b"),
        _routing([END]),
        _routing(["node_b", Send("node_b", INPUT), END]),
        _routing([]),
        _routing("node_b", START),
        _going("node_b"),
        _going(END),
        _going([Send("node_b", INPUT), "node_b", END]),
    ],
)
def test_a_way_to_somewhere_is_not_complained_of(build: Callable[[], App]) -> None:
    assert_not_said(build, lambda app: answer(app, "async"))


def test_a_mistake_is_not_tried_again() -> None:
    ran: list[str] = []

    def build() -> App:
        builder = StateGraph(State)
        builder.add_node("a", lambda state: ran.append("a") or {"zzz": 1}, retry_policy=RetryPolicy(max_attempts=3))
        builder.add_edge(START, "a")
        return builder.compile()

    with pytest.raises(Mistake):
        answer(alto_lg.accelerate(build(), strict=True), "async")
    assert ran == ["a"]


def test_a_mistake_in_a_subgraph_is_one_with_strict_too() -> None:
    def build() -> App:
        return graph_of(sub=graph_of(a=returning({"zzz": 1})).compile()).compile()

    assert_said(build, lambda app: answer(app, "async"), DROPPED)


# ── what LangGraph refuses ──────────────────────────────────────────────────────────────────────────────────────


def _notes_of(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", []))


@both_colours
@pytest.mark.parametrize("result", [[1], "text", 7])
def test_a_result_that_is_no_update_is_refused_and_its_node_named(result: Any, colour: Colour) -> None:
    error = assert_same_error(graph_of(a=returning(result)).compile, lambda app: answer(app, colour))
    assert type(error) is InvalidUpdateError
    assert str(error).startswith(f"Expected dict, got {result}\n")
    assert "During task with name 'a'" in _notes_of(error)


@both_colours
def test_a_route_to_none_is_refused_and_its_node_named(colour: Colour) -> None:
    error = assert_same_error(_routing(None), lambda app: answer(app, colour))
    assert (type(error), str(error)) == (ValueError, "Branch did not return a valid destination")
    assert "During task with name 'a'" in _notes_of(error)


@both_colours
@pytest.mark.parametrize("saver", [None, InMemorySaver])
def test_two_writers_of_a_key_that_takes_one_are_both_named(saver: Any, colour: Colour) -> None:
    error = assert_same_error(
        lambda: graph_of(b=writes_x, a=returning({"x": 2}), c=writes_log).compile(checkpointer=saver and saver()),
        lambda app: answer(app, colour, config=THREAD),
        "Nodes 'a' and 'b' wrote 'x' in the same step. Give it a reducer, or let one node write it.",
    )
    assert type(error) is InvalidUpdateError


@both_colours
def test_a_writer_that_runs_more_than_once_in_a_step_is_counted(colour: Colour) -> None:
    def build() -> App:
        builder = graph_of(a=returning({"log": ["a"]}))
        builder.add_node("b", writes_x)
        builder.add_conditional_edges("a", lambda state: [Send("b", INPUT)] * 3)
        return builder.compile()

    assert_same_error(
        build,
        lambda app: answer(app, colour),
        "Node 'b' wrote 'x' 3 times in the same step. Give it a reducer, or let one node write it.",
    )


@both_colours
def test_two_writers_in_a_subgraph_are_named_once(colour: Colour) -> None:
    error = assert_same_error(
        lambda: graph_of(sub=graph_of(b=writes_x, a=returning({"x": 2})).compile(), c=writes_log).compile(),
        lambda app: answer(app, colour),
    )
    assert _notes_of(error).count("wrote 'x' in the same step") == 1


class Odd:
    """A class that no serializer knows."""


@both_colours
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize(
    ("value", "what"),
    [(returning, "a function"), ({"deep": [returning]}, "a function"), (Odd(), "an Odd")],
    ids=["function", "inside", "object"],
)
def test_a_value_that_cannot_be_saved_is_named(value: Any, what: str, durability: str, colour: Colour) -> None:
    error = assert_same_error(
        lambda: graph_of(a=lambda state: {"x": value}).compile(checkpointer=InMemorySaver()),
        lambda app: answer(app, colour, config=THREAD, durability=durability),
        f"Key 'x' written by 'a' holds {what}. Keep it out of the state, or annotate the key with UntrackedValue, "
        "which is not saved.",
    )
    assert type(error) is TypeError


def test_a_value_that_is_not_to_be_saved_is_not_complained_of() -> None:
    class Untracked(TypedDict):
        x: Annotated[Any, UntrackedValue]
        log: list[str]

    def build() -> App:
        builder = StateGraph(Untracked)
        builder.add_node("a", lambda state: {"x": Odd})
        builder.add_edge(START, "a")
        return builder.compile(checkpointer=InMemorySaver())

    assert_not_said(build, lambda app: answer(app, "async", {"log": []}, THREAD)["log"])


@both_colours
def test_the_error_of_a_node_gets_no_note_of_ours(colour: Colour) -> None:
    def fails(state: State) -> Any:
        raise TypeError("Type is not msgpack serializable: function")

    error = assert_same_error(
        lambda: graph_of(fails).compile(checkpointer=InMemorySaver()), lambda app: answer(app, colour, config=THREAD)
    )
    assert _notes_of(error).count("\n") == 0


# ── holding the event loop ──────────────────────────────────────────────────────────────────────────────────────

HELD = "Node 'a' held the event loop for 2.5 s; nothing could overlap. Make it sync (it will run in a thread) or await."


def _holding(*seconds: float, waits_s: float = 0.1) -> Any:
    """A node that keeps the (virtual) event loop for so long, several times."""

    async def a(state: State) -> dict[str, Any]:
        for held_s in seconds:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop._now_s += held_s
            await asyncio.sleep(waits_s)
        return {"x": len(seconds)}

    return a


def test_an_async_node_that_holds_the_loop_is_named_with_its_longest_time() -> None:
    assert_said(graph_of(_holding(0.5, 2.5, 1.5)).compile, lambda app: answer(app, "async"), HELD)


def test_waiting_is_not_holding() -> None:
    assert_not_said(graph_of(_holding(0.5, 0.5, 0.9, waits_s=30)).compile, lambda app: answer(app, "async"))


def test_how_long_is_too_long_can_be_said() -> None:
    for blocking_s, said in ((2.6, []), (2.4, [HELD]), (0, [])):
        app = alto_lg.accelerate(graph_of(_holding(2.5)).compile(), blocking_s=blocking_s)
        assert hear(lambda: answer(app, "async")).said == said  # noqa: B023


def test_a_node_that_really_holds_the_loop_is_named() -> None:
    async def a(state: State) -> dict[str, Any]:
        time.sleep(0.06)  # noqa: ASYNC251 -- that is the mistake
        return {"x": 1}

    app = alto_lg.accelerate(graph_of(a).compile(), blocking_s=0.05)
    (text,) = hear(lambda: asyncio.run(app.ainvoke(INPUT))).said
    assert text.startswith("Node 'a' held the event loop for 0.")


def test_the_error_of_a_node_that_held_the_loop_is_its_own() -> None:
    async def a(state: State) -> dict[str, Any]:
        await _holding(2.5)(state)
        raise LookupError("mine")

    error = assert_same_error(graph_of(a).compile, lambda app: answer(app, "async"))
    assert type(error) is LookupError


def test_a_node_that_is_timed_can_be_cancelled(impl: Implementation) -> None:
    ended: list[str] = []

    async def a(state: State) -> dict[str, Any]:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            ended.append("cancelled")
            await asyncio.sleep(0)
            ended.append("cleaned up")
            raise
        return {}

    async def main() -> None:
        running = asyncio.ensure_future(impl(graph_of(a).compile()).ainvoke(INPUT))
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(main)
    assert ended == ["cancelled", "cleaned up"]
