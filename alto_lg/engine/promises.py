"""Promises: packets that firings announced while they run, and may yet replace by others.

Owns who promised what. A promised firing may start, end, and promise packets of its own; but what it triggers by name,
and what it writes, is nobody's before all who promised it have ended and kept their word.
"""

from __future__ import annotations

from alto_lg.engine.firing import Firing
from alto_lg.engine.messages import Emission


class Promises:
    """The promises of one run, by who made them and the place among its packets."""

    def __init__(self) -> None:
        self._made: dict[Firing, dict[int, Firing]] = {}
        self._held: dict[Firing, Emission] = {}

    def make(self, sender: Firing, index: int, promised: Firing) -> None:
        """`promised` is for the packet at `index`."""
        self._made.setdefault(sender, {})[index] = promised

    def take(self, sender: Firing, index: int) -> Firing | None:
        """What was promised for a place; it is so no longer."""
        return self._made.get(sender, {}).pop(index, None)

    def take_all(self, sender: Firing) -> list[Firing]:
        """Everything that a firing has promised, in the order of the places."""
        made = self._made.pop(sender, {})
        return [made[index] for index in sorted(made)]

    def hold(self, firing: Firing, emission: Emission) -> None:
        """A promised firing has ended: what it gave out counts when it is certain itself."""
        self._held[firing] = emission

    def release(self, firing: Firing) -> Emission | None:
        """What was held for a firing; None if it has not ended."""
        return self._held.pop(firing, None)

    def clear(self) -> None:
        self._made.clear()
        self._held.clear()
