"""Groups: which replica keeps the state of a group, such as one claim's evidence at a join.

Owns the table of live groups. Always true:
  all items of a group go to one replica, from its first item until it is closed, unless that replica is lost;
  a new group goes to a replica with the fewest live groups, so that none ever has more than the mean, rounded up, by
  an assignment; a replica that is held gets none (then the mean is that of the others);
  a replica that is added moves no group; one that is lost moves its own groups, and no other.

A table, and no hash of the group's name: one driver sees all groups of a run, a group lives only as long as its items
are under way, and its end is known (`engine/completion.py`). So the table is as long as there are live groups, and both
what it balances and what it moves are as good as can be, see docs/routing.md for the hashes that it was compared with.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterable
from random import Random
from typing import Generic, TypeVar

Replica = TypeVar("Replica", bound=Hashable)


class GroupTable(Generic[Replica]):
    """Replicas by name, say. Groups of different runs must not be equal: make the run a part of them."""

    def __init__(self, replicas: Iterable[Replica], *, random: Random | None = None) -> None:
        self._random = random or Random(0)
        self._groups: dict[Replica, dict[Hashable, None]] = {}
        self._replica_of: dict[Hashable, Replica] = {}
        self._held: set[Replica] = set()
        self._entries = itertools.count()
        self._by_load: list[tuple[int, float, int, Replica]] = []
        for replica in replicas:
            self.add(replica)

    def __len__(self) -> int:
        return len(self._replica_of)

    def home_of(self, group: Hashable) -> Replica | None:
        """Where the items of a group go that has had one; None: it is new, or its replica was lost."""
        return self._replica_of.get(group)

    def replica_of(self, group: Hashable) -> Replica:
        """Where the items of a group go.

        Raises:
            LookupError: The group is new, and there is no replica, or all are held.
        """
        replica = self._replica_of.get(group)
        if replica is None:
            replica = self.least()
            if replica is None:
                raise LookupError("There is no replica left for this group; add one.")
            self._replica_of[group] = replica
            self._groups[replica][group] = None
            self._enter(replica)
        return replica

    def least(self) -> Replica | None:
        """Where the next new group goes; None: nowhere."""
        while self._by_load:
            load, _, _, replica = self._by_load[0]
            if self._takes(replica) and len(self._groups[replica]) == load:
                return replica
            heapq.heappop(self._by_load)
        return None

    def hold(self, replica: Replica) -> None:
        """A replica gets no new groups for now; it keeps those that it has."""
        self._held.add(replica)

    def release(self, replica: Replica) -> None:
        """Undo `hold`."""
        if replica in self._held:
            self._held.remove(replica)
            self._enter(replica)

    def close(self, group: Hashable) -> None:
        """No item of this group will come; harmless when it has none."""
        replica = self._replica_of.pop(group, None)
        if replica is not None:
            del self._groups[replica][group]
            self._enter(replica)

    def groups_of(self, replica: Replica) -> tuple[Hashable, ...]:
        """The live groups of a replica, the oldest first."""
        return tuple(self._groups[replica])

    def add(self, replica: Replica) -> None:
        """A replica more: it gets the next new groups."""
        if replica in self._groups:
            raise ValueError(f"Replica {replica!r} is there already.")
        self._groups[replica] = {}
        self._enter(replica)

    def lose(self, replica: Replica) -> tuple[Hashable, ...]:
        """A replica is gone, with the state of these groups: each has a new replica when it is next asked for."""
        lost = tuple(self._groups.pop(replica))
        self._held.discard(replica)
        for group in lost:
            del self._replica_of[group]
        return lost

    def _takes(self, replica: Replica) -> bool:
        return replica in self._groups and replica not in self._held

    def _enter(self, replica: Replica) -> None:
        if not self._takes(replica):
            return
        heapq.heappush(self._by_load, self._entry(replica))
        if len(self._by_load) > 64 + 8 * len(self._groups):
            self._by_load = [self._entry(one) for one in self._groups if self._takes(one)]
            heapq.heapify(self._by_load)

    def _entry(self, replica: Replica) -> tuple[int, float, int, Replica]:
        return len(self._groups[replica]), self._random.random(), next(self._entries), replica
