"""Promises: what firings announced while they run, and may yet replace by something else.

Owns who promised what: packets, each for a place among those of its sender; triggers by name of stages that may be
given parts of lists; and output that such a stage was given before it was final. A promised firing may start, end, and
promise in turn. Whatever else it gives out is nobody's before all who promised it have ended and kept their word.
"""

from __future__ import annotations

from alto_lg.engine.firing import Firing
from alto_lg.engine.messages import Emission


class Promises:
    """The promises of one run."""

    def __init__(self) -> None:
        self._made: dict[Firing, dict[int, Firing]] = {}
        self._held: dict[Firing, Emission] = {}
        self._triggers: dict[Firing, dict[Firing, None]] = {}  # sender → those that it would trigger
        self._triggered: dict[Firing, dict[Firing, None]] = {}  # the other way
        self._relying: dict[Firing, dict[Firing, None]] = {}  # whose output → those that were given of it
        self._relies_on: dict[Firing, dict[Firing, None]] = {}  # the other way

    # ── packets ─────────────────────────────────────────────────────────────────────────────────────────────

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

    # ── triggers by name ────────────────────────────────────────────────────────────────────────────────────

    def trigger(self, sender: Firing, target: Firing) -> None:
        """`sender` will trigger `target`, if it comes to that."""
        self._triggers.setdefault(sender, {})[target] = None
        self._triggered.setdefault(target, {})[sender] = None
        target.promised_by = target.promised_by or sender

    def untrigger(self, sender: Firing) -> list[Firing]:
        """It will trigger nobody. Returns those whom nobody else would."""
        left_alone = []
        for target in self._triggers.pop(sender, {}):
            others = self._triggered[target]
            del others[sender]
            target.promised_by = next(iter(others), None)
            if not others:
                del self._triggered[target]
                left_alone.append(target)
        return left_alone

    def triggered(self, target: Firing) -> None:
        """Somebody has triggered it for certain: it is promised no longer."""
        for sender in self._triggered.pop(target, {}):
            del self._triggers[sender][target]
        target.promised_by = None

    def replace(self, target: Firing, fresh: Firing) -> None:
        """`fresh` is to be what `target` was promised to be."""
        senders = self._triggered.get(target, {})
        for sender in senders:
            self.trigger(sender, fresh)
        self.triggered(target)

    # ── output that is not final ────────────────────────────────────────────────────────────────────────────

    def rely(self, reader: Firing, on: Firing) -> None:
        """`reader` was given some of what `on` may yet take back."""
        self._relying.setdefault(on, {})[reader] = None
        self._relies_on.setdefault(reader, {})[on] = None
        reader.doubts = len(self._relies_on[reader])

    def relying(self, on: Firing) -> list[Firing]:
        """Who relies on it."""
        return list(self._relying.get(on, ()))

    def confirm(self, on: Firing) -> list[Firing]:
        """What it gave out is final. Returns who relied on that."""
        readers = list(self._relying.pop(on, {}))
        for reader in readers:
            del self._relies_on[reader][on]
            reader.doubts -= 1
        return readers

    def rely_no_more(self, reader: Firing) -> None:
        """It will not be, so that it does not matter what it was given."""
        for on in self._relies_on.pop(reader, {}):
            del self._relying[on][reader]

    # ── what has to wait ────────────────────────────────────────────────────────────────────────────────────

    def hold(self, firing: Firing, emission: Emission) -> None:
        """An uncertain firing has ended: what it gave out counts when it is certain itself."""
        self._held[firing] = emission

    def release(self, firing: Firing) -> Emission | None:
        """What was held for a firing; None if it has not ended."""
        return self._held.pop(firing, None)

    def clear(self) -> None:
        for kept in (self._made, self._held, self._triggers, self._triggered, self._relying, self._relies_on):
            kept.clear()
