"""Stops: interrupts of every kind, and what the run does when it is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph.graph import START
from langgraph.types import Command, Send, StateSnapshot, interrupt

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say
from dropin.shapes.branches import fast_and_slow
from dropin.shapes.fanouts import Item, Items, hop_s


def go_on(_: StateSnapshot) -> None:
    """Resume after a static interrupt."""


def answer(value: Any) -> Any:
    """Resume the one interrupt that there is."""

    def resume(_: StateSnapshot) -> Command[Any]:
        return Command(resume=value)

    return resume


def answer_each(state: StateSnapshot) -> Command[Any]:
    """Resume every interrupt by its id, each with its own question."""
    return Command(resume={item.id: f"re {item.value}" for item in state.interrupts})


def answer_first(state: StateSnapshot) -> Command[Any]:
    """Resume one of several interrupts: the first by its question."""
    first = min(state.interrupts, key=lambda item: str(item.value))
    return Command(resume={first.id: f"re {first.value}"})


def _ask(sleep: Sleep, name: str, before_s: float, after_s: float) -> Any:
    async def ask(state: Log) -> dict[str, Any]:
        await sleep(before_s)
        told = interrupt(f"{name}?")
        await sleep(after_s)
        return {"log": [f"{name} {told}"]}

    return ask


def asks(sleep: Sleep) -> Builder:
    builder = add_all(Log, {"ask": _ask(sleep, "ask", 0.1, 0.1), "after": say(sleep, "after", 0.1)})
    return connect(builder, (START, "ask"), ("ask", "after"))


def asks_in_the_first_step(sleep: Sleep) -> Builder:
    """The question comes while a slow sibling runs; the sibling's work is not lost."""
    nodes = {"ask": _ask(sleep, "ask", 0.1, 0.1), "slow": say(sleep, "slow", 0.6)}
    builder = add_all(Log, {**nodes, "after": say(sleep, "after", 0.1), "then": say(sleep, "then", 0.1)})
    return connect(builder, (START, "ask"), (START, "slow"), ("ask", "after"), ("slow", "then"))


def asks_in_the_second_step(sleep: Sleep) -> Builder:
    """The fast branch asks in its second step, which may have begun while the slow sibling still ran."""
    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.6), "ask": _ask(sleep, "ask", 0.1, 0.1)}
    builder = add_all(Log, {**nodes, "after": say(sleep, "after", 0.1), "then": say(sleep, "then", 0.1)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "ask"), ("ask", "after"), ("slow", "then"))


def counts_its_runs(sleep: Sleep) -> Builder:
    """A node that asks is run once before the question and once after it, never more."""
    runs: list[str] = []

    async def ask(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        runs.append("ask")
        told = interrupt("how often?")
        return {"log": [f"run {len(runs)} {told}"]}

    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.6), "ask": ask}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "ask"))


def asks_twice(sleep: Sleep) -> Builder:
    async def ask(state: Log) -> dict[str, Any]:
        await sleep(0.1)
        first = interrupt("first?")
        second = interrupt("second?")
        return {"log": [first, second]}

    nodes = {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.6), "ask": ask}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "ask"))


def two_ask(sleep: Sleep) -> Builder:
    nodes = {"a": _ask(sleep, "a", 0.1, 0.1), "b": _ask(sleep, "b", 0.3, 0.1), "end": say(sleep, "end", 0.1)}
    return connect(add_all(Log, nodes), (START, "a"), (START, "b"), (["a", "b"], "end"))


def packets_ask(sleep: Sleep) -> Builder:
    """Two of four packets ask; the other two go on to the next hop."""

    async def first(item: Item) -> Command[Any]:
        await sleep(hop_s(item["index"], 0))
        return Command(update={"log": [f"first {item['index']}"]}, goto=Send("second", item))

    async def second(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 1))
        told = interrupt(f"item {item['index']}?") if item["index"] % 2 else "nothing"
        return {"log": [f"second {item['index']} {told}"]}

    def spread(state: Items) -> list[Send]:
        return [Send("first", {"index": index}) for index in range(4)]

    builder = add_all(Items, {"start": say(sleep, "start", 0.1), "second": second, "join": say(sleep, "join", 0.1)})
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges("start", spread, ["first"])
    return connect(builder, (START, "start"), ("second", "join"))


def asks_in_a_subgraph(sleep: Sleep) -> Builder:
    inner = add_all(Log, {"in": say(sleep, "in", 0.1), "ask": _ask(sleep, "inner", 0.1, 0.1)})
    connect(inner, (START, "in"), ("in", "ask"))
    builder = add_all(Log, {"fast": say(sleep, "fast", 0.1), "slow": say(sleep, "slow", 0.9)})
    builder.add_node("inner", inner.compile())
    builder.add_node("after", say(sleep, "after", 0.1))
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "inner"), ("inner", "after"))


def stop(**where: Any) -> Any:
    """The static interrupts of `compile`."""

    def settings() -> Mapping[str, Any]:
        return where

    return settings


SHAPES = (
    Shape("asks", "a question in the middle of a chain", asks, resumes=(answer("yes"),)),
    Shape(
        "asks_in_the_first_step",
        "a question beside a slow sibling",
        asks_in_the_first_step,
        resumes=(answer("yes"),),
    ),
    Shape(
        "asks_in_the_second_step",
        "a question in a fast branch's second step",
        asks_in_the_second_step,
        resumes=(answer("yes"),),
    ),
    Shape("counts_its_runs", "an early question is not asked twice", counts_its_runs, resumes=(answer("yes"),)),
    Shape("asks_twice", "two questions in one node", asks_twice, resumes=(answer("one"), answer("two"))),
    Shape("two_ask", "two nodes ask, one is answered at a time", two_ask, resumes=(answer_first, answer_each)),
    Shape("packets_ask", "some packets ask, by id", packets_ask, resumes=(answer_each,)),
    Shape("asks_in_a_subgraph", "a question inside a subgraph", asks_in_a_subgraph, resumes=(answer("yes"),)),
    Shape(
        "stop_before",
        "interrupt_before a node of a fast branch's second step",
        fast_and_slow,
        compile=stop(interrupt_before=["after_fast"]),
        resumes=(go_on,),
    ),
    Shape(
        "stop_after",
        "interrupt_after a node of the first step",
        fast_and_slow,
        compile=stop(interrupt_after=["fast"]),
        resumes=(go_on,),
    ),
    Shape(
        "stop_before_all",
        "interrupt_before every node",
        fast_and_slow,
        compile=stop(interrupt_before="*"),
        resumes=(go_on, go_on),
    ),
    Shape(
        "stop_after_another",
        "interrupt_after a slow node that others overtake",
        fast_and_slow,
        compile=stop(interrupt_after=["slow"]),
        resumes=(go_on,),
    ),
)
