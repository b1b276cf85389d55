"""Graphs of plain functions, for the synchronous API: nodes that wait on threads.

Always true: `sleep` is a plain function here, so these shapes are run by `invoke` and nothing else.
"""

from __future__ import annotations

from typing import Any

from dropin.shapes.base import Builder, Shape, add_all, connect
from dropin.shapes.fanouts import Item, Items, hop_s
from langgraph.graph import START
from langgraph.types import Command, Send

from crashes.shapes import Rungs


def hops_on_threads(sleep: Any) -> Builder:
    """Four packets, three hops each, and a join."""

    def start(state: Items) -> Command[Any]:
        return Command(goto=[Send("h1", {"index": index}) for index in range(4)])

    def h1(item: Item) -> Command[Any]:
        sleep(hop_s(item["index"], 0))
        return Command(update={"log": [f"h1 {item['index']}"]}, goto=Send("h2", {"index": item["index"]}))

    def h2(item: Item) -> Command[Any]:
        sleep(hop_s(item["index"], 1))
        return Command(update={"log": [f"h2 {item['index']}"]}, goto=Send("h3", {"index": item["index"]}))

    def h3(item: Item) -> dict[str, Any]:
        sleep(hop_s(item["index"], 2))
        return {"log": [f"h3 {item['index']}"]}

    def join(state: Items) -> dict[str, Any]:
        sleep(0.1)
        return {"log": [f"join {len(state['log'])}"]}

    builder = add_all(Items, {"h3": h3, "join": join})
    builder.add_node("start", start, destinations=("h1",))
    builder.add_node("h1", h1, destinations=("h2",))
    builder.add_node("h2", h2, destinations=("h3",))
    return connect(builder, (START, "start"), ("h3", "join"))


def ladders_on_threads(sleep: Any) -> Builder:
    """Two chains of three that read their own key; each is slow in another step; then a list join."""

    def a1(state: Rungs) -> dict[str, Any]:
        sleep(0.1)
        return {"a": 1, "log": ["a1"]}

    def a2(state: Rungs) -> dict[str, Any]:
        sleep(0.1)
        return {"a": state["a"] * 2, "log": ["a2"]}

    def a3(state: Rungs) -> dict[str, Any]:
        sleep(0.5)
        return {"a": state["a"] * 2, "log": ["a3"]}

    def b1(state: Rungs) -> dict[str, Any]:
        sleep(0.5)
        return {"b": 10, "log": ["b1"]}

    def b2(state: Rungs) -> dict[str, Any]:
        sleep(0.1)
        return {"b": state["b"] * 2, "log": ["b2"]}

    def b3(state: Rungs) -> dict[str, Any]:
        sleep(0.2)
        return {"b": state["b"] * 2, "log": ["b3"]}

    def join(state: Rungs) -> dict[str, Any]:
        sleep(0.1)
        return {"total": state["a"] + state["b"]}

    nodes = {"a1": a1, "a2": a2, "a3": a3, "b1": b1, "b2": b2, "b3": b3, "join": join}
    builder = connect(add_all(Rungs, nodes), (START, "a1"), (START, "b1"))
    connect(builder, ("a1", "a2"), ("a2", "a3"), ("b1", "b2"), ("b2", "b3"))
    return connect(builder, (["a3", "b3"], "join"))


ON_THREADS = (
    Shape("hops_on_threads", "packets through three hops of plain functions", hops_on_threads),
    Shape("ladders_on_threads", "two chains of plain functions", ladders_on_threads),
)
