"""Failures: errors, retries and timeouts, alone and with others in flight."""

from __future__ import annotations

from collections import Counter
from typing import Any

from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START
from langgraph.types import CachePolicy, Command, RetryPolicy, Send

from dropin.shapes.base import Builder, Log, Node, Shape, Sleep, add_all, connect, say
from dropin.shapes.fanouts import Item, Items, hop_s


def _fail(sleep: Sleep, word: str, seconds: float) -> Node:
    async def fail(state: Log) -> dict[str, Any]:
        await sleep(seconds)
        raise ValueError(f"{word} failed")

    return fail


def fails_in_the_first_step(sleep: Sleep) -> Builder:
    nodes = {"bad": _fail(sleep, "bad", 0.2), "slow": say(sleep, "slow", 0.9), "quick": say(sleep, "quick", 0.1)}
    builder = add_all(Log, {**nodes, "after": say(sleep, "after", 0.3)})
    return connect(builder, (START, "bad"), (START, "slow"), (START, "quick"), ("quick", "after"))


def fails_in_the_second_step(sleep: Sleep) -> Builder:
    """The early branch fails while the slow sibling of the first step still runs: the sibling comes first."""
    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.9), "bad": _fail(sleep, "bad", 0.1)}
    builder = add_all(Log, {**nodes, "then": say(sleep, "then", 0.3)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "bad"), ("slow", "then"))


def slow_sibling_fails(sleep: Sleep) -> Builder:
    """The slow node of the first step fails after the fast branch went on."""
    nodes = {"fast": say(sleep, "fast", 0.1), "slow": _fail(sleep, "slow", 0.5), "after": say(sleep, "after", 0.9)}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))


def both_fail(sleep: Sleep) -> Builder:
    """The early node fails first by the clock, the slow one first by the step: the step decides."""
    nodes = {"fast": say(sleep, "fast", 0.1), "slow": _fail(sleep, "slow", 0.9), "bad": _fail(sleep, "bad", 0.1)}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "bad"))


def packet_fails(sleep: Sleep) -> Builder:
    """The last of four packets fails in the first hop, when others are in the second."""

    async def first(item: Item) -> Command[Any]:
        await sleep(0.1 * (item["index"] + 1))
        if item["index"] == 3:
            raise ValueError("item 3 failed")
        return Command(update={"log": [f"first {item['index']}"]}, goto=Send("second", item))

    async def second(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 1))
        return {"log": [f"second {item['index']}"]}

    def spread(state: Items) -> list[Send]:
        return [Send("first", {"index": index}) for index in range(4)]

    builder = add_all(Items, {"start": say(sleep, "start", 0.1), "second": second})
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges("start", spread, ["first"])
    return connect(builder, (START, "start"))


def router_fails(sleep: Sleep) -> Builder:
    def broken(state: Log) -> str:
        raise LookupError("no way from here")

    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.9), "after": say(sleep, "after", 0.1)}
    builder = add_all(Log, {**nodes, "mid": say(sleep, "mid", 0.1)})
    builder.add_conditional_edges("mid", broken, ["after"])
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "mid"))


def subgraph_fails(sleep: Sleep) -> Builder:
    inner = add_all(Log, {"in": say(sleep, "in", 0.1), "bad": _fail(sleep, "inner", 0.1)})
    connect(inner, (START, "in"), ("in", "bad"))
    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.9)})
    builder.add_node("inner", inner.compile())
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "inner"))


def resumed_after_a_failure(sleep: Sleep) -> Builder:
    """A node that fails on its first visit; the run is taken up again with no input."""
    visits: list[int] = []

    async def flaky(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        visits.append(len(visits))
        if len(visits) == 1:
            raise ValueError("first visit")
        return {"log": [f"flaky on visit {len(visits)}"]}

    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.9), "flaky": flaky}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "flaky"))


def retried(sleep: Sleep) -> Builder:
    """A node of the second step fails once and is retried, beside a slow sibling."""
    visits: list[int] = []

    async def flaky(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        visits.append(len(visits))
        if len(visits) == 1:
            raise ConnectionError("once")
        return {"log": [f"flaky on visit {len(visits)}"]}

    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 2.0)})
    builder.add_node("flaky", flaky, retry_policy=RetryPolicy(initial_interval=0.02, jitter=False))
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "flaky"))


def retried_in_vain(sleep: Sleep) -> Builder:
    async def broken(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        raise ConnectionError("always")

    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 3.0)})
    builder.add_node("broken", broken, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.02, jitter=False))
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "broken"))


def cached(sleep: Sleep) -> Builder:
    """A second packet takes the writes of the first from the cache, two steps later: saving is not awaited."""
    visits: Counter[int] = Counter()

    async def costly(state: Items) -> dict[str, Any]:
        await sleep(0.2)
        visits[state["size"]] += 1
        return {"log": [f"size {state['size']} on visit {visits[state['size']]}"]}

    def spread(state: Items) -> list[Send]:
        return [Send("costly", {"size": 1, "log": []}), Send("costly", {"size": 2, "log": []})]

    builder = add_all(Items, {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.9)})
    builder.add_node("costly", costly, cache_policy=CachePolicy())
    builder.add_node("again", say(sleep, "again", 0.1))
    builder.add_node("later", say(sleep, "later", 0.4))
    builder.add_conditional_edges("fast", spread, ["costly"])
    builder.add_conditional_edges("later", lambda state: [Send("costly", {"size": 1, "log": []})], ["costly"])
    return connect(builder, (START, "fast"), (START, "slow"), ("slow", "again"), ("again", "later"))


def go_on(_: Any) -> None:
    """Take a failed run up again."""


SHAPES = (
    Shape("fails_in_the_first_step", "a node of the first step fails", fails_in_the_first_step, racing=True),
    Shape(
        "fails_in_the_second_step", "an early branch fails beside a slow sibling", fails_in_the_second_step, racing=True
    ),
    Shape("slow_sibling_fails", "a slow sibling fails after a branch went on", slow_sibling_fails, sync=False),
    Shape("both_fail", "of two errors the one of the earlier step wins", both_fail, sync=False),
    Shape("packet_fails", "a packet fails when others are a hop further", packet_fails, racing=True),
    Shape("router_fails", "a router fails beside a slow sibling", router_fails),
    Shape("subgraph_fails", "a node inside a subgraph fails", subgraph_fails),
    Shape(
        "resumed_after_a_failure",
        "a failed run is taken up again",
        resumed_after_a_failure,
        resumes=(go_on,),
    ),
    Shape("retried", "a node that fails once is retried", retried),
    Shape("retried_in_vain", "a node that always fails exhausts its retries", retried_in_vain),
    Shape("cached", "writes from a cache", cached, compile=lambda: {"cache": InMemoryCache()}),
)
