"""Fan-outs: `Send` in all its forms."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START
from langgraph.types import Command, Send

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say, tally

HOP_S = (0.1, 0.4, 0.2, 0.3, 0.1, 0.5)
"""Hop times, walked with strides that share no factor with the length, so that hops of one item differ."""


class Items(TypedDict, total=False):
    """What the items give back, in the order of their index."""

    size: int
    log: Annotated[list[str], operator.add]


class Item(TypedDict):
    """The payload of one packet."""

    index: int


def hop_s(index: int, hop: int) -> float:
    return HOP_S[(index * 5 + hop * (index + 1)) % len(HOP_S)]


def longest_chain_s(count: int, hops: int) -> float:
    return max(sum(hop_s(index, hop) for hop in range(hops)) for index in range(count))


def sum_of_longest_s(count: int, hops: int) -> float:
    return sum(max(hop_s(index, hop) for index in range(count)) for hop in range(hops))


def fan_out(sleep: Sleep) -> Builder:
    """One hop; the first item is the slowest, so completion order is not index order."""

    async def start(state: Items) -> dict[str, Any]:
        return {"log": ["start"]}

    def spread(state: Items) -> list[Send]:
        return [Send("work", {"index": index}) for index in range(state["size"])]

    async def work(item: Item) -> dict[str, Any]:
        await sleep(0.3 if item["index"] % 3 == 0 else 0.1)
        return {"log": [f"work {item['index']}"]}

    async def join(state: Items) -> dict[str, Any]:
        return {"log": [f"joined {len(state['log'])}"]}

    builder = add_all(Items, {"start": start, "work": work, "join": join})
    builder.add_conditional_edges("start", spread, ["work"])
    return connect(builder, (START, "start"), ("work", "join"), ("join", END))


def _chain_through(sleep: Sleep, count: int, joined: bool) -> Builder:
    async def start(state: Items) -> dict[str, Any]:
        return {"log": ["start"]}

    def spread(state: Items) -> list[Send]:
        return [Send("first", {"index": index}) for index in range(count)]

    async def first(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 0))
        return Command(update={"log": [f"first {item['index']}"]}, goto=[Send("second", item)])

    async def second(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 1))
        return Command(update={"log": [f"second {item['index']}"]}, goto=[Send("third", item)])

    async def third(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 2))
        return {"log": [f"third {item['index']}"]}

    builder = add_all(Items, {"start": start, "third": third})
    builder.add_node("first", first, destinations=("second",))
    builder.add_node("second", second, destinations=("third",))
    builder.add_conditional_edges("start", spread, ["first"])
    connect(builder, (START, "start"))
    if joined:
        builder.add_node("join", tally(sleep, "join", 0.1))
        connect(builder, ("third", "join"))
    return builder


def send_chain(count: int, *, joined: bool = False) -> Callable[[Sleep], Builder]:
    """Three hops an item, by `Command(goto=[Send])`."""

    def build(sleep: Sleep) -> Builder:
        return _chain_through(sleep, count, joined)

    return build


def routed_chain(sleep: Sleep) -> Builder:
    """Two hops an item; the router sees the item's own write on top of the step's state."""

    async def start(state: Items) -> dict[str, Any]:
        return {"log": ["start"]}

    def spread(state: Items) -> list[Send]:
        return [Send("n1", {"index": index}) for index in range(3)]

    async def n1(item: Item) -> dict[str, Any]:
        await sleep((0.1, 0.4, 0.2)[item["index"]])
        return {"log": [f"n1 {item['index']}"]}

    def onward(state: Items) -> list[Send]:
        return [Send("n2", {"index": int(state["log"][-1].split()[1])})]

    async def n2(item: Item) -> dict[str, Any]:
        await sleep((0.4, 0.1, 0.2)[item["index"]])
        return {"log": [f"n2 {item['index']}"]}

    builder = add_all(Items, {"start": start, "n1": n1, "n2": n2})
    builder.add_conditional_edges("start", spread, ["n1"])
    builder.add_conditional_edges("n1", onward, ["n2"])
    return connect(builder, (START, "start"))


def nested_fan_out(sleep: Sleep) -> Builder:
    """Each of three items fans out again, by a different number."""

    async def start(state: Items) -> Command[Any]:
        return Command(goto=[Send("outer", {"index": index}) for index in range(3)])

    async def outer(item: Item) -> Command[Any]:
        await sleep((0.5, 0.1, 0.2)[item["index"]])
        inner = [Send("inner", {"index": item["index"] * 10 + place}) for place in range(item["index"])]
        return Command(update={"log": [f"outer {item['index']}"]}, goto=inner)

    async def inner(item: Item) -> dict[str, Any]:
        await sleep((0.3, 0.1)[item["index"] % 2])
        return {"log": [f"inner {item['index']}"]}

    builder = add_all(Items, {"inner": inner, "join": say(sleep, "join", 0.1)})
    builder.add_node("start", start, destinations=("outer",))
    builder.add_node("outer", outer, destinations=("inner",))
    return connect(builder, (START, "start"), ("inner", "join"))


def send_and_edge(sleep: Sleep) -> Builder:
    """One step activates a node by packet and by edge; another node only by edge."""

    def spread(state: Items) -> list[Send]:
        return [Send("work", {"index": 1}), Send("work", {"index": 2})]

    async def work(state: dict[str, Any]) -> dict[str, Any]:
        await sleep(0.2)
        return {"log": [f"work {state.get('index', 'by edge')}"]}

    nodes = {"start": say(sleep, "start", 0.1), "other": say(sleep, "other", 0.1)}
    builder = add_all(Items, nodes)
    builder.add_node("work", work)
    builder.add_conditional_edges("start", spread, ["work"])
    return connect(builder, (START, "start"), ("start", "work"), ("start", "other"))


def mixed_targets(sleep: Sleep) -> Builder:
    """A router that returns packets for two nodes and the name of a third."""

    def spread(state: Items) -> list[Any]:
        return [Send("odd", {"index": 1}), Send("even", {"index": 2}), "plain", Send("odd", {"index": 3})]

    async def odd(item: Item) -> dict[str, Any]:
        await sleep(0.3)
        return {"log": [f"odd {item['index']}"]}

    async def even(item: Item) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"even {item['index']}"]}

    nodes = {"start": say(sleep, "start", 0.1), "odd": odd, "even": even, "plain": say(sleep, "plain", 0.1)}
    builder = add_all(Items, {**nodes, "after": say(sleep, "after", 0.2)})
    builder.add_conditional_edges("start", spread, ["odd", "even", "plain"])
    return connect(builder, (START, "start"), ("even", "after"))


def list_join_on_sends(sleep: Sleep) -> Builder:
    """A list edge one of whose sources is activated by packets."""

    def spread(state: Items) -> list[Send]:
        return [Send("work", {"index": index}) for index in range(3)]

    async def work(item: Item) -> dict[str, Any]:
        await sleep(0.1 * (3 - item["index"]))
        return {"log": [f"work {item['index']}"]}

    nodes = {"start": say(sleep, "start", 0.1), "work": work, "side": say(sleep, "side", 0.2)}
    nodes |= {"side2": say(sleep, "side2", 0.3), "join": say(sleep, "join", 0.1)}
    builder = add_all(Items, nodes)
    builder.add_conditional_edges("start", spread, ["work"])
    return connect(builder, (START, "start"), (START, "side"), ("side", "side2"), (["work", "side2"], "join"))


def router_beside_a_writer(sleep: Sleep) -> Builder:
    """A router sees the state of its step and its own node's writes, not what a sibling of that step writes."""

    async def fast(state: Items) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Items) -> dict[str, Any]:
        await sleep(0.6)
        return {"size": 3}

    def spread(state: Items) -> list[Send]:
        return [Send("work", {"index": index}) for index in range(state.get("size", 1))]

    async def work(item: Item) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"work {item['index']}"]}

    builder = add_all(Items, {"fast": fast, "slow": slow, "work": work})
    builder.add_conditional_edges("fast", spread, ["work"])
    return connect(builder, (START, "fast"), (START, "slow"))


