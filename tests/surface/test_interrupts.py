"""Questions to the caller: one, several, by id, in packets, in subgraphs, and stops before and after nodes.

A node that may ask keeps a barrier, so what starts early here is the node before it.
"""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


class Items(TypedDict):
    index: int
    log: Annotated[list[str], operator.add]


def _ask(bench: Bench, name: str, ran: list[str]) -> Any:
    def ask(state: Log) -> dict[str, Any]:
        ran.append(name)
        return {"log": [f"{name} {interrupt(f'{name}?')}"]}

    return ask


def _questions(result: Any) -> list[Any]:
    return sorted(one.value for one in result["__interrupt__"])


def _two_branches(bench: Bench, ran: list[str]) -> Builder:
    """Two questions, two steps after a slow node."""
    nodes = {
        "fast": bench.say("fast"),
        "slow": bench.slow(),
        "after": bench.overtakes("after"),
        "ask_a": _ask(bench, "a", ran),
        "ask_b": _ask(bench, "b", ran),
        "end": bench.say("end"),
    }
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))
    return connect(builder, ("after", "ask_a"), ("after", "ask_b"), (["ask_a", "ask_b"], "end"))


def _asking(bench: Bench, ask: Any) -> Builder:
    nodes = {
        "fast": bench.say("fast"),
        "slow": bench.slow(),
        "after": bench.overtakes("after"),
        "ask": ask,
        "last": bench.say("last"),
    }
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))
    return connect(builder, ("after", "ask"), ("ask", "last"))


def test_a_question_is_asked_once_and_answered_once(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_asking(bench, _ask(bench, "a", ran)), checkpointer=InMemorySaver())
    asked = bench.invoke(app, {"log": []}, thread())
    bench.assert_started_early(app)
    assert _questions(asked) == ["a?"]
    assert asked["log"] == ["fast", "slow", "after"]
    assert ran == ["a"]
    state = bench.state(app, thread())
    assert state.next == ("ask",)
    assert state.interrupts == tuple(asked["__interrupt__"]) == state.tasks[0].interrupts
    assert bench.invoke(app, Command(resume="Ann"), thread()) == {"log": ["fast", "slow", "after", "a Ann", "last"]}
    assert ran == ["a", "a"]


def test_two_questions_are_answered_by_id(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_two_branches(bench, ran), checkpointer=InMemorySaver())
    asked = bench.invoke(app, {"log": []}, thread())
    bench.assert_started_early(app)
    assert _questions(asked) == ["a?", "b?"]
    answers = {one.id: f"to {one.value}" for one in asked["__interrupt__"]}
    found = bench.invoke(app, Command(resume=answers), thread())
    assert found == {"log": ["fast", "slow", "after", "a to a?", "b to b?", "end"]}
    assert sorted(ran) == ["a", "a", "b", "b"]


def test_one_of_two_questions_is_answered_and_the_other_stays(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_two_branches(bench, ran), checkpointer=InMemorySaver())
    asked = bench.invoke(app, {"log": []}, thread())
    of_b = next(one for one in asked["__interrupt__"] if one.value == "b?")
    still = bench.invoke(app, Command(resume={of_b.id: "Bo"}), thread())
    assert _questions(still) == ["a?"]
    assert [one.value for one in bench.state(app, thread()).interrupts] == ["a?"]
    assert bench.invoke(app, Command(resume="Ann"), thread())["log"][-3:] == ["a Ann", "b Bo", "end"]
    assert ran.count("b") == 2


def test_one_value_for_two_questions_is_refused(bench: Bench) -> None:
    app = bench.app(_two_branches(bench, []), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread())
    with pytest.raises(RuntimeError, match="multiple pending interrupts"):
        bench.invoke(app, Command(resume="Ann"), thread())


def test_one_node_asks_one_question_after_the_other(bench: Bench) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("first?"), interrupt("second?")]}

    app = bench.app(_asking(bench, ask), checkpointer=InMemorySaver())
    assert _questions(bench.invoke(app, {"log": []}, thread())) == ["first?"]
    bench.assert_started_early(app)
    assert _questions(bench.invoke(app, Command(resume="one"), thread())) == ["second?"]
    assert bench.invoke(app, Command(resume="two"), thread()) == {
        "log": ["fast", "slow", "after", "one", "two", "last"]
    }


def _packets(bench: Bench, ran: list[str]) -> Builder:
    def spread(state: Items) -> list[Send]:
        return [Send("first", {"index": index, "log": []}) for index in range(3)]

    def first(item: Items) -> Command[Any]:
        bench.overtaken.set()
        return Command(update={"log": [f"first {item['index']}"]}, goto=Send("ask", {"index": item["index"]}))

    def ask(item: Items) -> dict[str, Any]:
        ran.append(f"ask {item['index']}")
        said = interrupt(f"item {item['index']}?") if item["index"] != 1 else "nothing"
        return {"log": [f"asked {item['index']} {said}"]}

    builder = add_all(Items, {"plan": bench.say("plan"), "slow": bench.slow(), "ask": ask, "end": bench.say("end")})
    builder.add_node("first", first, destinations=("ask",))
    builder.add_conditional_edges("plan", spread, ["first"])
    return connect(builder, (START, "plan"), (START, "slow"), ("ask", "end"))


