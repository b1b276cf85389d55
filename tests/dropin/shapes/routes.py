"""Routes: conditional edges, commands, loops and the limits on steps."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.types import Command, Send

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say


class Counted(TypedDict, total=False):
    """A counter that loops look at."""

    count: int
    log: Annotated[list[str], operator.add]


class Limited(TypedDict):
    """LangGraph's own values about the step."""

    log: Annotated[list[str], operator.add]
    last: IsLastStep
    left: RemainingSteps


def router_to_end(sleep: Sleep) -> Builder:
    """The fast branch ends at its router; the slow one goes on."""

    def stop(state: Log) -> str:
        return END

    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.5)}
    nodes |= {"never": say(sleep, "never", 0.1), "after": say(sleep, "after", 0.1)}
    builder = add_all(Log, nodes)
    builder.add_conditional_edges("fast", stop, ["never", END])
    return connect(builder, (START, "fast"), (START, "slow"), ("slow", "after"))


def path_map(sleep: Sleep) -> Builder:
    """A router beside a slow sibling whose answer depends on its own branch only."""

    async def count(state: Counted) -> dict[str, Any]:
        await sleep(0.1)
        return {"count": 7}

    def parity(state: Counted) -> bool:
        return state["count"] % 2 == 0

    nodes = {"count": count, "slow": say(sleep, "slow", 0.8)}
    nodes |= {"odd": say(sleep, "odd", 0.2), "even": say(sleep, "even", 0.2)}
    builder = add_all(Counted, nodes)
    builder.add_conditional_edges("count", parity, {True: "even", False: "odd"})
    return connect(builder, (START, "count"), (START, "slow"))


def no_path_map(sleep: Sleep) -> Builder:
    """A router that may name any node: nothing is known of what it activates."""

    def pick(state: Counted) -> str:
        return ["after", "other"][len(state["log"]) % 2]

    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.6)}
    nodes |= {"after": say(sleep, "after", 0.2), "other": say(sleep, "other", 0.2)}
    builder = add_all(Counted, nodes)
    builder.add_conditional_edges("fast", pick)
    return connect(builder, (START, "fast"), (START, "slow"))


def router_of_many(sleep: Sleep) -> Builder:
    """A router that returns several names, one of them twice."""

    def many(state: Log) -> list[str]:
        return ["c", "b", "c"]

    nodes = {name: say(sleep, name, seconds) for name, seconds in (("a", 0.1), ("b", 0.3), ("c", 0.1))}
    builder = add_all(Log, {**nodes, "d": say(sleep, "d", 0.1)})
    builder.add_conditional_edges("a", many, ["b", "c"])
    return connect(builder, (START, "a"), ("b", "d"), ("c", "d"))


def two_routers(sleep: Sleep) -> Builder:
    """Two conditional edges from one node, and one from START."""

    def first(state: Log) -> Literal["a"]:
        return "a"

    def left(state: Log) -> str:
        return "b"

    async def right(state: Log) -> str:
        return "c"

    nodes = {name: say(sleep, name, seconds) for name, seconds in (("a", 0.1), ("b", 0.3), ("c", 0.1))}
    builder = add_all(Log, nodes)
    builder.add_conditional_edges(START, first)
    builder.add_conditional_edges("a", left, ["b"])
    builder.add_conditional_edges("a", right, ["c"])
    return builder


def command_goto(sleep: Sleep) -> Builder:
    async def fast(state: Counted) -> Command[Literal["after"]]:
        await sleep(0.1)
        return Command(update={"count": 1, "log": ["fast"]}, goto="after")

    async def after(state: Counted) -> dict[str, Any]:
        await sleep(0.2)
        return {"log": [f"after {state['count']}"]}

    builder = add_all(Counted, {"slow": say(sleep, "slow", 1.0), "fast": fast, "after": after})
    return connect(builder, (START, "fast"), (START, "slow"))


