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
    waiting = [stamp for stamp in dormant if stamp[0] < step]
    open_ones: dict[Pointstamp, Firing] = {}  # of each stage and step the first that has not ended
    for at in range(min(by_step), step):
        if any(_writes(plan, plan.reach.stages(stage, at - time), key) for time, stage in waiting if time <= at):
            return found
        senders = [one for one in open_ones.values() if _may_lead_to_write(plan, one, key, at)]
        for firing in sorted(by_step[at], key=lambda firing: firing.ancestry.order):
            if any(_may_come_before(plan, one, firing, key) for one in senders):
                return found
            if _is_known(firing):
                found.append(firing)
            elif key in firing.stage.writes.keys.within(plan.keys):
                return found
            else:
                open_ones.setdefault((at, firing.stage.name), firing)
        if senders:
            return found  # what they may still lead to comes before all later steps
    return found


def _may_come_before(plan: Plan, sender: Firing, firing: Firing, key: str) -> bool:
    """Whether what an open sender may lead to, in the step of `firing`, would be applied before it.

    What is activated by name comes before all packets; packets come in the order of their senders, and with fewer hops
    behind them earlier.
    """
    hops = firing.step - sender.step
    if _writes(plan, plan.reach.by_name(sender.stage.name, hops), key):
        return True
    run, ancestor = sender.ancestry.run, firing.ancestry
    while ancestor.step > sender.step:
        if ancestor.parent is None or ancestor.parent is run:
            return False
        ancestor = ancestor.parent
    return sender.ancestry.order < ancestor.order


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


def _may_lead_to_write(plan: Plan, sender: Firing, key: str, step: int) -> bool:
    return _writes(plan, plan.reach.exactly(sender.stage.name, step - sender.step), key)


def _writes(plan: Plan, stages: Iterable[str], key: str) -> bool:
    return any(key in plan.stages[name].writes.keys.within(plan.keys) for name in stages)
