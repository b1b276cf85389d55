"""Streams: nodes that yield partial updates, and what follows them while they go on."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

from langgraph.graph import START
from langgraph.types import Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict

import alto_lg
from dropin.shapes.base import Builder, Shape, Sleep, add_all, connect, say, tally
from dropin.shapes.fanouts import hop_s
from dropin.shapes.stops import answer

PAUSE_S = 0.3


class Stream(TypedDict, total=False):
    """found: what was emitted. log: what became of it."""

    found: Annotated[list[int], operator.add]
    last: int
    log: Annotated[list[str], operator.add]


def _emitting(sleep: Sleep, count: int) -> Any:
    @alto_lg.streaming
    async def emit(state: Stream) -> AsyncIterator[dict[str, Any]]:
        for index in range(count):
            await sleep(PAUSE_S)
            yield {"found": [index], "last": index}

    return emit


def _spread(target: str) -> Callable[[Stream], list[Send]]:
    def spread(state: Stream) -> list[Send]:
        return [Send(target, {"index": index}) for index in state["found"]]

    return spread


def _working(sleep: Sleep) -> Any:
    async def work(item: dict[str, int]) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 0))
        return {"log": [f"work {item['index']}"]}

    return work


def _emission(sleep: Sleep, count: int, work: Any = None) -> Builder:
    builder = add_all(Stream, {"emit": _emitting(sleep, count), "work": work or _working(sleep)})
    builder.add_conditional_edges("emit", _spread("work"), ["work"])
    return connect(builder, (START, "emit"))


def emission(sleep: Sleep) -> Builder:
    return _emission(sleep, 5)


def _last_s(count: int, hops: int) -> float:
    """When the last chain ends, if each item goes on as it comes."""
    return max((index + 1) * PAUSE_S + sum(hop_s(index, hop) for hop in range(hops)) for index in range(count))


def hops(sleep: Sleep) -> Builder:
    """Each item goes on by itself through two more hops."""

    async def first(item: dict[str, int]) -> Command[Any]:
        await sleep(hop_s(item["index"], 0))
        return Command(update={"log": [f"first {item['index']}"]}, goto=Send("second", item))

    async def second(item: dict[str, int]) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 1))
        return {"log": [f"second {item['index']}"]}

    builder = add_all(Stream, {"emit": _emitting(sleep, 6), "second": second})
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges("emit", _spread("first"), ["first"])
    return connect(builder, (START, "emit"))


def joined(sleep: Sleep) -> Builder:
    builder = _emission(sleep, 4)
    builder.add_node("join", tally(sleep, "join", 0.1))
    return connect(builder, ("work", "join"))


def beside_a_slow_one(sleep: Sleep) -> Builder:
    """The streaming node itself starts early, and what it sends goes on beside the slow sibling."""
    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 3.0)}
    builder = add_all(Stream, {**nodes, "emit": _emitting(sleep, 3), "work": _working(sleep)})
    builder.add_conditional_edges("emit", _spread("work"), ["work"])
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "emit"))


def commands(sleep: Sleep) -> Builder:
    """The updates are Commands that lead on."""

    @alto_lg.streaming
    async def emit(state: Stream) -> AsyncIterator[Command[Any]]:
        for index in range(4):
            await sleep(PAUSE_S)
            yield Command(update={"found": [index]}, goto=Send("work", {"index": index}))

    builder = add_all(Stream, {"work": _working(sleep)})
    builder.add_node("emit", emit, destinations=("work",))
    return connect(builder, (START, "emit"))


def nested(sleep: Sleep) -> Builder:
    """What a streaming node sends streams in turn."""

    @alto_lg.streaming
    async def inner(item: dict[str, int]) -> AsyncIterator[Command[Any]]:
        for index in range(2):
            await sleep(0.2)
            yield Command(goto=Send("work", {"index": 10 * item["index"] + index}))

    builder = add_all(Stream, {"emit": _emitting(sleep, 3), "work": _working(sleep)})
    builder.add_node("inner", inner, destinations=("work",))
    builder.add_conditional_edges("emit", _spread("inner"), ["inner"])
    return connect(builder, (START, "emit"))


def broken_off(sleep: Sleep) -> Builder:
    """It fails in the middle."""

    @alto_lg.streaming
    async def emit(state: Stream) -> AsyncIterator[dict[str, Any]]:
        yield {"found": [0]}
        await sleep(1.0)
        raise ValueError("broken off")

    builder = add_all(Stream, {"emit": emit, "work": _working(sleep)})
    builder.add_conditional_edges("emit", _spread("work"), ["work"])
    return connect(builder, (START, "emit"))


def tried_again(sleep: Sleep) -> Builder:
    """Its first attempt fails in the middle; the second goes through."""
    attempts: list[int] = []

    @alto_lg.streaming
    async def emit(state: Stream) -> AsyncIterator[dict[str, Any]]:
        attempts.append(1)
        for index in range(3):
            await sleep(PAUSE_S)
            if index == 2 and len(attempts) == 1:
                raise ConnectionError("at first")
            yield {"found": [index]}

    builder = add_all(Stream, {"work": _working(sleep)})
    builder.add_node("emit", emit, retry_policy=RetryPolicy(initial_interval=0.1, jitter=False))
    builder.add_conditional_edges("emit", _spread("work"), ["work"])
    return connect(builder, (START, "emit"))


def asked(sleep: Sleep) -> Builder:
    """What it sends asks the caller."""

    async def work(item: dict[str, int]) -> dict[str, Any]:
        await sleep(0.1)
        answer = interrupt(f"work {item['index']}?") if item["index"] == 1 else "no need"
        return {"log": [f"work {item['index']}: {answer}"]}

    return _emission(sleep, 3, work)


def asking(sleep: Sleep) -> Builder:
    """It asks the caller itself, in the middle, and runs again from its beginning."""

    @alto_lg.streaming
    async def emit(state: Stream) -> AsyncIterator[dict[str, Any]]:
        yield {"found": [0]}
        await sleep(PAUSE_S)
        answer = interrupt("go on?")
        yield {"found": [len(answer)]}

    builder = add_all(Stream, {"emit": emit, "work": _working(sleep)})
    builder.add_conditional_edges("emit", _spread("work"), ["work"])
    return connect(builder, (START, "emit"))


def synchronous(sleep: Sleep) -> Builder:
    """A generator without async."""

    @alto_lg.streaming
    def emit(state: Stream) -> Iterator[dict[str, Any]]:
        for index in range(3):
            yield {"found": [index], "last": index}

    builder = add_all(Stream, {"emit": emit, "work": _working(sleep)})
    builder.add_conditional_edges("emit", _spread("work"), ["work"])
    return connect(builder, (START, "emit"))


def in_a_subgraph(sleep: Sleep) -> Builder:
    return connect(add_all(Stream, {"inner": _emission(sleep, 3).compile()}), (START, "inner"))


SHAPES = (
    Shape(
        "stream",
        "each item goes on as it comes",
        emission,
        critical_path_s=_last_s(5, 1),
        supersteps_s=5 * PAUSE_S + max(hop_s(index, 0) for index in range(5)),
    ),
    Shape(
        "stream_hops",
        "each item goes on through two more hops",
        hops,
        critical_path_s=_last_s(6, 2),
        supersteps_s=6 * PAUSE_S + sum(max(hop_s(index, hop) for index in range(6)) for hop in range(2)),
    ),
    Shape(
        "stream_joined",
        "a node after the items waits for all of them",
        joined,
        critical_path_s=_last_s(4, 1) + 0.1,
        supersteps_s=4 * PAUSE_S + max(hop_s(index, 0) for index in range(4)) + 0.1,
    ),
    Shape(
        "stream_beside_slow",
        "a streaming node that starts early streams early",
        beside_a_slow_one,
        critical_path_s=3.0,
        supersteps_s=3.0 + 3 * PAUSE_S + max(hop_s(index, 0) for index in range(3)),
    ),
    Shape("stream_commands", "partial updates may be Commands", commands),
    Shape("stream_nested", "what is streamed may stream in turn", nested),
    Shape("stream_broken", "a stream that fails in the middle leaves nothing", broken_off),
    Shape("stream_retried", "a stream that is tried again begins anew", tried_again),
    Shape("stream_asked", "what is streamed may ask", asked, resumes=(answer("yes"),)),
    Shape("stream_asking", "a streaming node may ask in the middle", asking, resumes=(answer("yes"),)),
    Shape("stream_sync", "a generator without async", synchronous),
    Shape("stream_in_subgraph", "a subgraph may stream", in_a_subgraph),
    Shape("stream_bounded", "with a limit the earliest goes first", emission, config={"max_concurrency": 2}),
)
