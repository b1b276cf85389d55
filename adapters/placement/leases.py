"""Leases: which of a stage's workers runs the next firing, and who waits for one.

Owns the counts of what is outstanding at each worker. It decides only: no clock, no thread, no worker is touched.
Always true:
  no worker has more outstanding than it may;
  nobody waits while a worker has room; those who wait are served in the order in which they asked;
  a lease of a worker that has left counts for nobody.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Worker = TypeVar("Worker", bound=Hashable)
Ticket = TypeVar("Ticket", bound=Hashable)


class Leases(Generic[Worker, Ticket]):
    """The leases of one stage's workers; at most `max_in_flight` at each of them."""

    def __init__(self, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._outstanding: dict[Worker, int] = {}
        self._waiting: dict[Ticket, None] = {}

    @property
    def workers(self) -> tuple[Worker, ...]:
        return tuple(self._outstanding)

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        return tuple(self._waiting)

    def outstanding(self, worker: Worker) -> int:
        """How many firings the worker has; 0 if it has left."""
        return self._outstanding.get(worker, 0)

    def free(self) -> Worker | None:
        """The worker that a firing should go to, the one with the least outstanding; None: it has to wait."""
        worker = min(self._outstanding, key=self._outstanding.__getitem__, default=None)
        return None if worker is None or self._outstanding[worker] >= self._max_in_flight else worker

    def begin(self, worker: Worker) -> None:
        """A firing goes to a worker that is free."""
        assert self._outstanding[worker] < self._max_in_flight, "a worker that has no room"
        self._outstanding[worker] += 1

    def wait(self, ticket: Ticket) -> None:
        """A firing waits for a worker."""
        assert self.free() is None, "nobody waits while a worker has room"
        self._waiting[ticket] = None

    def withdraw(self, ticket: Ticket) -> bool:
        """Wait no longer; False if the ticket does not wait."""
        waits = ticket in self._waiting
        self._waiting.pop(ticket, None)
        return waits

    def end(self, worker: Worker) -> list[tuple[Ticket, Worker]]:
        """A firing has left the worker. Returns the leases that this made possible, with who asked for them."""
        if worker in self._outstanding:
            self._outstanding[worker] -= 1
            assert self._outstanding[worker] >= 0, "a lease ends once"
        return self._granted()

    def join(self, worker: Worker) -> list[tuple[Ticket, Worker]]:
        """A worker is ready."""
        assert worker not in self._outstanding, "a worker joins once"
        self._outstanding[worker] = 0
        return self._granted()

    def leave(self, worker: Worker) -> bool:
        """A worker is gone, with all that it had; False if it was not there."""
        return self._outstanding.pop(worker, None) is not None

    def _granted(self) -> list[tuple[Ticket, Worker]]:
        granted = []
        while self._waiting and (worker := self.free()) is not None:
            ticket = next(iter(self._waiting))
            del self._waiting[ticket]
            self.begin(worker)
            granted.append((ticket, worker))
        return granted
