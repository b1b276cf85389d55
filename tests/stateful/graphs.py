"""Graphs: which specs live through a machine's life, by name.

Owns the choice of them. Always true:
  a name means the same spec on every machine, so that a name and a list of operations are a whole example;
  each spec has a saver, and nothing in it lets one LangGraph run differ from the next: nothing is changed in place,
  nothing is kept outside the state, and at most one of its nodes or routers fails.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import replace

from random_graphs.draw import draw
from random_graphs.spec import START, Key, Node, Run, Spec, Way

LIMIT = 25
"""Steps a run may take. Drawn loops are bounded, so few graphs ever come near."""

LOG = Key("log", "list")
NUMBER = Key("n", "number", given=True)
WOVEN = Key("w", "weave")

_BRANCHES = Spec(
    (LOG, NUMBER, WOVEN, Key("total", "sum")),
    (
        Node("c", rest_ms=10, reads=("n",), writes=("log", "w")),
        Node("b", rest_ms=80, writes=("log", "total")),
        Node("a", rest_ms=20, writes=("log", "w")),
        Node("d", rest_ms=10, reads=("total",), writes=("w",)),
        Node("f", rest_ms=5, reads=("total",), writes=("log",)),
        Node("e", reads=("w",), writes=("log", "n")),
    ),
    ((START, "c"), (START, "b"), ("c", "a"), ("c", "f"), ("b", "d")),
    ((("a", "d"), "e"),),
)
_PACKETS = Spec(
    (LOG, NUMBER, WOVEN),
    (
        Node("m", rest_ms=10, reads=("n",), writes=("n",), goto=Way(("work",), sends=(3, 1, 2), by="n")),
        Node("work", rest_ms=10, by_item=True, writes=("w",), goto=Way(("check",), sends=(1,), mapped=True)),
        Node("check", rest_ms=20, by_item=True, writes=("log",)),
        Node("slow", rest_ms=300, writes=("log",)),
        Node("then", reads=("w",), writes=("w",)),
    ),
    ((START, "m"), (START, "slow"), ("slow", "then")),
)
_ASKS = Spec(
    (LOG, NUMBER, WOVEN),
    (
        Node("one", rest_ms=10, writes=("log",)),
        Node("two", rest_ms=10, writes=("w",)),
        Node("ask", rest_ms=5, reads=("w",), writes=("w",), asks=2),
        Node("slow", rest_ms=150, writes=("log", "n")),
        Node("then", rest_ms=20, reads=("n",), writes=("w",)),
        Node("last", rest_ms=20, reads=("w",), writes=("log",)),
    ),
    ((START, "one"), (START, "slow"), ("one", "two"), ("two", "ask"), ("slow", "then"), ("ask", "last")),
)
_MANY_QUESTIONS = Spec(
    (LOG, NUMBER, WOVEN),
    (
        Node("m", rest_ms=10, writes=("log",), goto=Way(("asker",), sends=(2,))),
        Node("asker", by_item=True, writes=("w",), asks=1),
        Node("b", rest_ms=80, writes=("n",)),
        Node("c", rest_ms=20, reads=("n",), writes=("log",), asks=1),
        Node("e", rest_ms=10, reads=("w",), writes=("log",)),
    ),
    ((START, "m"), (START, "b"), ("b", "c"), ("asker", "e")),
)
_LOOP = Spec(
    (LOG, NUMBER, Key("turns", "count")),
    (
        Node("a", rest_ms=10, writes=("log", "turns"), routes=(Way(("a", "a", "z"), by="turns", clamp=True),)),
        Node("slow", rest_ms=150, writes=("log",)),
        Node("next", rest_ms=20, reads=("n",), writes=("n",)),
        Node("z", reads=("turns",), writes=("log",)),
    ),
    ((START, "a"), (START, "slow"), ("slow", "next")),
)
_NESTED = Spec(
    (LOG, NUMBER, WOVEN),
    (
        Node("a", rest_ms=10, writes=("w",)),
        Node("b", rest_ms=80, writes=("log",)),
        Node(
            "inside",
            inner=Spec(
                (LOG, WOVEN, Key("own", "number")),
                (
                    Node("i", rest_ms=20, writes=("own", "log")),
                    Node("j", rest_ms=40, writes=("w",)),
                    Node("k", reads=("own",), writes=("log",), asks=1),
                ),
                ((START, "i"), (START, "j"), ("i", "k")),
            ),
        ),
        Node("c", rest_ms=20, reads=("w",), writes=("log", "n")),
    ),
    ((START, "a"), (START, "b"), ("a", "inside"), ("b", "c")),
)
_FAILING = replace(
    _BRANCHES,
    nodes=tuple(replace(node, fails="odd") if node.name == "d" else node for node in _BRANCHES.nodes),
)
_DECLARED = replace(_BRANCHES, nodes=tuple(replace(node, declares=("reads", "writes")) for node in _BRANCHES.nodes))

WRITTEN: dict[str, Spec] = {
    "branches": _BRANCHES,
    "packets": _PACKETS,
    "asks": _ASKS,
    "many questions": _MANY_QUESTIONS,
    "stops before": replace(_BRANCHES, run=Run(stops_before=("a", "d"))),
    "stops after": replace(_PACKETS, run=Run(stops_after=("work",))),
    "loop": _LOOP,
    "nested": _NESTED,
    "failing": _FAILING,
    "declared": _DECLARED,
}
_DRAWN = "drawn "


@functools.lru_cache(maxsize=256)
def graph(name: str) -> Spec:
    """The spec of that name, with a saver."""
    spec = draw(int(name.removeprefix(_DRAWN))) if name.startswith(_DRAWN) else WRITTEN[name]
    run = Run(saver=True, limit=LIMIT, stops_before=spec.run.stops_before, stops_after=spec.run.stops_after)
    return replace(spec, run=run)


def drawn(count: int, *, first: int = 0) -> tuple[str, ...]:
    """Names of so many drawn specs that can live."""
    return tuple(itertools.islice(_names(first), count))


def _names(first: int) -> Iterator[str]:
    return (f"{_DRAWN}{seed}" for seed in itertools.count(first) if can_live(draw(seed)))


def can_live(spec: Spec) -> bool:
    """Whether LangGraph itself gives one answer whatever happens to the thread; small, so that lives are cheap."""
    nodes = list(spec.every_node())
    failing = sum(bool(node.fails) or node.timeout == "short" for node in nodes)
    failing += sum(way.fails for node in nodes for way in node.ways())
    packets = [number for node in nodes for way in node.ways() for number in way.sends]
    packets += [number for way in spec.start for number in way.sends]
    kept = any(node.keeps or node.store or node.passes for node in nodes)
    lost = failing and any(key.kind == "hidden" for key in spec.every_key())  # with whichever siblings had ended
    small = max(packets, default=0) <= 3 and 2 < len(nodes) <= 10
    return small and failing <= 1 and not (spec.changes_in_place or kept or lost)


def synchronous(spec: Spec) -> Spec:
    """The same with plain functions as nodes. Timeouts are for coroutines alone."""
    nodes = tuple(
        replace(node, is_async=False, timeout="", inner=synchronous(node.inner) if node.inner else None)
        for node in spec.nodes
    )
    return replace(spec, nodes=nodes)


def hides_where_it_was(spec: Spec) -> bool:
    """Whether what a crashed run has saved does not say if it had come to its end.

    Who goes on from a stop passes it. And where a router has failed, LangGraph 1.2.22 has saved what its node wrote and
    takes that for the whole.
    """
    failing = any(way.fails for node in spec.every_node() for way in node.ways())
    return failing or bool(spec.run.stops_before or spec.run.stops_after)


def saves_joins_too_full(spec: Spec) -> bool:
    """Whether LangGraph 1.2.22 may save, in `exit`, that a join has heard of a node whose step is not over.

    At a question it applies what the siblings of the asker wrote, for the last output, to the very set that it is
    about to save. Ours saves a set of its own.
    """
    return any(node.asks for node in spec.every_node()) and _has_joins(spec)


def _has_joins(spec: Spec) -> bool:
    return bool(spec.joins) or any(_has_joins(node.inner) for node in spec.nodes if node.inner is not None)
