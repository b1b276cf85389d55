"""Findings: what the walk through the code has seen so far, each with its place.

Always true:
  findings are only ever added; the first reason for "every key" is the one that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class CannotTell(Exception):
    """The analysed code uses something that makes every fact about it unknown."""


class TooLarge(CannotTell):
    """More code than is worth the time."""


@dataclass(slots=True)
class Touched:
    """A growing set of keys; `every` holds the reason why it is all of them, once it is."""

    keys: dict[str, str] = field(default_factory=dict)  # key -> the first place
    every: str = ""
    proven: bool = False  # "every" is what the code certainly does, not a lack of knowledge

    def add(self, key: str | None, reason: str) -> None:
        if key is None:
            self.add_every(reason)
        else:
            self.keys.setdefault(key, reason)

    def add_every(self, reason: str, *, proven: bool = False) -> None:
        if not self.every:
            self.every, self.proven = reason, proven


@dataclass(slots=True)
class Findings:
    """Everything that facts are made of."""

    reads: Touched = field(default_factory=Touched)
    mutates: Touched = field(default_factory=Touched)
    changes_outside: str = ""
    assigns: str = ""
    leaks: Touched = field(default_factory=Touched)
    interrupts: str = ""
    leaves: str = ""  # a graph may run inside, and leave by `Command(graph=Command.PARENT)`
    sends: str = ""  # it writes to the state by a call, not by what it returns
    store: str = ""
    unseen: str = ""  # the first call into code that was not read
    unsteady: str = ""  # the first call that gives something else each time
    quiet_reads: str = ""  # the first use that only logs
