"""Facts: what is known about the code of one stage, and on what evidence.

Owns the vocabulary that the analysis writes and the plan reads. Always true:
  a fact may claim too much (a key that is never read), never too little;
  `Keys.every()` is the answer when nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Evidence(StrEnum):
    """Why a fact is believed, strongest first."""

    HINT = "declared"
    CODE = "code"
    SCHEMA = "schema"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Keys:
    """A set of names (state keys, or node names); `names is None` means every name there is."""

    names: frozenset[str] | None

    @classmethod
    def of(cls, names: Iterable[str] = ()) -> Keys:
        return cls(frozenset(names))

    @classmethod
    def every(cls) -> Keys:
        return cls(None)

    @property
    def is_every(self) -> bool:
        return self.names is None

    def __bool__(self) -> bool:
        return self.names is None or bool(self.names)

    def __or__(self, other: Keys) -> Keys:
        if self.names is None or other.names is None:
            return Keys.every()
        return Keys(self.names | other.names)

    def __contains__(self, name: str) -> bool:
        return self.names is None or name in self.names

    def __and__(self, other: Keys) -> Keys:
        if self.names is None or other.names is None:
            return other if self.names is None else self
        return Keys(self.names & other.names)

    def within(self, universe: Iterable[str]) -> frozenset[str]:
        """The names, with `every` spelled out over a universe."""
        return frozenset(universe) if self.names is None else self.names & frozenset(universe)

    def __str__(self) -> str:
        return "every key" if self.names is None else ", ".join(sorted(self.names)) or "nothing"


@dataclass(frozen=True, slots=True)
class Fact:
    """A set of keys with its evidence: `why` is one clause that a user can act on."""

    keys: Keys
    evidence: Evidence
    why: str

    def __or__(self, other: Fact) -> Fact:
        weaker = self if _RANK[self.evidence] >= _RANK[other.evidence] else other
        return Fact(self.keys | other.keys, weaker.evidence, weaker.why)


_RANK = {Evidence.HINT: 0, Evidence.CODE: 1, Evidence.SCHEMA: 2, Evidence.UNKNOWN: 3}


NONE = Keys(frozenset())
"""No key."""
EVERY = Keys(None)
"""Every key there is."""


def unknown(why: str) -> Fact:
    """Nothing is known: every key."""
    return Fact(Keys.every(), Evidence.UNKNOWN, why)


def nothing(why: str, evidence: Evidence = Evidence.CODE) -> Fact:
    """Proven (or declared) to touch no key."""
    return Fact(Keys.of(), evidence, why)


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that the user could change, for `explain()`."""

    message: str
    line: str = ""  # where in the user's code, as "file.py:12"; empty when not known


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What the code of one node, or of one router, may do to the graph.

    reads: state keys whose value can influence anything but a log line.
    writes: state keys in the update that it returns (for a router: nothing).
    goto: names of the nodes it may activate itself, by `Command(goto=…)`, `Send(…)` or a router's return value.
    triggers: names of those among them that it may activate by name, and not only by packets.
    mutates: state keys whose *value* may be changed in place, by this code or by code that was handed the value.
        It counts only where the value can be changed at all, which is known at run time.
    mutates_outside: may change, in place, an object that it did not make and did not get from its input
        (a global, a closure cell, an attribute of its own object).
    assigns: may assign to a key or attribute of the input object itself (which is no change of a state value, but is
        one of a packet's payload).
    leaks: state keys of which a value, read or written, may stay behind outside (in a global, a closure, an
        attribute, or with code that was not seen); what cannot be changed does no harm there.
    interrupts: may call LangGraph's `interrupt()`.
    store: may touch the graph's store.
    visible: False when the code could not be read at all.
    """

    reads: Fact
    writes: Fact
    goto: Fact
    mutates: Fact
    triggers: Keys = EVERY
    mutates_outside: bool = False
    assigns: bool = False
    leaks: Keys = NONE
    interrupts: bool = False
    store: bool = False
    visible: bool = True
    advice: tuple[Advice, ...] = field(default=())

    def __or__(self, other: CodeFacts) -> CodeFacts:
        """What either may do."""
        return CodeFacts(
            reads=self.reads | other.reads,
            writes=self.writes | other.writes,
            goto=self.goto | other.goto,
            mutates=self.mutates | other.mutates,
            triggers=self.triggers | other.triggers,
            mutates_outside=self.mutates_outside or other.mutates_outside,
            assigns=self.assigns or other.assigns,
            leaks=self.leaks | other.leaks,
            interrupts=self.interrupts or other.interrupts,
            store=self.store or other.store,
            visible=self.visible and other.visible,
            advice=tuple(dict.fromkeys((*self.advice, *other.advice))),
        )


def opaque(why: str) -> CodeFacts:
    """The facts of code that cannot be seen: it may do everything."""
    fact = unknown(why)
    return CodeFacts(
        reads=fact,
        writes=fact,
        goto=fact,
        mutates=fact,
        mutates_outside=True,
        assigns=True,
        leaks=Keys.every(),
        interrupts=True,
        store=True,
        visible=False,
    )
