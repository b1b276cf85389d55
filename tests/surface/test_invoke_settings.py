"""What `invoke` gives back: a state, a typed output with its interrupts, or a list of events."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, GraphOutput, interrupt
from pydantic import BaseModel

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


class Model(BaseModel):
    log: Annotated[list[str], operator.add]


def _typed(bench: Bench) -> Builder:
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    return connect(add_all(Model, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))


def _asking(bench: Bench) -> Builder:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name?")]}

    return connect(
        add_all(Log, {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "ask": ask}),
        (START, "fast"),
        (START, "slow"),
        ("fast", "ask"),
    )


def test_version_two_gives_value_and_interrupts_apart(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    output = bench.invoke(app, {"log": []}, version="v2")
    assert isinstance(output, GraphOutput)
    assert output.value == {"log": UNEVEN_LOG}
    assert output.interrupts == ()
    bench.assert_started_early(app)


def test_version_two_gives_a_model_where_the_state_is_one(bench: Bench) -> None:
    app = bench.app(_typed(bench))
    output = bench.invoke(app, {"log": []}, version="v2")
    assert output.value == Model(log=["fast", "slow", "after"])
    assert bench.invoke(app, Model(log=["given"])) == {"log": ["given", "fast", "slow", "after"]}
    bench.assert_started_early(app)


def test_a_stream_of_version_two_gives_models(bench: Bench) -> None:
    app = bench.app(_typed(bench))
    parts = bench.stream(app, Model(log=[]), stream_mode="values", version="v2")
    assert [part["data"] for part in parts] == [
        Model(log=[]),
        Model(log=["fast", "slow"]),
        Model(log=["fast", "slow", "after"]),
    ]
    bench.assert_started_early(app)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_interrupt_is_told_in_each_version(bench: Bench, version: str) -> None:
    app = bench.app(_asking(bench), checkpointer=InMemorySaver())
    output = bench.invoke(app, {"log": []}, thread(), version=version)
    asked = output["__interrupt__"] if version == "v1" else output.interrupts
    assert [one.value for one in asked] == ["name?"]
    answered = bench.invoke(app, Command(resume="Ann"), thread(), version=version)
    value = answered if version == "v1" else answered.value
    assert value == {"log": ["fast", "slow", "Ann"]}


def test_another_mode_gives_the_list_of_events(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    updates = bench.invoke(app, {"log": []}, stream_mode="updates")
    assert sorted(name for update in updates[:2] for name in update) == ["fast", "slow"]
    assert updates[2:] == [{"after": {"log": ["after"]}}, {"last": {"log": ["last"]}}]
    bench.assert_started_early(app)


def test_a_list_of_modes_gives_the_list_of_named_events(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    events = bench.invoke(app, {"log": []}, stream_mode=["updates", "values"])
    assert [payload["log"] for name, payload in events if name == "values"][-1] == UNEVEN_LOG
    assert [name for name, _ in events][:1] == ["values"]
    bench.assert_started_early(app)


def test_another_mode_in_version_two_gives_the_list_of_parts(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    parts = bench.invoke(app, {"log": []}, stream_mode="updates", version="v2")
    assert {part["type"] for part in parts} == {"updates"}
    assert parts[-1] == {"type": "updates", "ns": (), "data": {"last": {"log": ["last"]}}}
    bench.assert_started_early(app)
