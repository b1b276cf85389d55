"""Flavours: what a few graphs have and most have not, and how a graph is run.

Owns the rare features. They come in flavours, so that most graphs end well and each has few reasons to stop early.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, get_args

from random_graphs.spec import LISTS, Key, Kind, Mode, Node, Run, Spec, Way

Inner = Callable[[random.Random, Sequence[Key], int], Spec]
Flavour = Callable[["_Flavouring"], None]

INNER_DEPTH_MAX = 3
MODES: tuple[Mode, ...] = get_args(Mode)


def flavoured(chance: random.Random, spec: Spec, inner: Inner) -> Spec:
    """The spec with the features of none, one or two flavours."""
    flavouring = _Flavouring(chance, spec, inner)
    for flavour in chance.choices(list(_FLAVOURS), list(_FLAVOURS.values()), k=chance.choice((0, 1, 1, 1, 2))):
        flavour(flavouring)
    return _ordered(flavouring.spec)


def _ordered(spec: Spec) -> Spec:
    """The spec without what LangGraph itself orders in no way, though it happens in one on a schedule that is mild.

    Two packets that are at one subgraph with a memory of its own; a subgraph that reads what a sibling's conditional
    edge reduces in place meanwhile.
    """
    nodes = list(spec.every_node())
    grown = {key.name for key in spec.every_key() if key.kind == "grown"}
    if any(node.inner is not None for node in nodes) and any(node.routes and grown & {*node.writes} for node in nodes):
        spec = _with_kind(spec, "grown", "list")
    spec = replace(spec, nodes=tuple(_honest(node) for node in spec.nodes))
    if any(node.inner is not None for node in nodes):  # it reads in its own time what a sibling changes from outside
        spec = replace(spec, nodes=tuple(replace(node, stirs=False) for node in spec.nodes))
    return _without_memory(_without_crowds(_with_one_failure(spec)), sent_to=False)


def _without_crowds(spec: Spec) -> Spec:
    """Packets do not read the store: which of a step's many readers come before its writer, nobody says."""
    sent_to = {target for way in _every_way(spec) if way.sends for target in way.targets}
    nodes = tuple(replace(node, store="") if node.name in sent_to else node for node in spec.nodes)
    return replace(spec, nodes=nodes)


def _every_way(spec: Spec) -> Iterator[Way]:
    yield from spec.start
    for node in spec.nodes:
        yield from node.ways()


def _honest(node: Node) -> Node:
    """A node that changes a value in place does not declare that it writes something else."""
    changes = node.mutates or node.keeps or node.stirs
    return replace(node, declares=()) if changes else node


def _with_one_failure(spec: Spec) -> Spec:
    """No node can fail in two ways, for which it takes two texts to tell which."""
    nodes = tuple(replace(node, fails="") if node.result == "empty" else node for node in spec.nodes)
    return replace(spec, nodes=nodes)


def _with_kind(spec: Spec, old: Kind, new: Kind) -> Spec:
    keys = tuple(replace(key, kind=new) if key.kind == old else key for key in spec.keys)
    nodes = tuple(
        replace(node, inner=_with_kind(node.inner, old, new)) if node.inner is not None else node for node in spec.nodes
    )
    return replace(spec, keys=keys, nodes=nodes)


def _without_memory(spec: Spec, *, sent_to: bool) -> Spec:
    """Subgraphs that packets are sent to, and those inside, keep no memory between calls."""
    names = frozenset(target for way in _every_way(spec) if way.sends for target in way.targets)
    nodes = []
    for node in spec.nodes:
        if node.inner is not None:
            below = sent_to or node.name in names
            saver = None if below and node.saver else node.saver
            node = replace(node, saver=saver, inner=_without_memory(node.inner, sent_to=below))
        nodes.append(node)
    return replace(spec, nodes=tuple(nodes))


