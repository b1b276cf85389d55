"""What LangGraph tells its callers of the life of a run: interrupted, resumed, a node finished."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph._internal._constants import CONFIG_KEY_NODE_FINISHED
from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, interrupt

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


class Life(GraphCallbackHandler):
    """Writes down every event of the life of a graph."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, tuple[str, ...], tuple[Any, ...]]] = []
        self.runs: list[Any] = []

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        self.runs.append(event.run_id)
        place = tuple(part.split(":")[0] for part in event.checkpoint_ns)
        self.events.append(("interrupt", event.status, place, tuple(one.value for one in event.interrupts)))

    def on_resume(self, event: GraphResumeEvent) -> None:
        self.runs.append(event.run_id)
        place = tuple(part.split(":")[0] for part in event.checkpoint_ns)
        self.events.append(("resume", event.status, place, ()))


def _asking(bench: Bench, *, inside: bool) -> Builder:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name?")]}

    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")})
    inner = connect(add_all(Log, {"ask": ask}), (START, "ask")).compile()
    builder.add_node("part", inner if inside else ask)
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "part"))


@pytest.mark.parametrize("inside", [False, True], ids=["node", "subgraph"])
def test_a_handler_hears_of_each_question_and_of_each_resumption(bench: Bench, inside: bool) -> None:
    life = Life()
    app = bench.app(_asking(bench, inside=inside), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread(callbacks=[life]))
    bench.assert_started_early(app)
    asked = list(life.events)
    bench.invoke(app, Command(resume="Ann"), thread(callbacks=[life]))
    answered = life.events[len(asked) :]
    assert ("interrupt", "pending", (), ("name?",)) in asked or inside
    assert [event[0] for event in asked] == ["interrupt"] * len(asked)
    assert [event[0] for event in answered] == ["resume"] * len(answered)
    assert {event[3] for event in asked} == {("name?",)}
    places = [(), ("part",)] if inside else [()]
    assert sorted(event[2] for event in answered) == places
    assert None not in life.runs


def test_handlers_hear_the_same_of_a_question_in_a_subgraph(bench: Bench, plain_bench: Bench) -> None:
    heard = []
    for side in (bench, plain_bench):
        life = Life()
        app = side.app(_asking(side, inside=True), checkpointer=InMemorySaver())
        side.invoke(app, {"log": []}, thread(callbacks=[life]))
        side.invoke(app, Command(resume="Ann"), thread(callbacks=[life]))
        heard.append(life.events)
    assert heard[0] == heard[1]


@pytest.mark.parametrize(("stop", "node"), [("interrupt_before", "last"), ("interrupt_after", "after")])
def test_a_handler_hears_of_a_stop(bench: Bench, stop: str, node: str) -> None:
    life = Life()
    app = bench.app(uneven(bench), checkpointer=InMemorySaver(), **{stop: [node]})
    bench.overlapping = False
    bench.invoke(app, {"log": []}, thread(callbacks=[life]))
    assert life.events == [("interrupt", stop, (), ())]
    bench.invoke(app, None, thread(callbacks=[life]))
    assert [event[0] for event in life.events] == ["interrupt", "resume"]


def test_a_run_that_ends_tells_nothing(bench: Bench) -> None:
    life = Life()
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread(callbacks=[life]))
    bench.assert_started_early(app)
    assert life.events == []


def test_each_node_is_told_to_have_finished_once(bench: Bench) -> None:
    finished: list[str] = []
    lock = threading.Lock()

    def tell(name: str) -> None:
        with lock:
            finished.append(name)

    app = bench.app(uneven(bench))
    bench.invoke(app, {"log": []}, {"configurable": {CONFIG_KEY_NODE_FINISHED: tell}})
    bench.assert_started_early(app)
    assert sorted(finished) == sorted(UNEVEN_LOG)
    assert set(finished[:2]) == {"fast", "slow"}, "a node of a later step has finished when its step has"
    assert finished[2:] == ["after", "last"]