def command_anywhere(sleep: Sleep) -> Builder:
    """A slow node that may go anywhere and write anything: whoever reads must wait for it."""

    async def fast(state: Counted) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Counted) -> Command[Any]:
        await sleep(0.6)
        update: Mapping[str, Any] = dict.fromkeys(("count",), 5)
        return Command(update=update, goto="".join(["ot", "her"]))

    async def after(state: Counted) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"after {state.get('count')}"]}

    builder = add_all(Counted, {"fast": fast, "slow": slow, "after": after, "other": say(sleep, "other", 0.2)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"))


def command_and_edge(sleep: Sleep) -> Builder:
    """A command adds to the static edges, it does not replace them."""

    async def a(state: Log) -> Command[Literal["c"]]:
        await sleep(0.1)
        return Command(goto=["c", Send("c", {"log": []})])

    builder = add_all(Log, {"a": a, "b": say(sleep, "b", 0.3), "c": say(sleep, "c", 0.1)})
    return connect(builder, (START, "a"), ("a", "b"))


def list_of_commands(sleep: Sleep) -> Builder:
    """A node that returns several updates and commands at once."""

    async def a(state: Log) -> list[Any]:
        await sleep(0.1)
        return [{"log": ["a1"]}, Command(update={"log": ["a2"]}, goto="b"), Command(goto=Send("c", {"log": []}))]

    builder = add_all(Log, {"b": say(sleep, "b", 0.3), "c": say(sleep, "c", 0.1)})
    builder.add_node("a", a, destinations=("b", "c"))
    return connect(builder, (START, "a"))


def counted_loop(sleep: Sleep) -> Builder:
    async def step(state: Counted) -> dict[str, Any]:
        await sleep(0.1)
        return {"count": state.get("count", 0) + 1, "log": [f"step {state.get('count', 0)}"]}

    def again(state: Counted) -> str:
        return "step" if state["count"] < 4 else "done"

    builder = add_all(Counted, {"step": step, "done": say(sleep, "done", 0.1), "side": say(sleep, "side", 0.25)})
    builder.add_conditional_edges("step", again, ["step", "done"])
    return connect(builder, (START, "step"), (START, "side"))


def loop_beside_a_slow_sibling(sleep: Sleep) -> Builder:
    """A loop of four rounds turns while one slow node of the first step still runs."""

    async def step(state: Counted) -> dict[str, Any]:
        await sleep(0.2)
        return {"count": state.get("count", 0) + 1}

    def again(state: Counted) -> str:
        return "step" if state["count"] < 4 else "done"

    builder = add_all(Counted, {"step": step, "done": say(sleep, "done", 0.1), "slow": say(sleep, "slow", 1.0)})
    builder.add_conditional_edges("step", again, ["step", "done"])
    return connect(builder, (START, "step"), (START, "slow"))


def two_node_loop(sleep: Sleep) -> Builder:
    async def ask(state: Counted) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"ask {len(state['log'])}"]}

    async def tell(state: Counted) -> Command[Literal["ask", "__end__"]]:
        await sleep(0.1)
        if len(state["log"]) < 5:
            return Command(update={"log": ["tell"]}, goto="ask")
        return Command(update={"log": ["tell"]}, goto="__end__")

    return connect(add_all(Counted, {"ask": ask, "tell": tell}), (START, "ask"), ("ask", "tell"))


def endless(sleep: Sleep) -> Builder:
    builder = add_all(Log, {"a": say(sleep, "a", 0.1), "b": say(sleep, "b", 0.1), "c": say(sleep, "c", 0.9)})
    return connect(builder, (START, "a"), (START, "c"), ("a", "b"), ("b", "a"))


def four_steps(sleep: Sleep) -> Builder:
    nodes = {name: say(sleep, name, 0.1) for name in ("a", "b", "c")}
    builder = add_all(Log, {**nodes, "slow": say(sleep, "slow", 0.9)})
    return connect(builder, (START, "a"), (START, "slow"), ("a", "b"), ("b", "c"))


def last_step(sleep: Sleep) -> Builder:
    """Each node writes down what LangGraph says about the step it is in."""

    async def look(state: Limited) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"{state['last']} {state['left']}"]}

    async def look_again(state: Limited) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"again {state['last']} {state['left']}"]}

    builder = add_all(Limited, {"look": look, "look_again": look_again, "slow": say(sleep, "slow", 0.7)})
    return connect(builder, (START, "look"), (START, "slow"), ("look", "look_again"))


SHAPES = (
    Shape("router_to_end", "a router that returns END", router_to_end),
    Shape("path_map", "a router with a path map", path_map, critical_path_s=0.8, supersteps_s=1.0),
    Shape("no_path_map", "a router that may name any node", no_path_map),
    Shape("router_of_many", "a router that returns a name twice", router_of_many),
    Shape("two_routers", "several routers of one node, one of them async", two_routers),
    Shape(
        "command_goto",
        "a command with an update and a goal",
        command_goto,
        critical_path_s=1.0,
        supersteps_s=1.2,
    ),
    Shape(
        "command_anywhere",
        "a node that may write and go anywhere holds up its siblings' readers",
        command_anywhere,
        critical_path_s=0.8,
        supersteps_s=0.8,
    ),
    Shape("command_and_edge", "a command beside a static edge", command_and_edge),
    Shape("list_of_commands", "a node that returns a list of updates and commands", list_of_commands),
    Shape("counted_loop", "a self-loop with a counter", counted_loop),
    Shape(
        "loop_beside_a_slow_sibling",
        "a loop turns while a slow sibling runs",
        loop_beside_a_slow_sibling,
        critical_path_s=1.0,
        supersteps_s=1.7,
    ),
    Shape("two_node_loop", "a loop by command", two_node_loop),
    *(
        Shape(
            f"limit_{limit}_of_4",
            "the limit of steps bites at the same step",
            four_steps,
            config={"recursion_limit": limit},
        )
        for limit in (1, 2, 3, 4)
    ),
    Shape("endless", "a loop without an end stops at the limit", endless, config={"recursion_limit": 6}),
    *(
        Shape(f"last_step_{limit}", "what a node is told about its step", last_step, config={"recursion_limit": limit})
        for limit in (2, 3, 25)
    ),
)