def router_reads_a_slow_sibling(sleep: Sleep) -> Builder:
    """The fan-out of the second step depends on a key that a slow node of the first step writes."""

    async def slow(state: Items) -> dict[str, Any]:
        await sleep(0.6)
        return {"size": 3}

    def spread(state: Items) -> list[Send]:
        return [Send("work", {"index": index}) for index in range(state["size"])]

    async def work(item: Item) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"work {item['index']}"]}

    nodes = {"fast": say(sleep, "fast", 0.1), "next": say(sleep, "next", 0.1), "slow": slow, "work": work}
    builder = add_all(Items, nodes)
    builder.add_conditional_edges("next", spread, ["work"])
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "next"))


def send_order(sleep: Sleep) -> Builder:
    """Packets of two nodes of one step: the index runs over all packets of the step."""

    async def left(state: Items) -> Command[Any]:
        await sleep(0.5)
        return Command(goto=[Send("work", {"index": index}) for index in range(6)])

    async def right(state: Items) -> Command[Any]:
        await sleep(0.1)
        return Command(goto=[Send("work", {"index": 10 + index}) for index in range(6)])

    async def work(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 1))
        return {"log": [f"work {item['index']}"]}

    builder = add_all(Items, {"work": work})
    builder.add_node("right", right, destinations=("work",))
    builder.add_node("left", left, destinations=("work",))
    return connect(builder, (START, "left"), (START, "right"))


