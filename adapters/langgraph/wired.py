"""Wired plan: a plan, and how it relates to the channels of its graph.

Making one reads the code of every node, so what imports this loads the analysis: only `Acceleration.plan` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alto_lg.adapters.langgraph.convert import plan_of
from alto_lg.adapters.langgraph.functions import function_of
from alto_lg.adapters.langgraph.internals import Pregel
from alto_lg.adapters.langgraph.projection import MISSING, equal
from alto_lg.adapters.langgraph.tails import tail_of
from alto_lg.adapters.langgraph.wiring import Wiring, key_of
from alto_lg.engine.plan import Plan
from alto_lg.engine.quiet import can_be_quiet, is_quiet
from alto_lg.options import Options
from alto_lg.readings import readings_of


class WiredPlan:
    """The plan of one graph, and how its atoms relate to LangGraph's channels. Shared by all runs."""

    def __init__(self, graph: Pregel, options: Options) -> None:
        self.wiring = Wiring(graph)
        self.plan: Plan = plan_of(graph, options.hints, self.wiring, options.predicted)
        self.keys = self.wiring.keys
        self.readings = {name: readings_of(function_of(node.bound)) for name, node in graph.nodes.items()}
        self.tails = {name: tail_of(graph.nodes[name].bound) for name in options.stream}
        self.streaming = frozenset(name for name, stage in self.plan.stages.items() if stage.streams)
        # A node's graph that keeps no memory is not listed among the subgraphs.
        self.graphs = {
            name: bool(node.subgraphs)
            for name, node in graph.nodes.items()
            if node.subgraphs or isinstance(node.bound, Pregel)
        }
        self.can_be_quiet = can_be_quiet(self.plan)
        self._quiet: dict[frozenset[str], bool] = {}
        self._tops: dict[frozenset[str], frozenset[str]] = {}

    def tops(self, atoms: frozenset[str]) -> frozenset[str]:
        """The state keys that atoms are parts of."""
        found = self._tops.get(atoms)
        if found is None:
            found = frozenset(key_of(atom, self.keys) for atom in atoms)
            self._tops[atoms] = found
        return found

    def is_quiet(self, firings: Sequence[str]) -> bool:
        """Whether a step is that has firings of these stages; asked for the same ones again and again."""
        if len(firings) == 1 and firings[0] not in self.streaming:
            return True
        kinds = frozenset(firings)
        known = self._quiet.get(kinds)
        if known is None:
            known = self._quiet[kinds] = is_quiet(self.plan, (*kinds, *kinds))
        return known

    def same(self, atoms: frozenset[str], key: str, one: Any, other: Any) -> bool:
        """Whether two values of a key agree in those of its parts that `atoms` names."""
        if key in atoms:
            return equal(one, other)
        paths = [atom.split(".")[1:] for atom in atoms if key_of(atom, self.keys) == key]
        return all(equal(_part(one, path), _part(other, path)) for path in paths)


def _part(value: Any, path: list[str]) -> Any:
    for name in path:
        try:
            value = value[name] if isinstance(value, Mapping) else getattr(value, name)
        except (KeyError, AttributeError):
            return MISSING
    return value
