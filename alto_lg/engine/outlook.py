"""Outlook: what a plan allows before any run, for each stage, and which declaration would allow more.

The rules of a run ask what is outstanding; here the question is what *could* be outstanding. A stage has a *rival* if
some stage forks into two ways of which one leads to it and the other to the rival, and the rival can be reached in
fewer steps: the rival may then still run when the stage could start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alto_lg.engine.facts import Advice, Evidence, Keys
from alto_lg.engine.plan import Plan, Stage

_FAR = 1_000_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one stage may look forward to.

    stage: what is known of it. starts_early: whether it may start before its step, beside some rival.
    rivals: stages that may still run when it could start. reasons: what holds it up, one clause each.
    hints: declarations that would remove reasons, the smallest first. advice: other things to change.
    """

    stage: Stage
    starts_early: bool
    rivals: tuple[str, ...]
    reasons: tuple[str, ...]
    hints: tuple[str, ...]
    advice: tuple[Advice, ...]


def outlooks(plan: Plan, *, can_pause: bool = False) -> list[Outlook]:
    """One outlook for each stage, in the order of the graph; `can_pause` if its runs have a checkpointer."""
    if can_pause:
        stages = {
            name: replace(stage, barrier=stage.barrier or stage.may_interrupt) for name, stage in plan.stages.items()
        }
        plan = replace(plan, stages=stages)
    depths = _Depths(plan)
    return [_outlook(plan, stage, depths.rivals(name)) for name, stage in plan.stages.items()]


def _outlook(plan: Plan, stage: Stage, rivals: frozenset[str]) -> Outlook:
    own = _own_reason(stage)
    if own is not None:
        return Outlook(stage, False, tuple(sorted(rivals)), (own,), (), stage.advice)
    blocked = {rival: reason for rival in sorted(rivals) if (reason := _reason(plan, stage, plan.stages[rival]))}
    hints = _hints(plan, stage, blocked)
    early = bool(rivals) and len(blocked) < len(rivals)
    reasons = _grouped(blocked) if rivals else ("nothing that does not lead to it runs beside it",)
    return Outlook(stage, early, tuple(sorted(rivals)), reasons, hints, stage.advice)


def _grouped(blocked: dict[str, str]) -> tuple[str, ...]:
    """One clause for all rivals that hold a stage up in the same way."""
    rivals: dict[str, list[str]] = {}
    for rival, reason in blocked.items():
        rivals.setdefault(reason, []).append(repr(rival))
    return tuple(f"{', '.join(names)} {reason}" for reason, names in rivals.items())


def _own_reason(stage: Stage) -> str | None:
    if stage.barrier:
        return f"it {_keeps_barrier(stage)}"
    return stage.never_early


def _keeps_barrier(stage: Stage) -> str:
    if stage.may_interrupt:
        return "may pause the run by interrupt() or unseen code, and with a checkpointer nothing passes it"
    return "is declared a barrier"


def _reason(plan: Plan, stage: Stage, rival: Stage) -> str | None:
    """What holds `stage` up about a rival, said of the rival."""
    if rival.barrier:
        return _keeps_barrier(rival)
    written = rival.writes.keys.within(plan.keys) & stage.reads.keys.within(plan.keys) - stage.unfinished
    if written:
        names = ", ".join(sorted(written)[:3]) + (", …" if len(written) > 3 else "")
        return f"may write {names} ({rival.writes.why}), which it reads ({stage.reads.why})"
    if rival.may_mutate:
        why = rival.mutates.why if rival.mutates.keys else "it changes objects outside the graph"
        return f"may change a value in place ({why}); values that cannot be changed are safe"
    return None


def _hints(plan: Plan, stage: Stage, blocked: dict[str, str]) -> tuple[str, ...]:
    """The single declarations after which fewer rivals block, best first."""
    candidates: list[tuple[int, str]] = []
    if stage.reads.evidence in (Evidence.UNKNOWN, Evidence.SCHEMA):
        freed = replace(stage, reads=replace(stage.reads, keys=Keys.of()))
        left = sum(_reason(plan, freed, plan.stages[rival]) is not None for rival in blocked)
        if left < len(blocked):
            candidates.append((left, f"declare what {stage.name!r} reads: alto_lg.node(reads=[…])"))
    for rival_name in blocked:
        rival = plan.stages[rival_name]
        if rival.writes.evidence not in (Evidence.UNKNOWN, Evidence.SCHEMA) and not rival.mutates.keys.is_every:
            continue
        none = Keys.of()
        tamed = replace(
            rival,
            writes=replace(rival.writes, keys=none),
            mutates=replace(rival.mutates, keys=none),
            mutates_left=frozenset(),
        )
        if _reason(plan, stage, tamed) is None:
            candidates.append((len(blocked) - 1, f"declare what {rival_name!r} writes: alto_lg.node(writes=[…])"))
    return tuple(text for _, text in sorted(candidates))


class _Depths:
    """How many steps after a fork a stage can be reached: at least, and at most."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._nearest: dict[str, dict[str, int]] = {name: self._breadth_first(name) for name in plan.stages}
        self._cyclic = frozenset(
            name
            for name, stage in plan.stages.items()
            if any(name in self._nearest[successor] for successor in stage.successors)
        )

    def rivals(self, name: str) -> frozenset[str]:
        """Stages that may still be outstanding when `name` could start."""
        found: set[str] = set()
        for fork in self._plan.stages.values():
            for ours, theirs in self._ways(fork):
                if name in self._nearest[ours]:
                    latest = self._latest(ours, name)
                    found.update(rival for rival, depth in self._nearest[theirs].items() if depth < latest)
        return frozenset(found - self._awaited(name) - {name})

    def _ways(self, fork: Stage) -> Iterator[tuple[str, str]]:
        dynamic = fork.successors - fork.certain
        for ours in fork.successors:
            for theirs in fork.successors:
                if ours != theirs or ours in dynamic:  # a router may send one stage many packets
                    yield ours, theirs

    def _awaited(self, name: str) -> frozenset[str]:
        return frozenset().union(*(join.sources for join in self._plan.joins if join.target == name))

    def _breadth_first(self, start: str) -> dict[str, int]:
        depths, edge, depth = {start: 0}, {start}, 0
        while edge:
            depth += 1
            edge = {after for name in edge for after in self._plan.stages[name].successors} - depths.keys()
            depths.update(dict.fromkeys(edge, depth))
        return depths

    def _latest(self, start: str, name: str) -> int:
        """The longest way from `start` to `name`, in steps; far, if a cycle may be gone round on the way."""
        between = {way for way in self._nearest[start] if name in self._nearest[way]}
        if between & self._cyclic:
            return _FAR
        longest = {name: 0}
        pending = [start]
        while pending:
            way = pending[-1]
            after = self._plan.stages[way].successors & between
            unknown = [one for one in after if one not in longest]
            if way in longest or not unknown:
                longest.setdefault(way, 1 + max((longest[one] for one in after), default=0))
                pending.pop()
            else:
                pending.extend(unknown)
        return longest[start]
