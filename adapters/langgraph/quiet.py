"""Quiet steps of one run: they run without the machine, which could not start anything because of them.

Who comes from whom is known here all the same. Always true:
  the machine hears of a quiet step when the next one is of another kind, before it hears of that;
  a run with a handler has none but those with one firing: whoever traces it is told what each firing waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.types import Send

from alto_lg.adapters.langgraph.emissions import Emissions
from alto_lg.adapters.langgraph.internals import ERROR, PULL, TASKS, PregelExecutableTask, is_of_node
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.machine import Machine
from alto_lg.engine.messages import FiringEnded, Key, Official, StepBegan

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.wired import WiredPlan


@dataclass(slots=True)
class QuietFiring:
    """One task of a quiet step; `writes` once it has ended, or from the start if it was restored."""

    task: PregelExecutableTask
    ancestry: Ancestry
    packet: Send | None
    writes: Sequence[tuple[str, Any]]


class QuietSteps:
    """Decides which steps are, and keeps the last one if it was.

    firings: of that step, by the ids of their tasks; none if it was not quiet. started: on the run's clock.
    """

    def __init__(self, wired: WiredPlan, run: Ancestry, *, can_be: bool, of_many: bool) -> None:
        self._wired = wired
        self._run = run
        self._of_many = of_many
        self._can_be = can_be and wired.can_be_quiet
        self.step = -1
        self.started = 0.0
        self.firings: dict[str, QuietFiring] = {}

    def begin(self, step: int, tasks: Mapping[str, PregelExecutableTask], packets: Sequence[Send], now: float) -> bool:
        """Take on a step if it is quiet."""
        if not self._can_be or not tasks or (len(tasks) > 1 and not self._of_many):
            return False
        if not all(is_of_node(task.path) for task in tasks.values()):
            return False
        if not self._wired.is_quiet([task.name for task in tasks.values()]):
            return False
        taken = list(self._taken(step, tasks, packets))
        if len(taken) < len(tasks):
            return False
        self.step, self.started = step, now
        self.firings = {firing.task.id: firing for firing in taken}
        return True

    def go_on(self, step: int, task: PregelExecutableTask, now: float) -> Ancestry:
        """Take on the next step, which has this one task, triggered by name, and is quiet."""
        ancestry = self._run.triggered(task.name, step)
        self.step, self.started = step, now
        self.firings = {task.id: QuietFiring(task, ancestry, None, task.writes)}
        return ancestry

    def catch_up(self, machine: Machine, emissions: Emissions) -> None:
        """Tell the machine of the last step, if that was quiet: its packets and triggers say who comes from whom."""
        past, self.firings = self.firings, {}
        if not past:
            return
        keys: dict[Key, QuietFiring] = {}
        for quiet in past.values():
            keys[_key(quiet, keys)] = quiet
        officials = [Official(key, quiet.task.name, None, ancestry=quiet.ancestry) for key, quiet in keys.items()]
        machine.handle(StepBegan(self.step, tuple(officials)))
        for key, quiet in keys.items():
            firing = machine.firing(self.step, key)
            assert firing is not None
            if all(channel != ERROR for channel, _ in quiet.writes):  # else its error handler ran in its stead
                machine.handle(FiringEnded(firing, emissions.of(quiet.writes)))

    def _taken(
        self, step: int, tasks: Mapping[str, PregelExecutableTask], packets: Sequence[Send]
    ) -> Iterator[QuietFiring]:
        """The tasks with their ancestry, as far as it is known."""
        run, senders = self._run, None
        for task in tasks.values():
            if task.path[0] == PULL:
                yield QuietFiring(task, run.triggered(task.name, step), None, task.writes)
                continue
            if senders is None:
                senders = list(self._senders(packets))
            place = task.path[1]
            assert isinstance(place, int)
            if place >= len(senders):
                return
            sender, index = senders[place]
            yield QuietFiring(task, sender.sent(task.name, step, index, run=run), packets[place], task.writes)

    def _senders(self, packets: Sequence[Send]) -> Iterator[tuple[Ancestry, int]]:
        """Who sent each packet, and as its how many-th; LangGraph has them in the order of their senders' commits."""
        ordered = sorted(self.firings.values(), key=lambda firing: firing.ancestry.order)
        sent = (
            (packet, firing.ancestry, index)
            for firing in ordered
            for index, packet in enumerate(
                value for channel, value in firing.writes if channel == TASKS and isinstance(value, Send)
            )
        )
        for packet, (known, sender, index) in zip(packets, sent, strict=False):
            if packet is not known:
                return
            yield sender, index


def _key(quiet: QuietFiring, others: Mapping[Key, QuietFiring]) -> Key:
    if quiet.packet is None:
        return ("pull", quiet.task.name)
    occurrence = 0
    while ("push", (id(quiet.packet), occurrence)) in others:
        occurrence += 1
    return ("push", (id(quiet.packet), occurrence))
