"""Completion: how much of what a step will see of a key is known already, while firings before it still run.

Owns two rules about a list that firings append to, both pure:
  a *prefix*: the firings whose writes to the key certainly come first, in the order in which LangGraph applies them;
  a *group*: all that the firings below one level of the ancestry write to the key.

Always true: neither takes back what it said. A prefix only grows; a group that is complete stays so. Both follow from
could-result-in: nobody outstanding, nor anybody whom one of those may yet activate, writes earlier than the end of the
prefix, or below the group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.frontier import Pointstamp
from alto_lg.engine.plan import Plan


def settled_prefix(
    plan: Plan, firings: Iterable[Firing], dormant: Iterable[Pointstamp], key: str, step: int
) -> list[Firing]:
    """The ended firings that write `key` before `step`, up to the first place where another one may yet come.

    firings: all that are known and not committed. dormant: deferred stages that are activated.
    """
    by_step: defaultdict[int, list[Firing]] = defaultdict(list)
    for firing in firings:
        if firing.step < step:
            by_step[firing.step].append(firing)
    if not by_step:
        return []
    found: list[Firing] = []
    open_stamps = {stamp for stamp in dormant if stamp[0] < step}
    for at in range(min(by_step), step):
        if any(_may_write_at(plan, stamp, key, at) for stamp in open_stamps if stamp[0] <= at):
            return found
        for firing in sorted(by_step[at], key=lambda firing: firing.ancestry.order):
            if _is_known(firing):
                found.append(firing)
            elif key in firing.stage.writes.keys.within(plan.keys):
                return found
            else:
                open_stamps.add((at, firing.stage.name))
    return found


def is_complete(plan: Plan, firings: Iterable[Firing], group: Ancestry, key: str, step: int) -> bool:
    """Whether no firing at or below `group` may still write `key` before `step`. A group may have no firing at all."""
    return not any(
        firing.step < step
        and not _is_known(firing)
        and key in plan.reach.writes(firing.stage.name, step - 1 - firing.step)
        and firing.ancestry.is_within(group)
        for firing in firings
    )


def _is_known(firing: Firing) -> bool:
    """Whether its writes are, for good: what is only promised may be withdrawn."""
    return firing.status is Status.ENDED and firing.is_certain


def _may_write_at(plan: Plan, stamp: Pointstamp, key: str, step: int) -> bool:
    time, stage = stamp
    reached = plan.reach.stages if plan.stages[stage].deferred else plan.reach.exactly
    return any(key in plan.stages[name].writes.keys.within(plan.keys) for name in reached(stage, step - time))