def run_drawn(chance: random.Random, spec: Spec) -> Spec:
    """The spec with the way it is run."""
    asks = any(node.asks for node in spec.every_node())
    saver = asks or bool(spec.run.stops_before or spec.run.stops_after) or chance.random() < 0.45
    durability = chance.choices(("async", "exit", "sync"), (12, 4, 1))[0] if saver else "async"
    if durability == "exit" and asks and spec.has_joins:
        durability = "async"  # LangGraph 1.2.22 then saves arrivals at a join twice over: docs/compatibility.md
    run = replace(
        spec.run,
        saver=saver,
        durability=durability,
        modes=_modes(chance),
        limit=chance.randint(1, 7) if spec.run.limit == 1 else _limit(spec),
        at_once=chance.choice((1, 2, 3)) if chance.random() < 0.08 else 0,
        overlap="chains" if chance.random() < 0.15 else "branches",
        handed_over=saver and chance.random() < 0.3,
    )
    return replace(spec, run=run)


def _limit(spec: Spec) -> int:
    """A subgraph returns the whole of a list that it was given, so that each visit doubles it."""
    return 12 if any(node.inner is not None for node in spec.nodes) else 25


def _modes(chance: random.Random) -> tuple[Mode, ...]:
    kind = chance.random()
    if kind < 0.15:
        return ()
    if kind < 0.7:
        return ("values", "updates", "debug")
    if kind < 0.85:
        return MODES
    return tuple(mode for mode in MODES if chance.random() < 0.5) or ("values",)


class _Flavouring:
    """A spec that features are put into."""

    def __init__(self, chance: random.Random, spec: Spec, inner: Inner) -> None:
        self.chance = chance
        self.spec = spec
        self.inner = inner

    def some_node(self) -> Node:
        return self.chance.choice(self.spec.nodes)

    def change(self, node: Node, **changes: Any) -> None:
        """The node as it is now, changed."""
        nodes = [replace(one, **changes) if one.name == node.name else one for one in self.spec.nodes]
        self.spec = replace(self.spec, nodes=tuple(nodes))

    def keys_of(self, *kinds: str) -> list[str]:
        return [key.name for key in self.spec.keys if key.kind in kinds]

    def need_list(self) -> str:
        """A key whose values can be changed in place."""
        found = self.keys_of(*LISTS)
        boxes = self.keys_of("box", "grown")
        if boxes or self.chance.random() < 0.4:
            return self.chance.choice(boxes or found)
        self.spec = replace(self.spec, keys=(*self.spec.keys, Key("box", "box", given=True)))
        self.change(self.some_node(), writes=("box",))
        return "box"


def _in_place(on: _Flavouring) -> None:
    """Somebody changes a value of the state."""
    key, node = on.need_list(), on.some_node()
    on.change(node, mutates=key, rest_ms=on.chance.choice((20, 80, 300)))
    for other in on.chance.sample(on.spec.nodes, min(2, len(on.spec.nodes))):
        on.change(other, reads=tuple(dict.fromkeys((*other.reads, key))))


def _shared(on: _Flavouring) -> None:
    """One value under two keys, of which one is changed."""
    lists = on.keys_of("box")
    while len(lists) < 2:
        name = f"box{len(lists)}"
        on.spec = replace(on.spec, keys=(*on.spec.keys, Key(name, "box", given=on.chance.random() < 0.5)))
        lists.append(name)
    writer, changer, reader = on.some_node(), on.some_node(), on.some_node()
    on.spec = _without_writes(on.spec, lists[:2])
    writer = next(node for node in on.spec.nodes if node.name == writer.name)
    if on.chance.random() < 0.5:
        on.change(writer, twin=True, writes=(*writer.writes, *lists[:2]))
    else:
        on.change(writer, passes=lists[1], reads=(lists[0], *writer.reads), writes=(*writer.writes, lists[1]))
    on.change(changer, mutates=lists[0], rest_ms=on.chance.choice((20, 80, 300)))
    on.change(reader, reads=(lists[1],))


def _without_writes(spec: Spec, keys: Sequence[str]) -> Spec:
    nodes = [replace(node, writes=tuple(key for key in node.writes if key not in keys)) for node in spec.nodes]
    return replace(spec, nodes=tuple(nodes))


