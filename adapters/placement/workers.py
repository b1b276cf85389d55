"""Workers: those of one stage, from the first firing that needs them to `close`.

Owns their lives: they are started once, replaced when they die, and stopped. Always true:
  firings come from any thread and any event loop; what is decided, is decided under one lock (`leases.py`);
  no worker is made, called or stopped under that lock, which a thread of Ray's may be waiting for;
  a worker that was lost is never leased again, and another one is started in its place;
  when no worker can be started any more, and when they are closed, whoever waits is told so.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol

from alto_lg.adapters.placement.costs import Costs
from alto_lg.adapters.placement.group_leases import GroupLeases
from alto_lg.adapters.placement.leases import Granted, Group, Leases

_STARTS_MAX = 3
"""Workers in a row that may fail to start before no other is tried."""
_OTHERS_S = 5.0
"""How long the first firing of a stage with groups waits for the other workers: a group stays where it begins, so with
one worker that is ready before the others all groups of a first run would stay there."""


class Died(Exception):
    """A worker is gone, and nobody knows how far the firing got that it had. Says the first line of what is known.

    attempts: how often the firing had run when it was given up.
    """

    attempts = 1

    def __init__(self, reason: object) -> None:
        super().__init__(str(reason).strip().split("\n")[0])


class StateLost(Died):
    """What was kept for a firing's group is gone, or cannot be found. The firing has not run."""

    attempts = 0

    def __init__(self) -> None:
        super().__init__(
            "What was kept for its group went with a worker that died before; or the run was broken off in between, "
            "and nobody knows which group it belongs to."
        )


class Closed(Exception):
    """The workers were closed."""


class CannotStart(Exception):
    """No worker could be started."""


class Call(Protocol):
    """A firing that is at a worker.

    Both ways to wait raise `Died` if the worker is gone.
    """

    def result(self) -> Any: ...

    async def aresult(self) -> Any: ...

    def abandon(self, then: Callable[[], None]) -> None:
        """Nobody waits any more: cancel what can be cancelled, and call `then` when it has ended."""


class Worker(Protocol):
    """One process that has the code of a stage."""

    def start(self) -> Future[Any]:
        """Begin; the future is done when the worker is ready, or failed."""
        ...

    def call(self, sent: Any, *, plain: bool) -> Call:
        """Run a firing. plain: by the synchronous API."""
        ...

    def stream(self, sent: Any) -> Any:
        """Run a firing of a streaming node; see `streams.py`."""
        ...

    def forget(self, run: Hashable) -> None:
        """Drop what the stage has kept for the groups of a run. Does nothing if the worker is gone."""

    def stop(self) -> None: ...


class Host(Protocol):
    """Makes workers of one kind."""

    def open(self) -> None:
        """What must be there before the first worker; may take seconds."""

    def worker(self) -> Worker: ...

    def close(self) -> None: ...


class Lease:
    """The right to one firing at a worker. met_idle: the worker had no other, and has imported what it needs."""

    __slots__ = ("began", "met_idle", "worker")

    def __init__(self, worker: Worker, met_idle: bool) -> None:
        self.worker = worker
        self.met_idle = met_idle
        self.began = time.perf_counter()


