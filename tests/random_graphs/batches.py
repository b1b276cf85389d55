"""Batches: graphs of the same seeds, in which many nodes are written for a list of inputs.

Owns this feature alone, so that the seeds of `draw` stay what they are.
"""

from __future__ import annotations

import random
from dataclasses import replace

from random_graphs.draw import draw
from random_graphs.spec import Node, Spec


def draw_batched(seed: int) -> Spec:
    """The spec of a seed, with batched nodes."""
    return _in_batches(random.Random(f"in batches {seed}"), draw(seed))


def _in_batches(chance: random.Random, spec: Spec) -> Spec:
    nodes = []
    for node in spec.nodes:
        if node.inner is not None:
            node = replace(node, inner=_in_batches(chance, node.inner))
        elif _may_be_batched(node) and chance.random() < 0.6:
            node = replace(node, batches=True)
        nodes.append(node)
    return replace(spec, nodes=tuple(nodes))


def _may_be_batched(node: Node) -> bool:
    """It asks nothing of the run that it is in."""
    return not (node.speaks or node.asks or node.store or node.fails == "first" or node.timeout)
