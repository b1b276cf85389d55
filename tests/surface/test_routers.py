"""Conditional edges of every kind: what they may be, what they may return, and that they read what they should."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import END, START
from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from surface.bench import Bench


def by_length(state: Log) -> str:
    return "whole" if len(state["log"]) == 3 else "part"


async def by_length_later(state: Log) -> str:
    return "whole" if len(state["log"]) == 3 else "part"


def by_length_of(size: int, state: Log) -> str:
    return "whole" if len(state["log"]) == size else "part"


def with_config(state: Log, config: RunnableConfig) -> str:
    return "whole" if len(state["log"]) == 3 and config["metadata"]["langgraph_step"] == 2 else "part"


def with_runtime(state: Log, runtime: Runtime[Any]) -> str:
    return "whole" if len(state["log"]) == 3 and runtime.store is None else "part"


class Chooses:
    def __call__(self, state: Log) -> str:
        return by_length(state)

    def method(self, state: Log) -> str:
        return by_length(state)


ROUTERS: dict[str, Any] = {
    "function": by_length,
    "lambda": lambda state: "whole" if len(state["log"]) == 3 else "part",
    "object": Chooses(),
    "method": Chooses().method,
    "partial": functools.partial(by_length_of, 3),
    "runnable": RunnableLambda(by_length),
    "config": with_config,
    "runtime": with_runtime,
}


def _routed(bench: Bench, router: Any, targets: Any) -> Builder:
    """The router follows `after`, in the second step: it must see what the slow node of the first has written.

    A synchronous node with such a router waits for its step, so that it holds no thread; `zero` need not.
    """
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.say("after")}
    builder = add_all(Log, {**nodes, "whole": bench.say("whole"), "part": bench.say("part")})
    builder.add_node("zero", bench.overtakes("zero"))
    builder.add_conditional_edges("after", router, *([targets] if targets else []))
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "zero"))


@pytest.mark.parametrize("targets", [None, ["whole", "part"]], ids=["free", "mapped"])
@pytest.mark.parametrize("kind", ROUTERS)
def test_a_router_reads_what_every_node_before_it_has_written(bench: Bench, kind: str, targets: Any) -> None:
    app = bench.app(_routed(bench, ROUTERS[kind], targets))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "zero", "whole"]
    bench.assert_started_early(app)


@pytest.mark.parametrize("targets", [None, ["whole", "part"]], ids=["free", "mapped"])
def test_a_router_may_be_awaited(impl: Implementation, targets: Any) -> None:
    bench = Bench(impl, "async", is_ours=impl is not plain_langgraph)
    app = bench.app(_routed(bench, by_length_later, targets))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "zero", "whole"]
    bench.assert_started_early(app)


RETURNED: dict[str, tuple[Any, Any, list[str]]] = {
    "list": (lambda state: ["whole", "part"], ["whole", "part"], ["part", "whole"]),
    "nowhere": (lambda state: [], ["whole", "part"], []),
    "end": (lambda state: END, ["whole", END], []),
    "packets": (lambda state: [Send("part", {"log": []})] * 2, ["part"], ["part", "part"]),
    "both": (lambda state: [Send("part", {"log": []}), "whole"], ["whole", "part"], ["whole", "part"]),
    "words": (lambda state: "yes", {"yes": "whole", "no": "part"}, ["whole"]),
    "truth": (lambda state: True, {True: "whole", False: "part"}, ["whole"]),
}


@pytest.mark.parametrize("kind", RETURNED)
def test_a_router_may_return(bench: Bench, kind: str) -> None:
    router, targets, wanted = RETURNED[kind]
    app = bench.app(_routed(bench, router, targets))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "zero", *wanted]
    bench.assert_started_early(app)


def test_a_router_that_reads_nothing_decides_while_the_slow_node_runs(bench: Bench) -> None:
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.say("after")}
    builder = add_all(Log, {**nodes, "whole": bench.overtakes("whole"), "part": bench.say("part")})
    builder.add_conditional_edges("after", lambda state: "whole", ["whole", "part"])
    app = bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "after")))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "whole"]
    bench.assert_started_early(app)


def test_the_error_of_a_router_is_the_runs(bench: Bench) -> None:
    def fail(state: Log) -> str:
        raise ValueError("no way")

    with pytest.raises(ValueError, match="no way"):
        bench.invoke(bench.app(_routed(bench, fail, ["whole"])), {"log": []})


def test_a_run_may_begin_with_a_router(bench: Bench) -> None:
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")})
    builder.set_conditional_entry_point(lambda state: ["fast", "slow"], ["fast", "slow"])
    app = bench.app(connect(builder, ("fast", "after")))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after"]
    bench.assert_started_early(app)


def test_a_sequence_runs_beside_a_slow_node(bench: Bench) -> None:
    builder = add_all(Log, {"slow": bench.slow()})
    builder.add_sequence([("one", bench.say("one")), ("two", bench.overtakes("two")), ("three", bench.say("three"))])
    app = bench.app(connect(builder, (START, "slow"), (START, "one")))
    assert bench.invoke(app, {"log": []})["log"] == ["one", "slow", "two", "three"]
    bench.assert_started_early(app)


def test_a_command_and_an_edge_lead_to_both(bench: Bench) -> None:
    def choose(state: Log) -> Command[Any]:
        bench.overtaken.set()
        return Command(update={"log": ["choose"]}, goto="part")

    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "part": bench.say("part")})
    builder.add_node("choose", choose, destinations=("part",)).add_node("whole", bench.say("whole"))
    app = bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "choose"), ("choose", "whole")))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "choose", "part", "whole"]
    bench.assert_started_early(app)


def test_two_receivers_of_one_packet_see_what_the_other_does_to_it(bench: Bench) -> None:
    lengths: list[int] = []

    def twice(state: Log) -> list[Send]:
        return [Send("part", {"log": ["given"]})] * 2

    def changes(packet: Any) -> dict[str, Any]:
        lengths.append(len(packet["log"]))
        packet["log"].append("changed")
        return {"log": []}

    async def changes_on_the_loop(packet: Any) -> dict[str, Any]:
        return changes(packet)

    part = changes_on_the_loop if bench.colour == "async" else changes
    builder = add_all(
        Log, {"fast": bench.say("fast"), "slow": bench.slow(), "part": part, "after": bench.overtakes("")}
    )
    builder.add_conditional_edges("fast", twice, ["part"])
    bench.invoke(bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"))), {"log": []})
    assert sorted(lengths) == [1, 2]
