"""Partly: graphs of the same seeds, in which some nodes stream and some take lists in part.

Owns these features alone, so that the seeds of `draw` stay what they are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from random_graphs.draw import draw
from random_graphs.spec import Node, Spec


def draw_partly(seed: int) -> Spec:
    """The spec of a seed, with parts."""
    chance = random.Random(f"in parts {seed}")
    return _in_parts(chance, seed, draw(seed))


def _in_parts(chance: random.Random, seed: int, spec: Spec) -> Spec:
    nodes = []
    for node in spec.nodes:
        if node.inner is not None:
            nodes.append(replace(node, inner=_in_parts(chance, seed, node.inner)))
            continue
        if chance.random() < 0.5 and _may_stream(node):
            node = replace(node, streams=True, wavers=random.Random(f"{seed} {node.name}").random() < 0.4)
        if chance.random() < 0.5 and _may_take(spec, node):
            node = replace(node, takes=chance.choice(("first", "stream", "arrivals")))
        nodes.append(node)
    return replace(spec, nodes=tuple(_steady(node, nodes) for node in nodes))


def _steady(node: Node, nodes: Sequence[Node]) -> Node:
    """No list is replaced of which somebody takes the first items that others write: these are final, to the reader."""
    taken = {key for one in nodes if one.takes == "first" for key in one.reads}
    others = {key for one in nodes if one is not node for key in one.writes}
    return replace(node, wavers=node.wavers and not (taken & others & set(node.writes)))


def _may_stream(node: Node) -> bool:
    leaves = node.goto is not None and node.goto.parent
    own_form = node.result in ("none", "empty", "updates") or node.fails == "always"
    return not (leaves or own_form or node.twin or node.passes)


def _may_take(spec: Spec, node: Node) -> bool:
    lists = {key for key in node.reads if spec.kind(key) == "list"}
    goto = {node.goto.by, *node.goto.payload} if node.goto is not None else set()
    busy = {node.mutates, node.keeps, *goto} | ({node.reads[0]} if node.passes else set())
    return bool(lists) and not (lists & busy or node.whole or node.handled)