def _kept(on: _Flavouring) -> None:
    """A node keeps a value in a global, and another one changes it there."""
    key = on.need_list()
    on.change(on.some_node(), keeps=key)
    on.change(on.some_node(), stirs=True, rest_ms=on.chance.choice((20, 80, 300)))
    on.change(on.some_node(), reads=(key,))


def _packets_with_lists(on: _Flavouring) -> None:
    """Packets carry lists of the state, and who gets them changes them."""
    key = on.need_list()
    load: dict[str, Any] = {"fresh": key} if on.chance.random() < 0.5 else {"payload": (key,)}
    for node in on.spec.nodes:
        routes = tuple(replace(way, **load) if way.sends else way for way in node.routes)
        goto = replace(node.goto, **load) if node.goto is not None and node.goto.sends else node.goto
        on.change(node, routes=routes, goto=goto)
    sent_to = {target for node in on.spec.nodes for way in node.ways() if way.sends for target in way.targets}
    for node in on.spec.nodes:
        if node.name in sent_to and on.chance.random() < 0.6:
            on.change(node, mutates=key, reads=(key,))
    if on.chance.random() < 0.4:
        _fought_over(on)


def _fought_over(on: _Flavouring) -> None:
    """A list of the state travels in packets, and is changed by who gets them, after a slow node has read it."""
    taken = {node.name for node in on.spec.nodes}
    if len(taken) > 5 or on.spec.has("fought"):
        return
    source, changer, reader = on.chance.sample([name for name in _NEW_NAMES if name not in taken], 3)
    nodes = (
        Node(source, goto=Way((changer,), sends=(2,), payload=("fought",))),
        Node(changer, mutates="fought", reads=("fought",), writes=("log",), rest_ms=5),
        Node(reader, reads=("fought",), writes=("log",), rest_ms=900, late=True),
    )
    edges = (("__start__", source), ("__start__", reader))
    keys = (*on.spec.keys, Key("fought", "box", given=True))
    on.spec = replace(on.spec, keys=keys, nodes=(*on.spec.nodes, *nodes), edges=(*on.spec.edges, *edges))


def _gathered(on: _Flavouring) -> None:
    """Many packets write to one key, and a node behind them reads it, beside a slow one."""
    taken = {node.name for node in on.spec.nodes}
    if len(taken) > 5:
        return
    source, worker, reader, slow = on.chance.sample([name for name in _NEW_NAMES if name not in taken], 4)
    key = on.chance.choice(on.keys_of("weave", "list", "delta", "any"))
    many = Way((worker,), sends=(on.chance.choice((2, 9, 10, 11, 12)),))
    nodes = (
        Node(source, goto=many) if on.chance.random() < 0.5 else Node(source, routes=(many,)),
        Node(worker, writes=(key,), by_item=True, rest_ms=on.chance.choice((0, 10))),
        Node(reader, reads=(key,), writes=("log",), rest_ms=10),
        Node(slow, rest_ms=2000),
    )
    edges = (("__start__", source), (worker, reader), ("__start__", slow))
    on.spec = replace(on.spec, nodes=(*on.spec.nodes, *nodes), edges=(*on.spec.edges, *edges))


def _remembered(on: _Flavouring) -> None:
    """A node with a cache is come to with the same input two steps later, beside a slow one.

    In the very next step it is a race on LangGraph whether its writes are in the cache by then.
    """
    taken = {node.name for node in on.spec.nodes}
    if len(taken) > 5:
        return
    first, second, third, cached, slow = on.chance.sample([name for name in _NEW_NAMES if name not in taken], 5)
    nodes = (
        Node(first, rest_ms=5),
        Node(second, rest_ms=20),
        Node(third, rest_ms=20),
        Node(cached, reads=("same",), writes=("log",), rest_ms=10, narrow=True, caches=True),
        Node(slow, rest_ms=2000),
    )
    chain = (("__start__", first), (first, second), (second, third), (third, cached))
    edges = (*chain, (first, cached), ("__start__", slow))
    keys = (*on.spec.keys, Key("same", "number", given=True))
    on.spec = replace(on.spec, keys=keys, nodes=(*on.spec.nodes, *nodes), edges=(*on.spec.edges, *edges))


_NEW_NAMES = ("e", "E", "f", "f2", "g", "zz", "A", "h", "y")


