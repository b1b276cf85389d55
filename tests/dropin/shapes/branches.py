"""Branches: edges, joins and barriers between nodes that do not fan out."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say, tally


def fast_and_slow(sleep: Sleep) -> Builder:
    nodes = {"slow": say(sleep, "slow", 1.2), "fast": say(sleep, "fast", 0.1)}
    nodes["after_fast"] = say(sleep, "after_fast", 0.2)
    return connect(
        add_all(Log, nodes),
        (START, "fast"),
        (START, "slow"),
        ("fast", "after_fast"),
        ("slow", END),
    )


def uneven_diamond(sleep: Sleep) -> Builder:
    seconds = {"a": 0.1, "b": 0.5, "c": 0.2, "d": 0.2, "e": 0.1}
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    return connect(add_all(Log, nodes), (START, "a"), ("a", "b"), ("a", "c"), ("c", "d"), (["b", "d"], "e"))


def uneven_tails(sleep: Sleep) -> Builder:
    seconds = {"a": 0.1, "b": 0.1, "c": 0.5, "d": 0.5}
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    return connect(add_all(Log, nodes), (START, "a"), ("a", "b"), ("a", "c"), ("b", "d"))


def double_firing(sleep: Sleep) -> Builder:
    seconds = {"a": 0.05, "b": 0.1, "b2": 0.1, "c": 0.1}
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    return connect(add_all(Log, nodes), (START, "a"), (START, "b"), ("b", "b2"), ("a", "c"), ("b2", "c"))


def equal_depth(sleep: Sleep) -> Builder:
    seconds = {"q": 0.05, "s": 0.1, "g": 0.4, "cs": 0.1}
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    nodes["f"] = tally(sleep, "f", 0.1)
    return connect(
        add_all(Log, nodes),
        (START, "q"),
        (START, "g"),
        ("q", "s"),
        ("g", "cs"),
        ("s", "f"),
        ("cs", "f"),
    )


def list_join(sleep: Sleep) -> Builder:
    seconds = {"a": 0.05, "b": 0.1, "b2": 0.1, "c": 0.1}
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    return connect(add_all(Log, nodes), (START, "a"), (START, "b"), ("b", "b2"), (["a", "b2"], "c"))


class Chain(TypedDict, total=False):
    """One key a node, so that who reads what is exact."""

    a: int
    b: int
    c: int


def chain(sleep: Sleep) -> Builder:
    async def a(state: Chain) -> dict[str, Any]:
        await sleep(0.2)
        return {"a": 1}

    async def b(state: Chain) -> dict[str, Any]:
        await sleep(0.2)
        return {"b": 2}

    async def c(state: Chain) -> dict[str, Any]:
        await sleep(0.2)
        return {"c": state["a"] + state["b"]}

    nodes = {"a": a, "b": b, "c": c}
    return connect(add_all(Chain, nodes), (START, "a"), ("a", "b"), ("b", "c"), ("c", END))


class Shared(TypedDict, total=False):
    """A key that a slow node writes and another branch reads."""

    seen: str
    told: str
    log: Annotated[list[str], operator.add]


def reads_the_slow_sibling(sleep: Sleep) -> Builder:
    async def quick(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["quick"]}

    async def slow(state: Shared) -> dict[str, Any]:
        await sleep(1.0)
        return {"told": "by slow", "log": ["slow"]}

    async def reader(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": state["told"]}

    nodes = {"quick": quick, "slow": slow, "reader": reader}
    return connect(
        add_all(Shared, nodes),
        (START, "quick"),
        (START, "slow"),
        ("quick", "reader"),
        ("slow", END),
    )


def reads_a_settled_key(sleep: Sleep) -> Builder:
    async def quick(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"told": "by quick"}

    async def slow(state: Shared) -> dict[str, Any]:
        await sleep(1.0)
        return {"log": ["slow"]}

    async def reader(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": state["told"]}

    nodes = {"quick": quick, "slow": slow, "reader": reader}
    return connect(
        add_all(Shared, nodes),
        (START, "quick"),
        (START, "slow"),
        ("quick", "reader"),
        ("slow", END),
    )


def writes_over_a_later_read(sleep: Sleep) -> Builder:
    """The slow branch's second step writes what the fast branch's first step read already."""

    async def fast(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": state.get("told", "nothing yet")}

    async def slow(state: Shared) -> dict[str, Any]:
        await sleep(0.5)
        return {"log": ["slow"]}

    async def late(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"told": "late"}

    async def also(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [state.get("seen", "?"), state.get("told", "nothing yet")]}

    nodes = {"fast": fast, "slow": slow, "late": late, "also": also}
    return connect(
        add_all(Shared, nodes),
        (START, "fast"),
        (START, "slow"),
        ("slow", "late"),
        ("fast", "also"),
    )


def text_order(sleep: Sleep) -> Builder:
    """Declared z, m, a; finishing m, z, a; LangGraph applies a, m, z."""
    seconds = {"z": 0.2, "m": 0.1, "a": 0.3, "end": 0.1}
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    return connect(
        add_all(Log, nodes),
        *((START, name) for name in "zma"),
        *((name, "end") for name in "zma"),
    )


def two_writers(sleep: Sleep) -> Builder:
    async def first(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"told": "first"}

    async def second(state: Shared) -> dict[str, Any]:
        await sleep(0.2)
        return {"told": "second"}

    async def after(state: Shared) -> dict[str, Any]:
        return {"log": ["after"]}

    nodes = {"first": first, "second": second, "after": after}
    return connect(add_all(Shared, nodes), (START, "first"), (START, "second"), ("first", "after"))


def two_late_writers(sleep: Sleep) -> Builder:
    """The conflict comes in the second step, where one of the two could have started early."""

    async def first(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"told": "first"}

    async def second(state: Shared) -> dict[str, Any]:
        await sleep(0.1)
        return {"told": "second"}

    nodes = {"p": say(sleep, "p", 0.1), "q": say(sleep, "q", 0.6), "first": first, "second": second}
    return connect(add_all(Shared, nodes), (START, "p"), (START, "q"), ("p", "first"), ("q", "second"))


def two_start_edges(sleep: Sleep) -> Builder:
    nodes = {"a": say(sleep, "a", 0.1), "b": say(sleep, "b", 0.1)}
    return connect(add_all(Log, nodes), (START, "a"), (START, "b"), ("a", "b"))


def deferred(sleep: Sleep) -> Builder:
    seconds = {"a": 0.1, "b": 0.1, "b2": 0.1, "b3": 0.3}
    builder = add_all(Log, {name: say(sleep, name, seconds[name]) for name in seconds})
    builder.add_node("last", say(sleep, "last", 0.1), defer=True)
    edges = [(START, "a"), (START, "b"), ("b", "b2"), ("b2", "b3"), ("a", "last"), ("b3", "last")]
    return connect(builder, *edges)


def deferred_then_more(sleep: Sleep) -> Builder:
    seconds = {"a": 0.1, "slow": 0.7, "slower": 0.2, "after": 0.1}
    builder = add_all(Log, {name: say(sleep, name, seconds[name]) for name in seconds})
    builder.add_node("last", say(sleep, "last", 0.1), defer=True)
    edges = [(START, "a"), (START, "slow"), ("slow", "slower"), ("a", "last"), ("last", "after")]
    return connect(builder, *edges)


def three_uneven_branches(sleep: Sleep) -> Builder:
    seconds = {
        "a1": 0.3,
        "a2": 0.1,
        "a3": 0.1,
        "b1": 0.1,
        "b2": 0.3,
        "b3": 0.1,
        "c1": 0.1,
        "c2": 0.1,
        "c3": 0.3,
    }
    nodes = {name: say(sleep, name, seconds[name]) for name in seconds}
    builder = add_all(Log, {**nodes, "join": say(sleep, "join", 0.1)})
    for letter in "abc":
        connect(builder, (START, f"{letter}1"), (f"{letter}1", f"{letter}2"), (f"{letter}2", f"{letter}3"))
    return connect(builder, (["a3", "b3", "c3"], "join"))


SHAPES = (
    Shape(
        "fast_and_slow",
        "a fast branch goes on while a slow sibling runs",
        fast_and_slow,
        critical_path_s=1.2,
        supersteps_s=1.4,
    ),
    Shape(
        "uneven_diamond",
        "a list join waits for the longer branch, not for the sum of the longest steps",
        uneven_diamond,
        critical_path_s=0.7,
        supersteps_s=0.9,
    ),
    Shape("uneven_tails", "two tails without a join", uneven_tails, critical_path_s=0.7, supersteps_s=1.1),
    Shape("double_firing", "separate edges of unequal depth fire the target twice", double_firing),
    Shape(
        "equal_depth",
        "separate edges of equal depth fire the target once",
        equal_depth,
        critical_path_s=0.6,
        supersteps_s=0.6,
    ),
    Shape("list_join", "a list edge fires once, after both", list_join, critical_path_s=0.3, supersteps_s=0.3),
    Shape("chain", "a chain takes the sum by default", chain, critical_path_s=0.6, supersteps_s=0.6),
    Shape(
        "reads_the_slow_sibling",
        "a fast branch that reads what a slow sibling writes waits for it",
        reads_the_slow_sibling,
        critical_path_s=1.1,
        supersteps_s=1.1,
    ),
    Shape(
        "reads_a_settled_key",
        "a key that no running node may write is settled",
        reads_a_settled_key,
        critical_path_s=1.0,
        supersteps_s=1.1,
    ),
    Shape("writes_over_a_later_read", "a later write is never seen by an earlier read", writes_over_a_later_read),
    Shape("text_order", "writes are applied in the text order of the names", text_order),
    Shape("two_writers", "two writers of one plain key in the same step raise", two_writers),
    Shape("two_late_writers", "two writers in the second step raise at that step", two_late_writers),
    Shape("two_start_edges", "a node with a START edge and another edge runs twice", two_start_edges),
    Shape("deferred", "a deferred node runs once, after everything else", deferred),
    Shape("deferred_then_more", "what follows a deferred node comes after everything else", deferred_then_more),
    Shape(
        "three_uneven_branches",
        "three branches whose slow node sits in another step each",
        three_uneven_branches,
        critical_path_s=0.6,
        supersteps_s=1.0,
    ),
)
