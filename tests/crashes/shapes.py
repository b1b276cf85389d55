"""Graphs in which something is ahead of its step at almost every moment.

Owns five shapes for crashes, besides those of `dropin/shapes` that `CASES` names. Always true: no node counts its own
runs, so a run that is taken up anywhere ends like one that was never disturbed.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

import graphs
from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say, tally
from dropin.shapes.fanouts import Item, Items, hop_s
from dropin.shapes.stops import answer_each
from langgraph.graph import START
from langgraph.types import Command, Send, interrupt


def four_hops(sleep: Sleep) -> Builder:
    """Five packets, four hops each, all of different lengths, and a join."""

    async def start(state: Items) -> Command[Any]:
        return Command(goto=[Send("h1", {"index": index}) for index in range(5)])

    async def h1(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 0))
        return Command(update={"log": [f"h1 {item['index']}"]}, goto=Send("h2", {"index": item["index"]}))

    async def h2(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 1))
        return Command(update={"log": [f"h2 {item['index']}"]}, goto=Send("h3", {"index": item["index"]}))

    async def h3(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 2))
        return Command(update={"log": [f"h3 {item['index']}"]}, goto=Send("h4", {"index": item["index"]}))

    async def h4(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 3))
        return {"log": [f"h4 {item['index']}"]}

    builder = add_all(Items, {"h4": h4, "join": tally(sleep, "join", 0.1)})
    builder.add_node("start", start, destinations=("h1",))
    for name, node, following in (("h1", h1, "h2"), ("h2", h2, "h3"), ("h3", h3, "h4")):
        builder.add_node(name, node, destinations=(following,))
    return connect(builder, (START, "start"), ("h4", "join"))


class Rungs(TypedDict, total=False):
    """One key a ladder, so that a rung reads only what its own ladder wrote."""

    a: int
    b: int
    c: int
    total: int
    log: Annotated[list[str], operator.add]


def ladders(sleep: Sleep) -> Builder:
    """Three chains of three that read their own key; another one is slow in each step; then a list join."""

    async def a1(state: Rungs) -> dict[str, Any]:
        await sleep(0.1)
        return {"a": 1, "log": ["a1"]}

    async def a2(state: Rungs) -> dict[str, Any]:
        await sleep(0.1)
        return {"a": state["a"] * 2, "log": ["a2"]}

    async def a3(state: Rungs) -> dict[str, Any]:
        await sleep(0.5)
        return {"a": state["a"] * 2, "log": ["a3"]}

    async def b1(state: Rungs) -> dict[str, Any]:
        await sleep(0.5)
        return {"b": 10, "log": ["b1"]}

    async def b2(state: Rungs) -> dict[str, Any]:
        await sleep(0.1)
        return {"b": state["b"] * 2, "log": ["b2"]}

    async def b3(state: Rungs) -> dict[str, Any]:
        await sleep(0.2)
        return {"b": state["b"] * 2, "log": ["b3"]}

    async def c1(state: Rungs) -> dict[str, Any]:
        await sleep(0.2)
        return {"c": 100, "log": ["c1"]}

    async def c2(state: Rungs) -> dict[str, Any]:
        await sleep(0.6)
        return {"c": state["c"] * 2, "log": ["c2"]}

    async def c3(state: Rungs) -> dict[str, Any]:
        await sleep(0.1)
        return {"c": state["c"] * 2, "log": ["c3"]}

    async def join(state: Rungs) -> dict[str, Any]:
        await sleep(0.1)
        return {"total": state["a"] + state["b"] + state["c"]}

    nodes = {"a1": a1, "a2": a2, "a3": a3, "b1": b1, "b2": b2, "b3": b3, "c1": c1, "c2": c2, "c3": c3, "join": join}
    builder = connect(add_all(Rungs, nodes), *((START, name) for name in ("a1", "b1", "c1")))
    connect(builder, *((f"{name}{rung}", f"{name}{rung + 1}") for name in "abc" for rung in (1, 2)))
    return connect(builder, (["a3", "b3", "c3"], "join"))


class Rounds(TypedDict, total=False):
    """A loop with a counter that the loop alone writes."""

    count: int
    log: Annotated[list[str], operator.add]


def rounds_beside_a_slow_node(sleep: Sleep) -> Builder:
    """Each of three rounds fans out to two; the node of the first step outlasts several rounds."""

    async def turn(state: Rounds) -> dict[str, Any]:
        await sleep(0.1)
        return {"count": state.get("count", 0) + 1}

    def onward(state: Rounds) -> list[Any]:
        packets: list[Any] = [Send("work", {"index": state["count"] * 10 + place}) for place in range(2)]
        return [*packets, "turn"] if state["count"] < 3 else packets

    async def work(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 1))
        return {"log": [f"work {item['index']}"]}

    builder = add_all(Rounds, {"turn": turn, "work": work, "slow": say(sleep, "slow", 0.7)})
    builder.add_conditional_edges("turn", onward, ["turn", "work"])
    return connect(builder, (START, "turn"), (START, "slow"))


def merge(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, str]:
    """The later of two writes to one name wins, so that the order of commits shows."""
    return {**left, **right, "order": left.get("order", "") + right.get("order", "")}


class Merged(TypedDict, total=False):
    """A reducer that is not commutative."""

    found: Annotated[dict[str, str], merge]
    log: Annotated[list[str], operator.add]


def merged_in_order(sleep: Sleep) -> Builder:
    """Packets and branches write one name through a reducer that shows in which order."""

    def spread(state: Merged) -> list[Send]:
        return [Send("find", {"index": index}) for index in range(4)]

    async def find(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 1))
        return Command(
            update={"found": {"last": f"find {item['index']}", "order": str(item["index"])}},
            goto=Send("check", {"index": item["index"]}),
        )

    async def check(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 2))
        return {"found": {"last": f"check {item['index']}", "order": "abcd"[item["index"]]}, "log": ["checked"]}

    async def report(state: Merged) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"{state['found']['last']} {state['found']['order']}"]}

    nodes = {"start": say(sleep, "start", 0.1), "check": check, "side": say(sleep, "side", 0.4)}
    builder = add_all(Merged, {**nodes, "aside": say(sleep, "aside", 0.3), "report": report})
    builder.add_node("find", find, destinations=("check",))
    builder.add_conditional_edges("start", spread, ["find"])
    return connect(builder, (START, "start"), (START, "side"), ("side", "aside"), ("check", "report"))


def asks_far_ahead(sleep: Sleep) -> Builder:
    """A question in the third step of a fast branch, and packets, while a node of the first step is still at work."""

    async def ask(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        told = interrupt("ahead?")
        await sleep(0.1)
        return {"log": [f"ask {told}"]}

    async def send(state: Log) -> Command[Any]:
        await sleep(0.1)
        return Command(update={"log": ["send"]}, goto=[Send("work", {"index": index}) for index in range(3)])

    async def work(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 0))
        return {"log": [f"work {item['index']}"]}

    nodes = {"one": say(sleep, "one", 0.1), "two": say(sleep, "two", 0.1), "ask": ask, "work": work}
    builder = add_all(Log, {**nodes, "slow": say(sleep, "slow", 0.9), "then": say(sleep, "then", 0.2)})
    builder.add_node("send", send, destinations=("work",))
    connect(builder, (START, "one"), (START, "slow"), (START, "send"))
    return connect(builder, ("one", "two"), ("two", "ask"), ("slow", "then"))


OWN = (
    Shape("four_hops", "five packets through four hops", four_hops),
    Shape("ladders", "three chains, each slow in another step", ladders),
    Shape("rounds_beside_a_slow_node", "a loop that fans out beside a slow node", rounds_beside_a_slow_node),
    Shape("merged_in_order", "a reducer that shows the order of commits", merged_in_order),
    Shape("asks_far_ahead", "a question two steps ahead", asks_far_ahead, resumes=(answer_each,)),
)

NAMES = (
    "fast_and_slow",
    "uneven_diamond",
    "double_firing",
    "deferred",
    "fan_out_11",
    "send_chain_joined",
    "routed_chain",
    "nested_fan_out",
    "list_join_on_sends",
    "send_order",
    "command_goto",
    "counted_loop",
    "loop_beside_a_slow_sibling",
    "reducer_order",
    "messages_state",
    "early_packets_to_subgraph",
    "subgraph_beside_a_branch",
    "early_subgraph",
    "three_levels",
    "command_to_parent",
    "asks_in_the_second_step",
    "two_ask",
    "packets_ask",
    "asks_in_a_subgraph",
    "stop_before",
    "stop_after",
    "stream",
    "stream_hops",
    "stream_joined",
    "stream_nested",
    "stream_asked",
    "stream_asking",
    "part_first",
    "part_stream",
    "part_arrivals",
    "part_groups",
)

CASES = (*OWN, *(graphs.shape(name) for name in NAMES))
