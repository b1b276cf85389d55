"""Groups: which replica keeps the state of a group, such as one claim's evidence at a join.

Owns the table of live groups. Always true:
  all items of a group go to one replica, from its first item until it is closed, unless that replica is lost;
  a new group goes to a replica with the fewest live groups, so that none ever has more than the mean, rounded up, by
  an assignment (unless who asks has chosen one: `put`);
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
            LookupError: There is no replica.
        """
        replica = self._replica_of.get(group)
        if replica is None:
            replica = self._least()
            self.put(group, replica)
        return replica

    def put(self, group: Hashable, replica: Replica) -> None:
        """A new group goes to this replica: who asks knows more of the replicas than how many groups they have."""
        if group in self._replica_of:
            raise ValueError(f"Group {group!r} is at {self._replica_of[group]!r} already.")
        self._groups[replica][group] = None
        self._replica_of[group] = replica
        self._enter(replica)

    def load(self, replica: Replica) -> int:
        """How many live groups a replica has."""
        return len(self._groups[replica])

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
        for group in lost:
            del self._replica_of[group]
        return lost

    def _enter(self, replica: Replica) -> None:
        heapq.heappush(self._by_load, self._entry(replica))
        if len(self._by_load) > 64 + 8 * len(self._groups):
            self._by_load = [self._entry(one) for one in self._groups]
            heapq.heapify(self._by_load)

    def _entry(self, replica: Replica) -> tuple[int, float, int, Replica]:
        return len(self._groups[replica]), self._random.random(), next(self._entries), replica

    def _least(self) -> Replica:
        while self._by_load:
            load, _, _, replica = self._by_load[0]
            if replica in self._groups and len(self._groups[replica]) == load:
                return replica
            heapq.heappop(self._by_load)
        raise LookupError("There is no replica left for this group; add one.")
