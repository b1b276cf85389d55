"""Completion: how much of what a step will see of a key is known already, while firings before it still run.

Owns two rules about a list that firings append to, both pure:
  a *prefix*: the firings whose writes to the key certainly come first, in the order in which LangGraph applies them;
  a *group*: all that the firings below one level of the ancestry write to the key.

Always true: neither takes back what it said, unless a promise is broken. A prefix only grows; a group that is complete
stays so. Both follow from could-result-in: nobody outstanding, nor anybody whom one of those may yet activate, writes
earlier than the end of the prefix, or below the group.

A firing that is promised, and has ended, stands where it will stand if the promise is kept. So it counts as known, and
who is given of its output relies on it. What it would trigger by name is not known as firings, though.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.frontier import Pointstamp
from alto_lg.engine.plan import Plan


def prefix(plan: Plan, firings: Iterable[Firing], dormant: Iterable[Pointstamp], key: str, step: int) -> list[Firing]:
    """The firings that write `key` before `step`, up to the first place where another one may yet come.

    All have ended but the last, which may still run: what it has written so far comes next.

    firings: all that are known and not committed. dormant: deferred stages that are activated.
    """
    by_step: defaultdict[int, list[Firing]] = defaultdict(list)
    for firing in firings:
        if firing.step < step:
            by_step[firing.step].append(firing)
    if not by_step:
        return []
    found: list[Firing] = []
    unseen = _Unseen(plan, by_step, key)
    waiting = [stamp for stamp in dormant if stamp[0] < step]
    open_ones: dict[tuple[Pointstamp, bool], Firing] = {}  # of each stage and step the first that is not known
    for at in range(min(by_step), step):
        if any(_writes(plan, plan.reach.stages(stage, at - time), key) for time, stage in waiting if time <= at):
            return found
        senders = [one for one in open_ones.values() if unseen.may_write(one, at)]
        for firing in sorted(by_step[at], key=lambda firing: firing.ancestry.order):
            if any(unseen.may_come_before(one, firing) for one in senders):
                return found
            has_ended = firing.status is Status.ENDED
            if not firing.is_known:
                open_ones.setdefault(((at, firing.stage.name), has_ended), firing)
            if has_ended:
                found.append(firing)
            elif key in firing.stage.writes.keys.within(plan.keys):
                return [*found, firing]
        if senders:
            return found  # what they may still lead to comes before all later steps
    return found


class _Unseen:
    """The firings that are not known yet, and what they may write to one key."""

    def __init__(self, plan: Plan, by_step: Mapping[int, Sequence[Firing]], key: str) -> None:
        self._plan = plan
        self._key = key
        self._pulls = [(one.step, one.stage.name) for firings in by_step.values() for one in firings if not one.is_push]
        self._asked: dict[tuple[Firing, int], tuple[bool, bool]] = {}

    def may_write(self, sender: Firing, step: int) -> bool:
        """Whether `sender` may lead to one that writes the key in that step."""
        return self._writers(sender, step)[0]

    def may_come_before(self, sender: Firing, firing: Firing) -> bool:
        """Whether what an open sender may lead to, in the step of `firing`, would be applied before it.

        What is activated by name comes before all packets; packets come in the order of their senders, and with fewer
        hops behind them earlier.
        """
        if self._writers(sender, firing.step)[1]:
            return True
        if sender.status is Status.ENDED:
            return False  # its packets are known
        run, ancestor = sender.ancestry.run, firing.ancestry
        while ancestor.step > sender.step:
            if ancestor.parent is None or ancestor.parent is run:
                return False
            ancestor = ancestor.parent
        return sender.ancestry.order < ancestor.order

    def _writers(self, sender: Firing, step: int) -> tuple[bool, bool]:
        """Whether a writer of the key may come of it at that step; and one on whose way one is activated by name."""
        found = self._asked.get((sender, step))
        if found is None:
            hops = step - sender.step
            known = frozenset((at - sender.step, name) for at, name in self._pulls if sender.step < at <= step)
            ahead = self._plan.reach.ahead(sender.stage.name, hops, known, sent_all=sender.status is Status.ENDED)
            writers = [named for stage, named in ahead[hops].items() if _writes(self._plan, (stage,), self._key)]
            found = self._asked[sender, step] = bool(writers), any(writers)
        return found


def is_complete(plan: Plan, firings: Iterable[Firing], group: Ancestry, key: str, step: int) -> bool:
    """Whether no firing at or below `group` may still write `key` before `step`. A group may have no firing at all."""
    return not any(
        firing.step < step
        and not firing.is_known
        and key in plan.reach.writes(firing.stage.name, step - 1 - firing.step)
        and _is_below(firing.ancestry, group)
        for firing in firings
    )


def _is_below(ancestry: Ancestry, group: Ancestry) -> bool:
    """By identity, which is quicker than `is_within`: firings below one firing share its ancestry."""
    level: Ancestry | None = ancestry
    while level is not None and level is not group:
        level = level.parent
    return level is not None


def _writes(plan: Plan, stages: Iterable[str], key: str) -> bool:
    return any(key in plan.stages[name].writes.keys.within(plan.keys) for name in stages)
