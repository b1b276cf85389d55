"""Leases: which of a stage's workers runs the next firing, and who waits for one.

Owns the counts of what is outstanding at each worker. It decides only: no clock, no thread, no worker is touched.
Always true:
  no worker has more outstanding than it may;
  nobody waits while a worker has room; those who wait are served in the order in which they asked;
  a lease of a worker that has left counts for nobody.

Here any firing may go to any worker; `group_leases.py` has the stages where it may not.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar


class Group(NamedTuple):
    """What a stage keeps state over.

    run: which run it belongs to. place: which group of the run. is_known: False for a firing of which nobody knows who
    else belongs to its group; `place` is then of this firing alone.
    """

    run: Hashable
    place: Hashable
    is_known: bool = True


Worker = TypeVar("Worker", bound=Hashable)
Ticket = TypeVar("Ticket", bound=Hashable)
Granted = list[tuple[Ticket, Worker | None]]
"""Who need not wait any more, and for what: a worker, or None where no worker has what the group needs."""


class Leases(Generic[Worker, Ticket]):
    """The leases of one stage's workers; at most `max_in_flight` at each of them."""

    def __init__(self, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._outstanding: dict[Worker, int] = {}
        self._waiting: dict[Ticket, Group | None] = {}

    @property
    def workers(self) -> tuple[Worker, ...]:
        return tuple(self._outstanding)

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        return tuple(self._waiting)

    def outstanding(self, worker: Worker) -> int:
        """How many firings the worker has; 0 if it has left."""
        return self._outstanding.get(worker, 0)

    def has_room(self, worker: Worker) -> bool:
        return self._outstanding[worker] < self._max_in_flight

    def is_lost(self, group: Group | None) -> bool:
        """Whether what a group needs is gone, so that none of its firings may run any more."""
        return False

    def free(self, group: Group | None = None) -> Worker | None:
        """The worker that a firing should go to, the one with the least outstanding; None: it has to wait."""
        worker = min(self._outstanding, key=self._outstanding.__getitem__, default=None)
        return None if worker is None or not self.has_room(worker) else worker

    def begin(self, worker: Worker, group: Group | None = None) -> None:
        """A firing goes to the worker that `free` named."""
        assert self.has_room(worker), "a worker that has no room"
        self._outstanding[worker] += 1

    def wait(self, ticket: Ticket, group: Group | None = None) -> None:
        """A firing waits for a worker."""
        assert self.free(group) is None, "nobody waits while a worker has room"
        self._waiting[ticket] = group

    def withdraw(self, ticket: Ticket) -> bool:
        """Wait no longer; False if the ticket does not wait."""
        waits = ticket in self._waiting
        self._waiting.pop(ticket, None)
        return waits

    def end(self, worker: Worker) -> Granted[Ticket, Worker]:
        """A firing has left the worker. Returns the leases that this made possible, with who asked for them."""
        if worker in self._outstanding:
            self._outstanding[worker] -= 1
            assert self._outstanding[worker] >= 0, "a lease ends once"
        return self._granted(worker)

    def join(self, worker: Worker) -> Granted[Ticket, Worker]:
        """A worker is ready."""
        assert worker not in self._outstanding, "a worker joins once"
        self._outstanding[worker] = 0
        return self._granted(worker)

    def leave(self, worker: Worker) -> Granted[Ticket, Worker]:
        """A worker is gone, with all that it had."""
        del self._outstanding[worker]
        return []

    def homes_of(self, run: Hashable) -> frozenset[Worker]:
        """The workers that may have kept something for a run."""
        return frozenset()

    def forget(self, run: Hashable) -> Granted[Ticket, Worker]:
        """A run is over, and its groups with it."""
        return []

    def _granted(self, at: Worker | None = None) -> Granted[Ticket, Worker]:
        """The leases that are possible now. at: the only worker that has got room, if one has."""
        granted: Granted[Ticket, Worker] = []
        while self._waiting and (worker := self.free()) is not None:
            ticket = next(iter(self._waiting))
            del self._waiting[ticket]
            self.begin(worker)
            granted.append((ticket, worker))
        return granted