def test_packets_that_ask_are_answered_by_id(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_packets(bench, ran), checkpointer=InMemorySaver())
    asked = bench.invoke(app, {"index": 0, "log": []}, thread())
    bench.assert_started_early(app)
    assert _questions(asked) == ["item 0?", "item 2?"]
    assert sorted(ran) == ["ask 0", "ask 1", "ask 2"]
    answers = {one.id: one.value[5] for one in asked["__interrupt__"]}
    found = bench.invoke(app, Command(resume=answers), thread())
    wanted = ["plan", "slow", "first 0", "first 1", "first 2", "asked 0 0", "asked 1 nothing", "asked 2 2", "end"]
    assert found["log"] == wanted
    assert ran.count("ask 1") == 1


def test_a_question_in_a_subgraph_is_answered_there(bench: Bench) -> None:
    ran: list[str] = []
    inner = add_all(Log, {"one": bench.say("one"), "ask": _ask(bench, "inner", ran)})
    connect(inner, (START, "one"), ("one", "ask"))
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")})
    builder.add_node("inner", inner.compile())
    builder.add_node("last", bench.say("last"))
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"), ("inner", "last"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    assert _questions(bench.invoke(app, {"log": []}, thread())) == ["inner?"]
    bench.assert_started_early(app)
    found = bench.invoke(app, Command(resume="Ann"), thread())
    before = ["fast", "slow", "after"]
    assert found == {"log": [*before, *before, "one", "inner Ann", "last"]}


def test_an_answer_may_come_with_an_update_and_a_destination(bench: Bench) -> None:
    ran: list[str] = []
    builder = _asking(bench, _ask(bench, "a", ran))
    builder.add_node("extra", bench.say("extra"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread())
    bench.assert_started_early(app)
    found = bench.invoke(app, Command(resume="Ann", update={"log": ["update"]}, goto="extra"), thread())
    assert found["log"] == ["fast", "slow", "after", "update", "a Ann", "extra", "last"]


@pytest.mark.filterwarnings("ignore:Node 'ask' called interrupt:alto_lg.AltoWarning")
def test_without_a_saver_a_question_ends_the_run_and_cannot_be_answered(bench: Bench) -> None:
    ran: list[str] = []
    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "ask": _ask(bench, "a", ran)}
    app = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "ask")))
    assert _questions(bench.invoke(app, {"log": []})) == ["a?"]
    assert ran == ["a"]
    with pytest.raises(RuntimeError, match="without checkpointer"):
        bench.invoke(app, Command(resume="Ann"))


STOPS = ("interrupt_before", "interrupt_after")


@pytest.mark.parametrize("when", ["compile", "run"])
@pytest.mark.parametrize("stop", STOPS)
def test_a_run_stops_at_a_node_and_goes_on(bench: Bench, stop: str, when: str) -> None:
    node = "last" if stop == "interrupt_before" else "after"
    compiling, running = ({stop: [node]}, {}) if when == "compile" else ({}, {stop: [node]})
    ran: list[str] = []

    def mark(state: Log) -> dict[str, Any]:
        ran.append("last")
        return {"log": ["last"]}

    def overtake(state: Log) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": ["after"]}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": overtake, "last": mark}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))
    app = bench.app(builder, checkpointer=InMemorySaver(), **compiling)
    stopped = bench.invoke(app, {"log": []}, thread(), **running)
    bench.assert_started_early(app)
    assert stopped["log"] == UNEVEN_LOG[:3]
    assert ran == []
    assert bench.state(app, thread()).next == ("last",)
    assert bench.invoke(app, None, thread(), **running) == {"log": UNEVEN_LOG}
    assert ran == ["last"]


@pytest.mark.parametrize("stop", STOPS)
def test_a_run_that_stops_at_every_node_stops_at_every_step(bench: Bench, stop: str) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.overlapping = False  # nothing may run beyond a stop
    found = [bench.invoke(app, {"log": []}, thread(), **{stop: "*"})]
    while bench.state(app, thread()).next:
        found.append(bench.invoke(app, None, thread(), **{stop: "*"}))
    logs = [state["log"] for state in found]
    steps = [UNEVEN_LOG[:2], UNEVEN_LOG[:3], UNEVEN_LOG]
    assert logs == ([[], *steps] if stop == "interrupt_before" else steps)


def test_a_stop_is_streamed_once_as_an_update(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.overlapping = False
    updates = bench.stream(app, {"log": []}, thread(), stream_mode="updates", interrupt_before=["after"])
    assert updates[-1] == {"__interrupt__": ()}
    assert {name for update in updates[:-1] for name in update} == {"fast", "slow"}
