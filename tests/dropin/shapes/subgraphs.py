"""Subgraphs: graphs as nodes, as targets of packets, and called from inside a node."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say, tally
from dropin.shapes.fanouts import Item, Items, hop_s, longest_chain_s


class ItemLog(TypedDict, total=False):
    """The state of a subgraph that works on one item."""

    index: int
    log: Annotated[list[str], operator.add]


def _per_item(sleep: Sleep) -> Any:
    """n1 then n2 on one item, without a barrier between items."""

    async def n1(state: ItemLog) -> dict[str, Any]:
        await sleep(hop_s(state["index"], 0))
        return {"log": [f"n1 {state['index']}"]}

    async def n2(state: ItemLog) -> dict[str, Any]:
        await sleep(hop_s(state["index"], 1))
        return {"log": [f"n2 {state['index']}"]}

    builder = StateGraph(ItemLog, output_schema=Log)
    builder.add_node("n1", n1)
    builder.add_node("n2", n2)
    return connect(builder, (START, "n1"), ("n1", "n2")).compile()


def send_to_subgraph(sleep: Sleep) -> Builder:
    def spread(state: Items) -> list[Send]:
        return [Send("item", {"index": index, "log": []}) for index in range(4)]

    builder = add_all(Items, {"start": say(sleep, "start", 0.1), "join": tally(sleep, "join", 0.1)})
    builder.add_node("item", _per_item(sleep))
    builder.add_conditional_edges("start", spread, ["item"])
    return connect(builder, (START, "start"), ("item", "join"))


def early_packets_to_subgraph(sleep: Sleep) -> Builder:
    """A hop before the subgraph: its run begins when its own item arrives, not when the last one does."""

    async def first(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 2))
        return Command(goto=Send("item", {"index": item["index"], "log": []}))

    def spread(state: Items) -> list[Send]:
        return [Send("first", {"index": index}) for index in range(4)]

    builder = add_all(Items, {"start": say(sleep, "start", 0.1)})
    builder.add_node("first", first, destinations=("item",))
    builder.add_node("item", _per_item(sleep))
    builder.add_conditional_edges("start", spread, ["first"])
    return connect(builder, (START, "start"))


def _early_packets_path_s() -> float:
    return 0.1 + max(hop_s(index, 2) + hop_s(index, 0) + hop_s(index, 1) for index in range(4))


def _early_packets_supersteps_s() -> float:
    first = max(hop_s(index, 2) for index in range(4))
    return 0.1 + first + longest_chain_s(4, 2)


def branches_inside(sleep: Sleep) -> Builder:
    """The uneven branches are in the subgraph."""
    seconds = {"a": 0.1, "b": 0.5, "a2": 0.5}
    inner = add_all(Log, {name: say(sleep, name, seconds[name]) for name in seconds})
    connect(inner, (START, "a"), (START, "b"), ("a", "a2"))
    builder = add_all(Log, {"before": say(sleep, "before", 0.1), "after": say(sleep, "after", 0.1)})
    builder.add_node("inner", inner.compile())
    return connect(builder, (START, "before"), ("before", "inner"), ("inner", "after"))


def subgraph_beside_a_branch(sleep: Sleep) -> Builder:
    """A fast branch goes on beside a slow subgraph that may write the log only."""
    inner = add_all(Log, {"in1": say(sleep, "in1", 0.4), "in2": say(sleep, "in2", 0.4)})
    connect(inner, (START, "in1"), ("in1", "in2"))
    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "after": say(sleep, "after", 0.3)})
    builder.add_node("inner", inner.compile())
    return connect(builder, (START, "fast"), (START, "inner"), ("fast", "after"))


def early_subgraph(sleep: Sleep) -> Builder:
    """The subgraph is in the second step, beside a slow node of the first."""
    inner = add_all(Log, {"in1": say(sleep, "in1", 0.2), "in2": say(sleep, "in2", 0.2)})
    connect(inner, (START, "in1"), ("in1", "in2"))
    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.8)})
    builder.add_node("inner", inner.compile())
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "inner"))


def three_levels(sleep: Sleep) -> Builder:
    deepest = connect(add_all(Log, {"d": say(sleep, "d", 0.3), "e": say(sleep, "e", 0.1)}), (START, "d"), ("d", "e"))
    middle = add_all(Log, {"m": say(sleep, "m", 0.1)})
    middle.add_node("deepest", deepest.compile())
    connect(middle, (START, "m"), ("m", "deepest"))
    builder = add_all(Log, {"top": say(sleep, "top", 0.1), "side": say(sleep, "side", 0.2)})
    builder.add_node("middle", middle.compile())
    return connect(builder, (START, "top"), (START, "side"), ("top", "middle"))


def command_to_parent(sleep: Sleep) -> Builder:
    """A node of the subgraph sends its parent on, beside a slow sibling."""

    async def leave(state: Log) -> Command[Any]:
        await sleep(0.1)
        return Command(graph=Command.PARENT, update={"log": ["leave"]}, goto="after")

    inner = connect(add_all(Log, {"stay": say(sleep, "stay", 0.1), "leave": leave}), (START, "stay"), ("stay", "leave"))
    builder = add_all(Log, {"slow": say(sleep, "slow", 0.8), "after": say(sleep, "after", 0.1)})
    builder.add_node("inner", inner.compile(), destinations=("after",))
    return connect(builder, (START, "inner"), (START, "slow"))


def packets_to_parent(sleep: Sleep) -> Builder:
    """The same with packets: the parent fans out on behalf of its subgraph."""

    async def leave(state: Log) -> Command[Any]:
        await sleep(0.1)
        packets = [Send("work", {"index": index}) for index in range(3)]
        return Command(graph=Command.PARENT, goto=packets)

    async def work(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 0))
        return {"log": [f"work {item['index']}"]}

    inner = connect(add_all(Log, {"leave": leave}), (START, "leave"))
    builder = add_all(Items, {"slow": say(sleep, "slow", 0.8), "work": work})
    builder.add_node("inner", inner.compile(), destinations=("work",))
    return connect(builder, (START, "inner"), (START, "slow"))


def called_inside_a_node(sleep: Sleep) -> Builder:
    """A node that awaits a graph of its own: LangGraph runs it as a subgraph of that task."""
    inner = connect(add_all(Log, {"x": say(sleep, "x", 0.1), "y": say(sleep, "y", 0.2)}), (START, "x"), ("x", "y"))
    app = inner.compile()

    async def caller(state: Log) -> dict[str, Any]:
        found = await app.ainvoke({"log": []})
        return {"log": [f"called {','.join(found['log'])}"]}

    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "caller": caller, "slow": say(sleep, "slow", 0.9)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "caller"))


def own_memory(sleep: Sleep) -> Builder:
    """A subgraph with a memory of its own over two visits."""

    async def count(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"seen {len(state['log'])}"]}

    inner = connect(add_all(Log, {"count": count}), (START, "count"))
    builder = add_all(Log, {"first": say(sleep, "first", 0.1), "slow": say(sleep, "slow", 0.5)})
    builder.add_node("one", inner.compile(checkpointer=True))
    builder.add_node("last", say(sleep, "last", 0.1))
    return connect(builder, (START, "first"), (START, "slow"), ("first", "one"), ("one", "last"))


SHAPES = (
    Shape(
        "send_to_subgraph",
        "packets to a compiled subgraph",
        send_to_subgraph,
        critical_path_s=0.2 + longest_chain_s(4, 2),
        supersteps_s=0.2 + longest_chain_s(4, 2),
    ),
    Shape(
        "early_packets_to_subgraph",
        "a packet to a subgraph starts when it is sent",
        early_packets_to_subgraph,
        critical_path_s=_early_packets_path_s(),
        supersteps_s=_early_packets_supersteps_s(),
    ),
    Shape(
        "branches_inside",
        "uneven branches inside a subgraph",
        branches_inside,
        critical_path_s=0.8,
        supersteps_s=1.2,
    ),
    Shape(
        "subgraph_beside_a_branch",
        "a fast branch beside a slow subgraph",
        subgraph_beside_a_branch,
        critical_path_s=0.8,
        supersteps_s=1.1,
    ),
    Shape("early_subgraph", "a subgraph in the second step of a fast branch", early_subgraph),
    Shape("three_levels", "subgraphs three levels deep", three_levels),
    Shape("command_to_parent", "a command for the graph above", command_to_parent),
    Shape("packets_to_parent", "packets for the graph above", packets_to_parent),
    Shape("called_inside_a_node", "a graph called by a node", called_inside_a_node, sync=False),
    Shape("own_memory", "a subgraph with its own memory", own_memory, config={"configurable": {"thread_id": "1"}}),
)
