"""Group leases: which worker runs the next firing of a stage that keeps state over groups, and who waits for which.

Owns where each group is at home. It decides only, as `leases.py` does. Always true:
  the firings of a group go to one worker, its home, from the first one that begins until the run of the group is over
  or its home is gone;
  a group gets its home when its first firing begins, and not when that asks: of the workers with room then, the one
  with the fewest groups. So a slow worker collects no groups, and those that wait without a home go where room is;
  nobody waits while a worker has room that it may go to, and who may go to the same worker is served in the order in
  which they asked; a firing whose home is busy waits for it, though others are free;
  a worker that joins moves no group that has a home; one that leaves takes its own groups' state along, and no other's.

What that means for a group is the stage's to say: either it starts anew at another home, or none of its firings may
run any more until its run is over, because they would go on from nothing and say nothing of it. The same holds for a
firing of which nobody knows what group it belongs to.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable

from alto_lg.adapters.placement.leases import Granted, Group, Leases, Ticket, Worker
from alto_lg.routing.groups import GroupTable


class GroupLeases(Leases[Worker, Ticket]):
    """The leases of one stage's workers. starts_anew: a group whose home is gone may begin again at another one."""

    def __init__(self, max_in_flight: int, *, starts_anew: bool) -> None:
        super().__init__(max_in_flight)
        self._starts_anew = starts_anew
        self._homes: GroupTable[Worker] = GroupTable(())
        self._groups: defaultdict[Hashable, set[Group]] = defaultdict(set)  # of each run, those that have begun
        self._lost: set[Group] = set()
        self._numbers = itertools.count()
        self._number: dict[Ticket, int] = {}
        self._waiting_of: defaultdict[Group, dict[Ticket, None]] = defaultdict(dict)
        self._lines: defaultdict[Worker | None, list[tuple[int, Ticket]]] = defaultdict(list)
        # Heaps by the order of asking: of those whose group is at home there; at None of those without a home. An entry
        # stays when its ticket waits no more, or waits elsewhere, and is passed over when it is met.

    def home_of(self, group: Group) -> Worker | None:
        """Where a group has begun; None if it has not, or lost its home."""
        return self._homes.home_of(group)

    def is_lost(self, group: Group | None) -> bool:
        assert group is not None, "a firing of this stage has a group"
        return group in self._lost or not (group.is_known or self._starts_anew)

    def free(self, group: Group | None = None) -> Worker | None:
        assert group is not None, "a firing of this stage has a group"
        home = self._homes.home_of(group)
        if home is not None:
            return home if self.has_room(home) else None
        return self._homes.least()

    def begin(self, worker: Worker, group: Group | None = None) -> None:
        assert group is not None and group not in self._lost, "a firing of this stage has a group that can run"
        super().begin(worker)
        if self._homes.home_of(group) is None:
            self._homes.replica_of(group)
            self._groups[group.run].add(group)
            self._stand(worker, self._waiting_of.get(group, ()))
        if not self.has_room(worker):
            self._homes.hold(worker)
        assert self._homes.home_of(group) is worker, "the firings of a group go to one worker"

    def wait(self, ticket: Ticket, group: Group | None = None) -> None:
        super().wait(ticket, group)
        assert group is not None
        self._number[ticket] = next(self._numbers)
        self._waiting_of[group][ticket] = None
        self._stand(self._homes.home_of(group), (ticket,))

    def withdraw(self, ticket: Ticket) -> bool:
        group = self._waiting.get(ticket)
        if group is not None:
            self._number.pop(ticket)
            del self._waiting_of[group][ticket]
            if not self._waiting_of[group]:
                del self._waiting_of[group]
        return super().withdraw(ticket)

    def end(self, worker: Worker) -> Granted[Ticket, Worker]:
        self._homes.release(worker)
        return super().end(worker)

    def join(self, worker: Worker) -> Granted[Ticket, Worker]:
        self._homes.add(worker)
        return super().join(worker)

    def leave(self, worker: Worker) -> Granted[Ticket, Worker]:
        super().leave(worker)
        self._lines.pop(worker, None)
        refused: Granted[Ticket, Worker] = []
        for group in self._homes.lose(worker):
            assert isinstance(group, Group)
            waiting = tuple(self._waiting_of.get(group, ()))
            if self._starts_anew:
                self._stand(None, waiting)
            else:
                self._lost.add(group)
                refused += [(ticket, None) for ticket in waiting if self.withdraw(ticket)]
        return refused + self._granted()

    def homes_of(self, run: Hashable) -> frozenset[Worker]:
        homes = map(self._homes.home_of, self._groups.get(run, ()))
        return frozenset(home for home in homes if home is not None)

    def forget(self, run: Hashable) -> Granted[Ticket, Worker]:
        for group in self._groups.pop(run, ()):
            self._homes.close(group)
            self._lost.discard(group)
            self._stand(None, self._waiting_of.get(group, ()))
        return self._granted()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────

    def _granted(self, at: Worker | None = None) -> Granted[Ticket, Worker]:
        granted: Granted[Ticket, Worker] = []
        workers = self.workers if at is None else (at,)
        while self._waiting and (found := self._next(workers)) is not None:
            ticket, worker = found
            group = self._waiting[ticket]
            self.withdraw(ticket)
            self.begin(worker, group)
            granted.append(found)
        return granted

    def _next(self, workers: Iterable[Worker]) -> tuple[Ticket, Worker] | None:
        """Of those who wait for one of these workers, or for any, the first for whom there is room."""
        heads = [
            (head, worker)
            for worker in workers
            if worker in self._outstanding and self.has_room(worker) and (head := self._head(worker)) is not None
        ]
        head, least = self._head(None), self._homes.least()
        if head is not None and least is not None:
            heads.append((head, least))
        if not heads:
            return None
        (_, ticket), worker = min(heads, key=lambda one: one[0][0])
        return ticket, worker

    def _stand(self, worker: Worker | None, tickets: Iterable[Ticket]) -> None:
        """These stand in line for a worker; None: for any."""
        line = self._lines[worker]
        for ticket in tickets:
            heapq.heappush(line, (self._number[ticket], ticket))
        if len(line) > 64 + 2 * len(self._waiting):
            line[:] = [entry for entry in line if self._stands(entry[1], worker)]
            heapq.heapify(line)

    def _head(self, worker: Worker | None) -> tuple[int, Ticket] | None:
        line = self._lines.get(worker, [])
        while line and not self._stands(line[0][1], worker):
            heapq.heappop(line)
        return line[0] if line else None

    def _stands(self, ticket: Ticket, worker: Worker | None) -> bool:
        group = self._waiting.get(ticket)
        return group is not None and self._homes.home_of(group) is worker
