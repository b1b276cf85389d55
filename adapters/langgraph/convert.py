"""Convert: a compiled graph, with what was declared about it, becomes a plan.

Parts of keys. A declaration may name a path, such as "data.result". The plan then counts in *atoms*: every declared
path is one, and the bare key is what is left of it. Whoever touches the whole key touches all of its atoms, so two
stages conflict exactly if they may touch a common part.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from alto_lg.adapters.langgraph.functions import declared
from alto_lg.adapters.langgraph.internals import Pregel
from alto_lg.adapters.langgraph.stages import stage_of
from alto_lg.adapters.langgraph.wiring import Wiring, key_of
from alto_lg.engine.facts import Evidence, Fact, Keys
from alto_lg.engine.plan import Plan, Stage
from alto_lg.hints import Hint


def plan_of(
    graph: Pregel, hints: Mapping[str, Hint], wiring: Wiring | None = None, predicted: Container[str] = ()
) -> Plan:
    """The plan of a compiled graph.

    wiring: of that graph, if it is known already. predicted: nodes whose updates so far are found out as they run.
    """
    wiring = wiring or Wiring(graph)
    declarations = {name: declared(name, node, hints) for name, node in graph.nodes.items()}
    stages = {
        name: stage_of(name, graph, wiring, declarations[name], predicted=name in predicted) for name in graph.nodes
    }
    stages = _spread_sharing(stages, wiring.keys)
    atoms = wiring.keys | {
        path
        for hint in declarations.values()
        if hint is not None
        for path in (*(hint.reads or ()), *(hint.writes or ()))
    }
    if atoms != wiring.keys:
        stages = {name: _in_atoms(stage, atoms) for name, stage in stages.items()}
    return Plan(stages=stages, keys=frozenset(atoms), joins=wiring.joins, reduced_in_place=_in_place(wiring, atoms))


def _in_place(wiring: Wiring, atoms: frozenset[str]) -> frozenset[str]:
    return frozenset(atom for atom in atoms if wiring.reducers.reduces_in_place(key_of(atom, wiring.keys)))


def _spread_sharing(stages: dict[str, Stage], keys: frozenset[str]) -> dict[str, Stage]:
    """One node may leave a value of the state in an object outside, and another change that object."""
    left: set[str] = set()
    for stage in stages.values():
        names = stage.leaks.names
        # A value of a packet that is no key of the state may be one of any key.
        left |= keys if names is None or names - keys else names
    return {
        name: replace(stage, mutates_left=frozenset(left) if stage.mutates_outside else frozenset())
        for name, stage in stages.items()
    }


def _in_atoms(stage: Stage, atoms: frozenset[str]) -> Stage:
    def expand(fact: Fact) -> Fact:
        if fact.keys.names is None:
            return fact
        touched = {atom for name in fact.keys.names for atom in atoms if atom == name or atom.startswith(name + ".")}
        return Fact(Keys.of(touched), fact.evidence, fact.why)

    return replace(
        stage,
        reads=expand(stage.reads),
        route_reads=expand(stage.route_reads),
        writes=expand(stage.writes),
        mutates=expand(stage.mutates),
        mutates_left=expand(Fact(Keys(stage.mutates_left), Evidence.CODE, "")).keys.within(atoms),
    )
