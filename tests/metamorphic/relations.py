"""Relations: what may be changed without changing the answer.

Owns the list. Each relation is given a spec and draws variants of it, none where it has nothing to say.
"""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dropin.watch import App, Tempo
from random_graphs.build import compiled
from random_graphs.spec import START, Key, Node, Spec
from stateful.graphs import synchronous

import alto_lg
from metamorphic.answers import Variant, ours

Relation = Callable[[Spec, random.Random], Iterator[Variant]]

UNREAD = Key("unread", "list")


def unread_node(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """A node that nobody reads is added."""
    if any(node.whole for node in spec.nodes):
        return  # those look at every key
    name = chance.choice(("A_unread", "bb_unread", "zz_unread"))  # early, in the middle and late among the others
    node = Node(name, writes=("unread",), rest_ms=chance.choice((0, 5, 400)))
    more = replace(spec, keys=(*spec.keys, UNREAD), nodes=(*spec.nodes, node), edges=(*spec.edges, (START, name)))
    yield Variant(more, f"with {name}, which nobody reads", back=partial(_without, "unread"))


def _without(key: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without(key, item) for name, item in value.items() if name != key}


def renamed_nodes(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """Nodes have other names, in the same order of their text."""
    if not has_fixed_edges(spec):
        return
    names = sorted(node.name for node in spec.nodes)
    new = {name: f"{'node' if chance.random() < 0.5 else 'N'}_{place:02}" for place, name in enumerate(names)}
    if sorted(new.values()) != [new[name] for name in names]:
        new = {name: f"node_{place:02}" for place, name in enumerate(names)}
    yield Variant(spec, f"renamed {new}", build=partial(renamed, new))


def has_fixed_edges(spec: Spec) -> bool:
    """Whether no code of it names a node."""
    return not spec.start and not any(list(node.ways()) or node.handled for node in spec.nodes)


def renamed(new: Mapping[str, str], spec: Spec) -> App:
    """The graph of a spec with the same functions under other names."""
    graph = compiled(spec)
    builder = copy.copy(graph.builder)
    name = {**new, "__start__": "__start__", "__end__": "__end__"}
    builder.nodes = {name[old]: node for old, node in builder.nodes.items()}
    builder.edges = {(name[source], name[target]) for source, target in builder.edges}
    builder.waiting_edges = {(tuple(name[one] for one in many), name[target]) for many, target in builder.waiting_edges}
    builder.branches = defaultdict(dict, {name[old]: branches for old, branches in builder.branches.items()})
    return builder.compile(checkpointer=graph.checkpointer)


def other_latencies(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """Nodes take longer or less, and run in another order."""
    rests = {node.name: chance.choice((0, 1, 30, 500)) for node in spec.nodes}
    slower = replace(spec, nodes=tuple(replace(node, rest_ms=rests[node.name]) for node in spec.nodes))
    yield Variant(slower, f"rests {rests}")
    yield Variant(spec, "stretched", tempo=Tempo(7, "shuffle", chance.randint(1, 6)))
    yield Variant(spec, "in order", tempo=Tempo())


def split_by_pauses(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """The run is stopped before nodes and taken up again."""
    if any(key.kind == "hidden" for key in spec.every_key()):
        return  # those values are gone with the run that made them
    pauses = tuple(chance.sample([node.name for node in spec.nodes], min(len(spec.nodes), chance.choice((1, 2)))))
    yield Variant(spec, f"paused before {pauses}", pauses=pauses)


def durabilities(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """What is saved when."""
    asks = any(node.asks for node in spec.every_node())
    if asks and any(key.kind == "hidden" for key in spec.every_key()):
        return  # LangGraph keeps those values over a question in `exit`, and in no other mode
    if any(node.saver is False for node in spec.every_node()):
        yield Variant(spec, "exit", durability="exit")  # in LangGraph, sync needs a checkpointer in each subgraph
        return
    yield Variant(spec, "exit", durability="exit")
    yield Variant(spec, "sync", durability="sync")


def copies(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """Another object that is the same graph."""
    yield Variant(spec, "a copy", accelerate=lambda graph: copy.copy(ours(graph)))
    yield Variant(spec, "with a config", accelerate=lambda graph: ours(graph).with_config(tags=["other"]))
    yield Variant(spec, "copied before", accelerate=lambda graph: ours(copy.copy(graph)))
    yield Variant(spec, "from its builder", build=lambda one: _compiled_again(compiled(one)))


def _compiled_again(graph: App) -> App:
    return graph.builder.compile(checkpointer=graph.checkpointer)


def chains(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """Nodes may start before their predecessors have ended."""
    accelerate = partial(alto_lg.accelerate, overlap="chains", blocking_s=0)
    yield Variant(spec, "chains", accelerate=accelerate)


def limits_of_concurrency(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """So many nodes may run at once.

    Where a node fails, LangGraph leaves coroutines that wait for a slot without a word, and Python warns of them.
    First in, first out: LangGraph's saves hold a slot while they wait for the save before them, which must have begun.
    """
    for limit in () if spec.may_fail else (1, 2, None):
        yield Variant(spec, f"{limit} at once", tempo=Tempo(1), config={"max_concurrency": limit})


def limits_of_lookahead(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """So many steps may be under way."""
    for limit in (0, 1, 2):
        accelerate = partial(alto_lg.accelerate, max_steps_ahead=limit, blocking_s=0)
        yield Variant(spec, f"{limit} steps ahead", accelerate=accelerate)


def true_declarations(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """Nodes declare what they read and write."""
    declared = tuple(_declared(node, chance) for node in spec.nodes)
    if declared != spec.nodes:
        yield Variant(replace(spec, nodes=declared), "declared")


def _declared(node: Node, chance: random.Random) -> Node:
    """Its reads include what it looks at to choose where to go. A packet is not the state, and has no keys."""
    if node.whole or node.by_item or node.inner is not None or node.handled or node.declares or chance.random() < 0.2:
        return node
    return replace(node, declares=chance.choice((("reads",), ("writes",), ("reads", "writes"))))


def methods(spec: Spec, chance: random.Random) -> Iterator[Variant]:
    """Plain functions, by the async methods and by the sync ones."""
    plain = synchronous(spec)
    yield Variant(plain, "plain functions")
    yield Variant(plain, "on threads", on_threads=True, tempo=Tempo(stretch=chance.randint(0, 3)))


RELATIONS: dict[str, Relation] = {
    relation.__name__: relation
    for relation in (
        unread_node,
        renamed_nodes,
        other_latencies,
        split_by_pauses,
        durabilities,
        copies,
        chains,
        limits_of_concurrency,
        limits_of_lookahead,
        true_declarations,
        methods,
    )
}
