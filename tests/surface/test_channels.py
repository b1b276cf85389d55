"""Every kind of channel that a key may have: what it keeps, for how long, and what of it is saved."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from dropin import compare
from dropin.shapes.base import Builder, add_all, connect
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.channels import AnyValue, DeltaChannel, EphemeralValue, LastValue, Topic, UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import START, add_messages
from typing_extensions import TypedDict

from surface.bench import Bench, thread


def extend(left: list[str], right: Sequence[list[str]]) -> list[str]:
    return [*left, *(word for words in right for word in words)]


def bigger(left: int, right: int) -> int:
    return max(left, right)


class Kinds(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    last: Annotated[str, LastValue(str)]
    any: Annotated[str, AnyValue(str)]
    once: Annotated[str, EphemeralValue(str)]
    many: Annotated[str, EphemeralValue(str, False)]
    untracked: Annotated[str, UntrackedValue(str)]
    topic: Annotated[Sequence[str], Topic(str)]
    all: Annotated[Sequence[str], Topic(str, accumulate=True)]
    delta: Annotated[list[str], DeltaChannel(extend, list)]
    biggest: Annotated[int, bigger]
    messages: Annotated[list[AnyMessage], add_messages]


def _kinds(bench: Bench, key: str, first: Any, second: Any) -> Builder:
    """`fast` writes the key, `look` reads it one step later beside the slow node and writes it, `end` reads it."""

    def fast(state: Kinds) -> Any:
        return {key: first, "log": ["fast"]}

    def look(state: Kinds) -> Any:
        return {"log": [f"look {state.get(key)}"], key: second}

    def end(state: Kinds) -> Any:
        return {"log": [f"end {state.get(key)}"]}

    nodes = {"fast": fast, "slow": bench.slow(), "after": bench.overtakes("after"), "look": look, "end": end}
    builder = connect(add_all(Kinds, nodes), (START, "fast"), (START, "slow"), ("fast", "look"), ("fast", "after"))
    return connect(builder, ("look", "end"))


CASES: dict[str, tuple[Any, Any, list[str]]] = {
    "last": ("a", "b", ["look a", "end b"]),
    "any": ("a", "b", ["look a", "end b"]),
    "once": ("a", "b", ["look a", "end b"]),
    "many": ("a", "b", ["look a", "end b"]),
    "untracked": ("a", "b", ["look a", "end b"]),
    "topic": (["a", "b"], "c", ["look ['a', 'b']", "end ['c']"]),
    "all": (["a", "b"], "c", ["look ['a', 'b']", "end ['a', 'b', 'c']"]),
    "delta": (["a"], ["b"], ["look ['a']", "end ['a', 'b']"]),
    "biggest": (7, 3, ["look 7", "end 7"]),
}


@pytest.mark.parametrize("key", CASES)
def test_a_key_is_read_as_its_channel_says(bench: Bench, key: str) -> None:
    first, second, told = CASES[key]
    app = bench.app(_kinds(bench, key, first, second), checkpointer=InMemorySaver())
    log = bench.invoke(app, {"log": []}, thread())["log"]
    bench.assert_started_early(app)
    assert log == ["fast", "slow", "after", *told]


@pytest.mark.parametrize("key", CASES)
def test_what_is_saved_of_a_key_is_what_langgraph_saves(bench: Bench, plain_bench: Bench, key: str) -> None:
    first, second, _ = CASES[key]
    found = []
    for side in (bench, plain_bench):
        app = side.app(_kinds(side, key, first, second), checkpointer=InMemorySaver())
        side.invoke(app, {"log": []}, thread())
        history = [compare.history(side.history(app, thread()))]
        side.invoke(app, {"log": ["again"]}, thread())
        history.append(compare.history(side.history(app, thread())))
        found.append(history)
    assert found[0] == found[1]


@pytest.mark.parametrize("key", ["last", "once", "untracked", "topic", "delta", "biggest"])
def test_a_node_that_starts_early_reads_what_the_step_before_wrote(bench: Bench, key: str) -> None:
    _, _, told = CASES[key]
    reader = _readers(bench)[key]
    nodes = {"fast": _writers()[key], "slow": bench.slow(), "look": reader}
    app = bench.app(connect(add_all(Kinds, nodes), (START, "fast"), (START, "slow"), ("fast", "look")))
    bench.overlapping = key != "delta"
    assert bench.invoke(app, {"log": []})["log"] == ["slow", told[0]]
    bench.assert_started_early(app)


def _writers() -> dict[str, Any]:
    return {
        "last": lambda state: {"last": "a"},
        "once": lambda state: {"once": "a"},
        "untracked": lambda state: {"untracked": "a"},
        "topic": lambda state: {"topic": ["a", "b"]},
        "delta": lambda state: {"delta": ["a"]},
        "biggest": lambda state: {"biggest": 7},
    }


def _readers(bench: Bench) -> dict[str, Any]:
    def last(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"look {state['last']}"]}

    def once(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"look {state['once']}"]}

    def untracked(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"look {state['untracked']}"]}

    def topic(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"look {state['topic']}"]}

    def delta(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"look {state['delta']}"]}

    def biggest(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"look {state['biggest']}"]}

    return {name: node for name, node in locals().items() if name in CASES}


@pytest.mark.parametrize("key", ["last", "once"])
def test_two_writers_of_one_step_are_refused_where_a_channel_takes_one(bench: Bench, key: str) -> None:
    def write(state: Kinds) -> Any:
        return {key: "a"}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Kinds, {**nodes, "one": write, "two": write})
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "one"), ("after", "two"))
    app = bench.app(builder)
    with pytest.raises(InvalidUpdateError, match="receive only one value per step"):
        bench.invoke(app, {"log": []})


@pytest.mark.parametrize("key", ["any", "many"])
def test_two_writers_of_one_step_are_taken_where_a_channel_takes_several(bench: Bench, key: str) -> None:
    def write(state: Kinds) -> Any:
        return {key: "a"}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Kinds, {**nodes, "one": write, "two": write})
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "one"), ("after", "two"))
    app = bench.app(builder)
    assert bench.invoke(app, {"log": []})[key] == "a"
    bench.assert_started_early(app)


def test_messages_are_added_replaced_and_removed(bench: Bench) -> None:
    def answer(state: Kinds) -> dict[str, Any]:
        return {"messages": [AIMessage("first", id="answer"), AIMessage("extra", id="extra")]}

    def mend(state: Kinds) -> dict[str, Any]:
        bench.overtaken.set()
        return {"messages": [AIMessage("mended", id="answer"), RemoveMessage(id="extra")]}

    nodes = {"answer": answer, "slow": bench.slow(), "mend": mend}
    app = bench.app(connect(add_all(Kinds, nodes), (START, "answer"), (START, "slow"), ("answer", "mend")))
    found = bench.invoke(app, {"messages": [HumanMessage("hello", id="hello")], "log": []})
    assert [(message.id, message.content) for message in found["messages"]] == [
        ("hello", "hello"),
        ("answer", "mended"),
    ]
    bench.assert_started_early(app)


def test_a_delta_is_rebuilt_from_its_writes(bench: Bench) -> None:
    app = bench.app(_kinds(bench, "delta", ["a"], ["b"]), checkpointer=InMemorySaver())
    for turn in range(3):
        bench.invoke(app, {"log": [], "delta": [f"turn {turn}"]}, thread())
    bench.assert_started_early(app)
    wanted = [word for turn in range(3) for word in (f"turn {turn}", "a", "b")]
    assert bench.state(app, thread()).values["delta"] == wanted
    lengths = [len(state.values.get("delta", ())) for state in bench.history(app, thread())]
    assert lengths == sorted(lengths, reverse=True)
