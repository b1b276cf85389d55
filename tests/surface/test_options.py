"""The options of `accelerate` that give up some of the plain order: the answers stay the same, in both colours."""

from __future__ import annotations

from typing import Any

from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeError
from langgraph.graph import START
from langgraph.types import Command

from surface.bench import UNEVEN_LOG, Bench, thread, uneven

CHAINS = {"overlap": "chains"}
EAGER = {"events": "eager"}


def test_in_chains_the_answer_and_the_states_are_the_same(bench: Bench) -> None:
    app = bench.app(uneven(bench), CHAINS, checkpointer=InMemorySaver())
    states = bench.stream(app, {"log": []}, thread(), stream_mode="values")
    assert [state["log"] for state in states] == [[], UNEVEN_LOG[:2], UNEVEN_LOG[:3], UNEVEN_LOG]
    bench.assert_started_early(app)


def test_in_chains_a_caller_may_go_to_any_node(bench: Bench) -> None:
    app = bench.app(uneven(bench), CHAINS)
    bench.overlapping = False
    found = bench.invoke(app, Command(update={"log": ["given"]}, goto="after"))
    assert found["log"] == ["given", "given", "after", "fast", "slow", "after", "last", "last"]


def _handled(bench: Bench) -> Builder:
    """`tested` fails, and its handler goes elsewhere: the edge from `tested` to `last` is not followed."""

    def fail(state: Log) -> dict[str, Any]:
        raise ValueError("no")

    def handle(state: Log, error: NodeError) -> Command[Any]:
        return Command(update={"log": [f"handled {error.error}"]}, goto="rescue")

    builder = add_all(Log, {"fast": bench.say("fast"), "last": bench.say("last"), "rescue": bench.say("rescue")})
    builder.add_node("tested", fail, error_handler=handle, destinations=("rescue",))
    return connect(builder, (START, "fast"), ("fast", "tested"), ("tested", "last"))


def test_in_chains_a_node_with_a_handler_is_not_certain_to_go_on(bench: Bench) -> None:
    app = bench.app(_handled(bench), CHAINS)
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "handled no", "rescue"]


def test_eager_updates_are_the_same_updates(bench: Bench) -> None:
    app = bench.app(uneven(bench), EAGER)
    updates = [dict(update) for update in bench.stream(app, {"log": []}, stream_mode="updates")]
    assert sorted(updates, key=repr) == sorted(({word: {"log": [word]}} for word in UNEVEN_LOG), key=repr)
    bench.assert_started_early(app)


def test_with_eager_updates_the_states_keep_their_order(bench: Bench) -> None:
    app = bench.app(uneven(bench), EAGER)
    events = bench.stream(app, {"log": []}, stream_mode=["updates", "values"])
    states = [state["log"] for mode, state in events if mode == "values"]
    assert states == [[], UNEVEN_LOG[:2], UNEVEN_LOG[:3], UNEVEN_LOG]
    bench.assert_started_early(app)
