"""Firing: one execution of a stage, from the moment it is certain to the moment it is committed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.plan import Stage


class Status(Enum):
    """Where a firing is: certain but not started, running, or one of three ends."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(slots=True, eq=False)
class Firing:
    """State of one firing; only the machine changes it.

    packet: identity of the `Send` whose payload is its whole input; None if it reads the state.
    early: it was started before its step.
    declined: it could not be prepared early, and waits for its step.
    gated: it is early, its body has ended, and its conditional edges wait.
    promised_by: the firing that announced it, and may yet do otherwise; None once it is certain to be asked for.
    doubts: how many firings may yet take back something of theirs that it was given.
    may_mutate: it may change, in place, a value that was there before it; once it has ended, its commit may.
    waited_for: why it could not start when it was last looked at in vain; None if there was no reason.
    """

    stage: Stage
    step: int
    ancestry: Ancestry
    packet: Hashable | None = None
    status: Status = Status.WAITING
    early: bool = False
    declined: bool = False
    gated: bool = False
    promised_by: Firing | None = None
    doubts: int = 0
    may_mutate: bool = field(default=False)
    waited_for: str | None = None

    @property
    def is_certain(self) -> bool:
        """Whether LangGraph will ask for it, with the same input, if nothing fails."""
        return self.promised_by is None and not self.doubts and self.status is not Status.DROPPED

    @property
    def is_known(self) -> bool:
        """Whether what it gave out is known, for good."""
        return self.status is Status.ENDED and self.is_certain

    @property
    def is_push(self) -> bool:
        return self.packet is not None

    @property
    def key(self) -> tuple[str, Hashable]:
        return ("pull", self.stage.name) if self.packet is None else ("push", self.packet)

    def __repr__(self) -> str:
        return f"<{self.ancestry} at step {self.step}, {'early, ' if self.early else ''}{self.status.value}>"