def send_order_path_s() -> float:
    slow = max(0.5 + hop_s(index, 1) for index in range(6))
    return max(slow, max(0.1 + hop_s(10 + index, 1) for index in range(6)))


def send_to_the_unknown(sleep: Sleep) -> Builder:
    """LangGraph drops a packet for a node that is not there."""

    async def start(state: Log) -> Command[Any]:
        await sleep(0.1)
        return Command(goto=[Send("after", {"log": []}), Send("nobody", {"log": []})])

    builder = add_all(Log, {"after": say(sleep, "after", 0.1)})
    builder.add_node("start", start, destinations=("after",))
    return connect(builder, (START, "start"))


FAN_OUT_WIDTHS = (0, 1, 2, 9, 10, 11, 20)

SHAPES = (
    *(
        Shape(f"fan_out_{width}", f"{width} packets, in index order", fan_out, {"size": width, "log": []})
        for width in FAN_OUT_WIDTHS
    ),
    Shape(
        "send_chain_20",
        "twenty items through three hops end at the longest single chain",
        send_chain(20),
        critical_path_s=longest_chain_s(20, 3),
        supersteps_s=sum_of_longest_s(20, 3),
    ),
    Shape(
        "send_chain_joined",
        "a node after the last hop waits for all chains",
        send_chain(6, joined=True),
        critical_path_s=longest_chain_s(6, 3) + 0.1,
        supersteps_s=sum_of_longest_s(6, 3) + 0.1,
    ),
    Shape("routed_chain", "hops that a router sends on", routed_chain, critical_path_s=0.5, supersteps_s=0.8),
    Shape(
        "nested_fan_out",
        "a packet's node sends packets of its own",
        nested_fan_out,
    ),
    Shape("send_and_edge", "packets and an edge into one node", send_and_edge),
    Shape("mixed_targets", "a router that returns packets and names", mixed_targets),
    Shape("list_join_on_sends", "a list edge with a source that packets activate", list_join_on_sends),
    Shape(
        "router_beside_a_writer",
        "a router does not see what a sibling of its step writes",
        router_beside_a_writer,
        critical_path_s=0.6,
        supersteps_s=0.7,
    ),
    Shape(
        "router_reads_a_slow_sibling",
        "a router waits for the key that it reads; its node does not",
        router_reads_a_slow_sibling,
        critical_path_s=0.7,
        supersteps_s=0.8,
    ),
    Shape(
        "send_order",
        "packets of two nodes are numbered across the step",
        send_order,
        critical_path_s=send_order_path_s(),
        supersteps_s=0.9,
    ),
    Shape("send_to_the_unknown", "a packet for an unknown node is dropped", send_to_the_unknown),
)
