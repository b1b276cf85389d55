"""Graphs: which drawn specs have one answer, whatever LangGraph's schedule."""

from __future__ import annotations

from dataclasses import replace

from random_graphs.draw import draw
from random_graphs.spec import Run, Spec


def steady(seed: int) -> Spec | None:
    """The spec of a seed, with a saver and no stops of its own; None if its answer may depend on more than itself."""
    spec = draw(seed)
    nodes = list(spec.every_node())
    outside = any(node.keeps or node.store or node.passes or node.caches or node.timeout for node in nodes)
    failing = sum(bool(node.fails) for node in nodes) + sum(way.fails for node in nodes for way in node.ways())
    wide = any(number > 20 for node in nodes for way in node.ways() for number in way.sends)
    if spec.changes_in_place or outside or failing > 1 or wide:
        return None
    return replace(spec, run=Run(saver=True))