def _failing(on: _Flavouring) -> None:
    for _ in range(on.chance.choice((1, 1, 2))):
        on.change(on.some_node(), fails=on.chance.choice(("always", "odd", "odd")))


def _lost(on: _Flavouring) -> None:
    """A router raises, or leads to where there is no node."""
    node = on.some_node()
    on.change(node, routes=(*node.routes, Way(("__end__",), fails=True)))


def _retried(on: _Flavouring) -> None:
    on.change(on.some_node(), fails="first", retries=on.chance.random() < 0.9)


def _cached(on: _Flavouring) -> None:
    on.change(on.some_node(), caches=True)


def _timed(on: _Flavouring) -> None:
    short = on.chance.random() < 0.2
    on.change(on.some_node(), timeout="short" if short else "long", is_async=True)


def _handled(on: _Flavouring) -> None:
    on.change(on.some_node(), handled=True, fails=on.chance.choice(("odd", "always")))


def _deferred(on: _Flavouring) -> None:
    on.change(on.some_node(), defers=True)


def _asking(on: _Flavouring) -> None:
    for _ in range(on.chance.choice((1, 1, 2))):
        on.change(on.some_node(), asks=on.chance.choice((1, 1, 2)))


def _stopped(on: _Flavouring) -> None:
    before, after = on.some_node().name, on.some_node().name
    kind = on.chance.random()
    run = replace(
        on.spec.run,
        stops_before=(before,) if kind < 0.6 else (),
        stops_after=(after,) if kind > 0.4 else (),
    )
    on.spec = replace(on.spec, run=run)


def _limited(on: _Flavouring) -> None:
    on.spec = replace(on.spec, run=Run(limit=1))


def _stored(on: _Flavouring) -> None:
    on.change(on.some_node(), store="put", rest_ms=on.chance.choice((20, 80, 300)))
    on.change(on.some_node(), store="get")


def _declared(on: _Flavouring) -> None:
    for node in on.spec.nodes:
        if on.chance.random() < 0.4 and not (node.whole or node.mutates or node.by_item or node.keeps or node.stirs):
            on.change(
                node, declares=on.chance.choice((("reads",), ("writes",), ("reads", "writes"), ("barrier",), ("pure",)))
            )


_DECLARATIONS: Any = (("reads",), ("writes",), ("reads", "writes"), ("barrier",), ("pure",))


def _nested(on: _Flavouring) -> None:
    """A node becomes a subgraph, which may have subgraphs of its own."""
    node = on.some_node()
    if any(node.name in way.targets for other in on.spec.nodes for way in other.ways() if way.sends):
        return  # packets have no values for its keys
    if any(way.clamp for way in node.routes):
        return  # what bounds the loop is counted by this node
    on.change(node, inner=_inside(on, on.spec.keys, 1), saver=on.chance.choice((None, None, True, False)), goto=None)


def _inside(on: _Flavouring, keys: Sequence[Key], depth: int) -> Spec:
    spec = on.inner(on.chance, keys, depth)
    nodes = list(spec.nodes)
    if depth < INNER_DEPTH_MAX and on.chance.random() < 0.3:
        place = on.chance.randrange(len(nodes))
        inner, saver = _inside(on, spec.keys, depth + 1), on.chance.choice((None, None, True, False))
        nodes[place] = replace(nodes[place], inner=inner, saver=saver, goto=None)
    elif on.chance.random() < 0.2:
        place = on.chance.randrange(len(nodes))
        nodes[place] = replace(nodes[place], asks=1)
    return replace(spec, nodes=tuple(nodes))


_FLAVOURS: dict[Flavour, int] = {
    _in_place: 12,
    _shared: 8,
    _kept: 9,
    _packets_with_lists: 10,
    _gathered: 8,
    _failing: 8,
    _lost: 2,
    _retried: 6,
    _cached: 3,
    _remembered: 3,
    _timed: 4,
    _handled: 4,
    _deferred: 6,
    _asking: 9,
    _stopped: 7,
    _limited: 5,
    _stored: 7,
    _declared: 10,
    _nested: 12,
}
