"""Quiet steps: those of which no firing, by ending, can let another one start before all of them have ended.

A stage that is triggered by name waits for every sibling that may trigger it in the same step (`rules.py`), so a step
in which all firings lead to the same stages has nothing to look ahead to: a chain, a fan-out that is gathered, the two
sides of a join. Nor has one with a single firing, as long as nothing may start before its predecessor has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from alto_lg.engine.plan import Plan


def can_be_quiet(plan: Plan) -> bool:
    """Whether a stage may only start when what leads to it has ended."""
    return not any(stage.pure or stage.unfinished for stage in plan.stages.values())


def is_quiet(plan: Plan, firings: Iterable[str]) -> bool:
    """Whether a step is quiet that has these firings, by their stages; of a plan that can have quiet steps."""
    counts = Counter(firings)
    stages = [plan.stages[name] for name in counts]
    if any(stage.streams for stage in stages):
        return False
    if counts.total() == 1:
        return True
    leading_to = Counter(successor for stage in stages for successor in stage.successors)
    for successor, number in leading_to.items():
        target = plan.stages[successor]
        if target.barrier or target.never_early:
            continue
        if number < len(stages) or any(successor in stage.by_packet for stage in stages):
            return False
    return True
