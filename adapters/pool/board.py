"""The board: one scheduler for all threads and event loops of a process, and whoever waits for its decisions.

Owns the lock, the clock and the alarm. Always true: the lock is held only while the scheduler thinks, which is
microseconds; a decision reaches the one mailbox of its call; while a call waits for time to pass, an alarm is set,
which is a thread that sleeps and then is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from alto_lg.routing import Call, Decision, Failure, GiveUp, Scheduler
from alto_lg.routing.fleet import Endpoint


class Mailbox(Protocol):
    """Where one call hears what was decided."""

    def put(self, decision: Decision) -> None:
        """Called from any thread."""
        ...


class ThreadMailbox:
    """For a call of a thread that blocks."""

    def __init__(self) -> None:
        self._decisions: queue.SimpleQueue[Decision] = queue.SimpleQueue()

    def put(self, decision: Decision) -> None:
        self._decisions.put(decision)

    def get(self, timeout_s: float | None) -> Decision:
        """TimeoutError if there is none in time."""
        try:
            return self._decisions.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None


class LoopMailbox:
    """For a call of a task; made in its event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._decision: asyncio.Future[Decision] = self._loop.create_future()

    def put(self, decision: Decision) -> None:
        if threading.get_ident() == self._thread:
            self._set(decision)
        else:
            self._loop.call_soon_threadsafe(self._set, decision)

    def _set(self, decision: Decision) -> None:
        if not self._decision.done():  # it was cancelled, and will say so to the board
            self._decision.set_result(decision)

    async def get(self, timeout_s: float | None) -> Decision:
        """TimeoutError if there is none in time."""
        async with asyncio.timeout(timeout_s):
            decision = await self._decision
        self._decision = self._loop.create_future()
        return decision


class Board:
    """Of one pool. reported: tokens by endpoint and kind, as the servers count them."""

    def __init__(self, scheduler: Scheduler, clock: Callable[[], float] = time.monotonic) -> None:
        self.scheduler = scheduler
        self.clock = clock
        self.lock = threading.Lock()
        self.reported: Counter[tuple[int, str]] = Counter()
        self._mailboxes: dict[Call, Mailbox] = {}
        self._abandoned: deque[Call] = deque()
        self._alarm: threading.Timer | None = None
        self._alarm_at = 0.0

    def submit(self, call: Call, mailbox: Mailbox) -> None:
        """A new call, which hears by this mailbox until it has ended."""
        self._mailboxes[call] = mailbox
        self._do(lambda now: self.scheduler.submit(call, now))

    def first_token(self, call: Call) -> None:
        """Its answer has begun."""

        def act(now: float) -> list[Decision]:
            self.scheduler.first_token(call, now)
            return self.scheduler.tick(now)

        self._do(act)

    def ended(self, call: Call, tokens: int | None, prompt_tokens: int | None, cached_tokens: int | None) -> None:
        """Its answer is whole."""

        def act(now: float) -> list[Decision]:
            assert call.endpoint is not None, "it ran"
            self.reported[call.endpoint, "prompt"] += prompt_tokens or 0
            self.reported[call.endpoint, "cached"] += cached_tokens or 0
            return self.scheduler.ended(call, now, tokens)

        self._do(act)
        self._mailboxes.pop(call, None)

    def failed(self, call: Call, failure: Failure) -> None:
        """An attempt has failed; its mailbox hears what is next."""
        self._do(lambda now: self.scheduler.failed(call, now, failure))

    def cancelled(self, call: Call) -> None:
        """Nobody waits for it any more; harmless when it has ended."""
        self._mailboxes.pop(call, None)
        self._do(lambda now: self.scheduler.cancelled(call, now))

    def abandoned(self, call: Call) -> None:
        """The same, from a finalizer, which may run while this very thread holds the lock."""
        self._abandoned.append(call)
        with contextlib.suppress(RuntimeError):  # the interpreter is on its way out
            _alarm(0.0, self._release_abandoned)

    def states(self) -> tuple[str, ...]:
        """Each endpoint in words."""
        with self.lock:
            now = self.clock()
            return tuple(_state(one, now) for one in self.scheduler.fleet.endpoints)

    def tick(self) -> None:
        """Time has passed."""
        self._do(self.scheduler.tick)

    def _do(self, act: Callable[[float], list[Decision]]) -> None:
        with self.lock:
            now = self.clock()
            decisions = act(now)
            self._set_alarm(now)
        for decision in decisions:
            self._tell(decision)

    def _tell(self, decision: Decision) -> None:
        mailbox = self._mailboxes.get(decision.call)
        if isinstance(decision, GiveUp):
            self._mailboxes.pop(decision.call, None)
        if mailbox is None:
            return  # it was cancelled meanwhile, which the scheduler knows, or is about to hear
        try:
            mailbox.put(decision)
        except RuntimeError:  # its event loop is closed
            self.cancelled(decision.call)

    def _set_alarm(self, now: float) -> None:
        due = self.scheduler.due()
        if due is None or (self._alarm is not None and self._alarm_at <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at, self._alarm = due, _alarm(due - now, self._ring)

    def _ring(self) -> None:
        with self.lock:
            self._alarm = None
        self.tick()

    def _release_abandoned(self) -> None:
        while self._abandoned:
            self.cancelled(self._abandoned.popleft())


def _alarm(seconds: float, action: Callable[[], None]) -> threading.Timer:
    alarm = threading.Timer(max(0.0, seconds), action)
    alarm.daemon = True
    alarm.start()
    return alarm


def _state(endpoint: Endpoint, now: float) -> str:
    circuit = endpoint.circuit
    if circuit.is_well(now):
        return f"{endpoint.name} is in service"
    left_s = max(0.0, circuit.out_until - now)
    return f"{endpoint.name} is left alone for {left_s:.1f} s more after {circuit.last_reason}"
