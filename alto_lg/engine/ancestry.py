"""Ancestry: the nested identity of a firing, which is also its place in the order of commits.

    request ▸ extract ▸ appraise#2 ▸ cite#0

Owns who comes from whom. Always true:
  a PUSH firing (`Send`) hangs under the firing that sent it, at its index among that firing's sends;
  a PULL firing (an edge) gathers, so it hangs under the run that it belongs to, as does a subgraph's run under
  the firing that invoked it;
  among the firings of one run, `order` is the order in which LangGraph applies their writes: by step, triggered
  nodes before sent packets, nodes by name, packets by sender and then by index. (LangGraph numbers the sends of a
  step in exactly that way, so sender-and-index is its index, known before the number is.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Order = tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ancestry:
    """One level of a nested identity.

    parent: the level above; None for a request.
    stage: name of the node; "request" at the top.
    step: LangGraph's step in which the firing commits; -1 for a request.
    index: place among the sender's packets; None for a triggered firing.
    run: the level that the firing's run hangs under: the request, or the firing that invoked a subgraph.
    order: where its writes are applied within its run.
    """

    parent: Ancestry | None
    stage: str
    step: int
    index: int | None
    run: Ancestry | None
    order: Order = field(repr=False)

    @classmethod
    def request(cls) -> Ancestry:
        """The top level of a run that nothing invoked."""
        return cls(None, "request", -1, None, None, ())

    def triggered(self, stage: str, step: int) -> Ancestry:
        """The PULL firing of a stage at a step, in the run that `self` is the top of."""
        return Ancestry(self, stage, step, None, self, (step, 0, stage))

    def sent(self, stage: str, step: int, index: int, *, run: Ancestry) -> Ancestry:
        """The firing of the packet at `index` among those that `self`, a firing of `run`, sent.

        `self` is `run` for packets that came with the run's input.
        """
        # Flat, so that a chain of thousands of hops is compared without recursion. It is the order of (step, sender's
        # order, index): in one step, senders that were triggered come first, hence packets with fewer hops behind them.
        hops, *way = (0, "") if self is run else self.order[1:]
        return Ancestry(self, stage, step, index, run, (step, hops + 1, *way, index))

    def levels(self) -> Iterator[Ancestry]:
        """From the top level down to this one."""
        above: list[Ancestry] = []
        level: Ancestry | None = self
        while level is not None:
            above.append(level)
            level = level.parent
        return reversed(above)

    def at(self, stage: str) -> Ancestry | None:
        """The nearest level at or above this one that is a firing of `stage`: the group that this belongs to."""
        level: Ancestry | None = self
        while level is not None and level.stage != stage:
            level = level.parent
        return level

    def is_within(self, other: Ancestry) -> bool:
        """True at `other` and everywhere below it."""
        return any(level == other for level in self.levels())

    def indices(self) -> tuple[int, ...]:
        """The index at every level that has one, from the top: which item of which item."""
        return tuple(level.index for level in self.levels() if level.index is not None)

    def _identity(self) -> tuple[Any, ...]:
        return (self.stage, self.step, self.index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ancestry):
            return NotImplemented
        mine, theirs = self.levels(), other.levels()
        return [level._identity() for level in mine] == [level._identity() for level in theirs]

    def __hash__(self) -> int:
        return hash(tuple(level._identity() for level in self.levels()))

    def __lt__(self, other: Ancestry) -> bool:
        """Commits earlier: by run, and by `order` within it."""
        return self.path() < other.path()

    def path(self) -> Order:
        """Where its writes are applied: the `order` of each run that it is within, from the request down."""
        above: Order = () if self.run is None else self.run.path()
        return (*above, self.order) if self.order else above

    def __str__(self) -> str:
        return " ▸ ".join(
            level.stage if level.index is None else f"{level.stage}#{level.index}" for level in self.levels()
        )
