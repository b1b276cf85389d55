"""Levels: at which level of the ancestry the items of one group meet, where a stage keeps state over a group.

Owns that inference, from the plan alone, so that nobody declares it twice. Always true: every firing of the stage hangs
below some firing of its level, or below the run, whatever the graph's edges decide; so two firings of one group always
agree on the group, and firings of two groups never do.

    request ▸ extract ▸ appraise#2 ▸ cite#0         group_level(plan, "cite") == "appraise"

A stage that is triggered by name gathers the whole run, as a join does, and a reader of a list (`First`, `Stream`, an
incremental reducer). A reader that declared its groups (`PerGroup`) has their level. A stage that is sent packets has
the nearest stage that all of them certainly come by: its immediate dominator among the ways on which packets are sent
(E. S. Lowry and C. W. Medlock, Object Code Optimization, 1969), which are those on which the ancestry grows.
"""

from __future__ import annotations

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.plan import Plan

_INPUT = "__start__"
"""Takes the input apart and is no firing: its packets hang under the run."""


def group_level(plan: Plan, stage: str) -> str | None:
    """The stage each of whose firings makes a group of what `stage` is given; None: the whole run is one group.

    Raises:
        KeyError: The plan has no such stage.
    """
    declared = plan.stages[stage].groups_at
    if declared is not None:
        return declared
    dominators = _dominators(plan)
    return max(dominators[stage] - {stage}, key=lambda level: len(dominators[level]), default=None)


def group_of(ancestry: Ancestry, level: str | None) -> Ancestry | None:
    """The group that a firing belongs to, given the level of its stage; None: the run of a graph that nothing invoked.

    Groups of two requests are equal when they have the same place in each: make the request a part of a key.
    """
    found = ancestry.parent.at(level) if level is not None and ancestry.parent is not None else None
    return ancestry.run if found is None else found


def _dominators(plan: Plan) -> dict[str, frozenset[str]]:
    """For each stage the stages that every way of packets to it goes by, itself included."""
    senders: dict[str, set[str]] = {name: set() for name in plan.stages}
    triggered = {target for one in plan.stages.values() for target in one.by_name}
    triggered |= {join.target for join in plan.joins}
    for name, one in plan.stages.items():
        for target in one.by_packet:
            if name == _INPUT:
                triggered.add(target)
            else:
                senders[target].add(name)
    roots = triggered | {name for name, above in senders.items() if not above}
    found = {name: frozenset({name}) if name in roots else frozenset(plan.stages) for name in plan.stages}
    changed = True
    while changed:
        changed = False
        for name in found.keys() - roots:
            grown = frozenset.intersection(*(found[sender] for sender in senders[name])) | {name}
            changed |= grown != found[name]
            found[name] = grown
    return found