class Workers:
    """The workers of one stage. leases: of these workers, none of which has joined yet."""

    def __init__(self, host: Host, count: int, leases: Leases[Any, Future[Lease]], *, start_timeout_s: float) -> None:
        self.costs = Costs()
        self._host = host
        self._count = count
        self._start_timeout_s = start_timeout_s
        self._lock = threading.RLock()
        self._starting = threading.Lock()
        self._leases = leases
        self._unready: set[Worker] = set()
        self._fresh: set[Worker] = set()  # have run nothing yet
        self._failed_starts = 0
        self._is_started = False
        self._first = threading.Event()
        self._all = threading.Event()
        self._may_ask = threading.Event()
        self._over: Exception | None = None

    @property
    def is_closed(self) -> bool:
        return isinstance(self._over, Closed)

    def start(self) -> None:
        """Start all workers, and wait until the first one is ready (a moment longer for the others if groups are to be
        spread over them). Does nothing if they are started.

        Raises:
            Closed: They were closed. CannotStart: None was ready in time.
        """
        with self._starting:
            if not self._is_started:
                self._check()
                try:
                    self._host.open()
                except Exception as error:
                    raise CannotStart(str(error)) from error
                self._is_started = True
                for _ in range(self._count):
                    self._start_one()
        if not self._first.wait(self._start_timeout_s):
            self._give_up(CannotStart(f"none was ready within {self._start_timeout_s:g} s"))
        if isinstance(self._leases, GroupLeases):
            self._all.wait(_OTHERS_S)
        self._may_ask.set()
        self._check()

    def lease(self, group: Group | None = None) -> Lease:
        """Wait for a worker that has room. group: what the firing belongs to, of a stage that keeps state over groups.

        Raises:
            StateLost: What the stage kept for the group is gone.
        """
        if not self._may_ask.is_set():
            self.start()
        asked = self._ask(group)
        return asked if isinstance(asked, Lease) else asked.result()

    async def alease(self, group: Group | None = None) -> Lease:
        """The same, on an event loop."""
        if not self._may_ask.is_set():
            await asyncio.to_thread(self.start)
        asked = self._ask(group)
        if isinstance(asked, Lease):
            return asked
        try:
            return await asyncio.shield(asyncio.wrap_future(asked))
        except asyncio.CancelledError:
            self._withdraw(asked)
            raise

    def end(self, worker: Worker) -> None:
        """A firing has left its worker."""
        with self._lock:
            self._grant(self._leases.end(worker))

    def lost(self, worker: Worker) -> None:
        """A firing has found its worker gone. Of several that find it, one has it replaced."""
        with self._lock:
            if worker not in self._leases.workers:
                return
            self._fresh.discard(worker)
            self.costs.lost_workers += 1
            self._grant(self._leases.leave(worker))
        worker.stop()
        self._start_one()

    def forget(self, run: Hashable) -> None:
        """A run has ended, with all of its firings: its groups are nowhere at home any more."""
        with self._lock:
            homes = self._leases.homes_of(run)
            self._grant(self._leases.forget(run))
        for worker in homes:
            worker.forget(run)

    def close(self) -> None:
        """Stop all workers; firings that they have, and those that wait, end in `Closed`."""
        with self._starting:
            was_started, self._is_started = self._is_started, False
            with self._lock:
                self._give_up(Closed())
                ready = self._leases.workers
                workers = (*ready, *self._unready)
                self._unready.clear()
                for worker in ready:
                    self._leases.leave(worker)
            for worker in workers:
                worker.stop()
            if was_started:
                self._host.close()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────

    def _check(self) -> None:
        if self._over is not None:
            raise type(self._over)(*self._over.args) from self._over.__cause__

    def _ask(self, group: Group | None) -> Lease | Future[Lease]:
        """A lease, if a worker has room; else one that is to come."""
        with self._lock:
            self._check()
            if group is not None and self._leases.is_lost(group):
                raise StateLost
            worker = self._leases.free(group)
            if worker is not None:
                self._leases.begin(worker, group)
                return self._leased(worker)
            asked: Future[Lease] = Future()
            self._leases.wait(asked, group)
            return asked

    def _grant(self, granted: Granted[Future[Lease], Any]) -> None:
        for asked, worker in granted:
            if worker is None:
                asked.set_exception(StateLost())
            else:
                asked.set_result(self._leased(worker))

    def _leased(self, worker: Worker) -> Lease:
        is_alone = self._leases.outstanding(worker) == 1
        lease = Lease(worker, met_idle=is_alone and worker not in self._fresh)
        self._fresh.discard(worker)
        return lease

    def _withdraw(self, asked: Future[Lease]) -> None:
        with self._lock:
            if not self._leases.withdraw(asked) and asked.exception() is None:
                self.end(asked.result().worker)  # it was granted meanwhile

    def _start_one(self) -> None:
        with self._lock:
            if self._over is not None:
                return
        worker = self._host.worker()
        with self._lock:
            is_wanted = self._over is None
            if is_wanted:
                self._unready.add(worker)
        if is_wanted:
            worker.start().add_done_callback(partial(self._started, worker))
        else:
            worker.stop()

    def _started(self, worker: Worker, ready: Future[Any]) -> None:
        error = ready.exception()
        with self._lock:
            if worker not in self._unready:  # closed meanwhile
                return
            self._unready.remove(worker)
            if error is None:
                self._failed_starts = 0
                self._fresh.add(worker)
                self._grant(self._leases.join(worker))
                self._first.set()
                if len(self._leases.workers) == self._count:
                    self._all.set()
                return
            self._failed_starts += 1
            starts_again = self._failed_starts < _STARTS_MAX
        worker.stop()
        if starts_again:
            self._start_one()
            return
        with self._lock:
            if not self._leases.workers and not self._unready:
                failure = CannotStart(str(error).strip().split("\n")[-1])
                failure.__cause__ = error
                self._give_up(failure)

    def _give_up(self, why: Exception) -> None:
        with self._lock:
            if self._over is None or isinstance(why, Closed):
                self._over = why
            for asked in self._leases.waiting:
                self._leases.withdraw(asked)
                asked.set_exception(why)
        self._first.set()
        self._all.set()
