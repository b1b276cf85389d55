"""Scheduler: which call goes where, and when. It decides; whoever asks it acts.

Owns the calls that wait, and the only state that decisions are made from. No clock, no event loop, no lock: the time is
an argument, in seconds of any clock that does not go back, and every method gives what is to be done now. Always true:
  every call that was submitted waits, runs, or has ended, and is exactly one of these;
  a call waits only while no endpoint has room, or until it may be tried again;
  of those that wait, the one with the smallest rank goes first, and of equals the one that came first;
  nobody runs more calls than its capacity, and nobody that was taken out is given any;
  a call whose first token has left is never tried again.

`due()` says when time alone changes something; whoever acts calls `tick` then.

    for decision in scheduler.submit(call, now):
        match decision:
            case Start(call, endpoint): ...   # send it; then first_token, and one of ended, failed, cancelled
            case GiveUp(call, failure): ...
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from alto_lg.routing.calls import Call, Decision, Failure, GiveUp, Start, Status
from alto_lg.routing.fleet import Endpoint, Fleet
from alto_lg.routing.health import HealthRules, State
from alto_lg.routing.lengths import Lengths
from alto_lg.routing.policies import BLOCK_TOKENS, Policy, PolicyName, PrefixRules
from alto_lg.routing.prefixes import PrefixIndex

_ATTEMPTS, _ATTEMPTS_MAX = 3, 8


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that can be set, and each idea by itself.

    policy: how an endpoint is chosen, see `policies`.
    by_rank: the smallest rank goes first; else first come, first served.
    learn_lengths: outstanding work is counted in expected output tokens; else every answer counts as equally long.
    attempts: how often a call is tried; None: on each endpoint, at least 3 times, at most 8.
    backoff_s, backoff_longest_s: the wait before an endpoint is tried again that has failed the same call, doubled each
        time, drawn from the upper half.
    patience_s: how long a call waits while no endpoint at all is in service.
    blocks_kept: blocks of 256 characters that an endpoint's cache is taken to hold.
    """

    policy: PolicyName = "prefix"
    by_rank: bool = True
    learn_lengths: bool = True
    attempts: int | None = None
    backoff_s: float = 0.5
    backoff_longest_s: float = 8.0
    patience_s: float = 30.0
    blocks_kept: int = 16_384
    prefix: PrefixRules = field(default_factory=PrefixRules)
    health: HealthRules = field(default_factory=HealthRules)

    def __post_init__(self) -> None:
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {self.attempts}.")
        if min(self.backoff_s, self.backoff_longest_s, self.patience_s, self.blocks_kept) < 0:
            raise ValueError("backoff_s, backoff_longest_s, patience_s and blocks_kept must be 0 or more.")


class Scheduler:
    """Over endpoints by name. capacity: calls at a time on each of them; None for any number."""

    def __init__(
        self,
        endpoints: Sequence[str],
        rules: Rules | None = None,
        *,
        capacity: int | None = None,
        random: Random | None = None,
        now: float = 0.0,
    ) -> None:
        self.rules = rules or Rules()
        self._random = random or Random(0)
        self.fleet = Fleet(self._random, by_load=self.rules.policy == "least-outstanding")
        self.prefixes = PrefixIndex(self.rules.blocks_kept)
        self._follows_prefixes = self.rules.policy == "prefix"
        self.lengths = Lengths()
        self.retries = self.given_up = 0
        self._policy = Policy(self.rules.policy, self.fleet, self.prefixes, self._random, self.rules.prefix)
        self._sequence = count()
        self._queue: list[tuple[Any, int, Call]] = []
        self._waiting: set[Call] = set()
        self._timers: list[tuple[float, int, Endpoint | Call | None]] = []
        self._down_since: float | None = None
        for name in endpoints:
            self.add(name, now, capacity=capacity)

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return len(self._waiting)

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, call: Call, now: float) -> list[Decision]:
        """A new call."""
        assert call.status is Status.NEW, "a call is submitted once"
        expected = self.lengths.expected(call.templates) if self.rules.learn_lengths else self.lengths.prior_tokens
        limit = call.output_tokens_max
        call.expected_tokens = max(1, round(expected if limit is None else min(expected, limit)))
        call.submitted_at = now
        call.status = Status.WAITING
        self._waiting.add(call)
        self._enqueue(call)
        return self.tick(now)

    def first_token(self, call: Call, now: float) -> None:
        """The first token of its answer has come: its endpoint is well, and its prompt is done with."""
        if call.status is not Status.RUNNING or call.has_first_token:
            return
        endpoint = self._endpoint_of(call)
        call.has_first_token = True
        done, call.prefill_work = call.prefill_work, 0
        call.work -= done
        endpoint.circuit.succeeded()
        self.fleet.lighten(endpoint, done, now)
        self._refresh(endpoint, now)

    def ended(self, call: Call, now: float, tokens: int | None = None) -> list[Decision]:
        """Its answer is whole, with so many tokens, where they were counted."""
        endpoint = self._leave(call, now)
        endpoint.ended += 1
        if tokens is not None:
            endpoint.output_tokens += tokens
            self.lengths.observe(call.templates, tokens)
        endpoint.circuit.succeeded()
        self._refresh(endpoint, now)
        return self.tick(now)

    def failed(self, call: Call, now: float, failure: Failure) -> list[Decision]:
        """An attempt has failed; it is made again, if that may help and no token has left."""
        endpoint = self._leave(call, now)
        endpoint.failed += 1
        call.failures.append((endpoint.name, failure))
        self._blame(endpoint, now, failure)
        if failure.retry and not call.has_first_token and call.attempts < self._attempts_max():
            self.retries += 1
            self._wait_again(call, now, failure)
            return self.tick(now)
        return [self._give_up(call), *self.tick(now)]

    def cancelled(self, call: Call, now: float) -> list[Decision]:
        """Nobody wants its answer any more, whether it waits, runs, or has ended already."""
        if call.status is Status.WAITING:
            self._waiting.discard(call)
            call.status = Status.ENDED
        elif call.status is Status.RUNNING:
            self._leave(call, now)
        return self.tick(now)

    def tick(self, now: float) -> list[Decision]:
        """Whatever can be decided by now."""
        while self._timers and self._timers[0][0] <= now:
            about = heapq.heappop(self._timers)[2]
            if isinstance(about, Endpoint):
                self._refresh(about, now)
            elif about is not None:
                self._enqueue(about)
        decisions: list[Decision] = []
        while self._queue and self.fleet.available:
            call = heapq.heappop(self._queue)[2]
            if call.status is Status.WAITING:
                decisions.append(self._start(call, now))
        if self._down_since is not None and now >= self._down_since + self.rules.patience_s:
            decisions += [self._give_up(call) for call in sorted(self._waiting, key=lambda call: call.number)]
        return decisions

    def due(self) -> float | None:
        """When `tick` has something to decide, if nothing happens before; None if only calls can change anything."""
        return self._timers[0][0] if self._timers and self._waiting else None

    # ── endpoints that come and go ──────────────────────────────────────────────────────────────────────────────

    def add(self, name: str, now: float, *, capacity: int | None = None) -> list[Decision]:
        """A new endpoint."""
        self._refresh(self.fleet.add(name, capacity, self.rules.health), now)
        return self.tick(now)

    def remove(self, name: str, now: float) -> None:
        """An endpoint gets no more calls; those that run there end as they may."""
        endpoint = next(one for one in self.fleet.endpoints if one.name == name and not one.removed)
        endpoint.removed = True
        self.prefixes.forget(endpoint.index)
        self._refresh(endpoint, now)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _enqueue(self, call: Call) -> None:
        if call.number < 0:
            call.number = next(self._sequence)
        heapq.heappush(self._queue, (call.rank if self.rules.by_rank else (), call.number, call))

    def _start(self, call: Call, now: float) -> Start:
        endpoint, held = self._policy.choose(call)
        self._waiting.discard(call)
        call.status = Status.RUNNING
        call.endpoint = endpoint.index
        call.started_at = now
        call.attempts += 1
        call.tried |= 1 << endpoint.index
        call.is_probe = endpoint.circuit.state is State.PROBING
        endpoint.circuit.has_probe |= call.is_probe
        if self._follows_prefixes:
            call.hit_tokens = min(held * BLOCK_TOKENS, call.prompt_tokens)
            self.prefixes.add(endpoint.index, call.blocks, held)
        call.prefill_work = round(self.rules.prefix.prompt_weight * (call.prompt_tokens - call.hit_tokens))
        call.work = call.expected_tokens + call.prefill_work
        endpoint.prompt_tokens += call.prompt_tokens
        endpoint.hit_tokens += call.hit_tokens
        self.fleet.begin(endpoint, call.work, now)
        return Start(call, endpoint.name)

    def _leave(self, call: Call, now: float) -> Endpoint:
        assert call.status is Status.RUNNING, f"a call that is {call.status.value} cannot leave its endpoint"
        endpoint = self._endpoint_of(call)
        call.status = Status.ENDED
        if call.is_probe:
            endpoint.circuit.has_probe = call.is_probe = False
        self.fleet.end(endpoint, call.work, now)
        return endpoint

    def _wait_again(self, call: Call, now: float, failure: Failure) -> None:
        call.status = Status.WAITING
        self._waiting.add(call)
        well = self.fleet.well_set
        if well & ~call.tried or not well or failure.retry_after_s is not None:
            self._enqueue(call)
            return
        rules = self.rules
        longest = min(rules.backoff_s * 2.0 ** (call.attempts - 1), rules.backoff_longest_s)
        self._wake_at(now + longest * (1 + self._random.random()) / 2, call)

    def _give_up(self, call: Call) -> GiveUp:
        self._waiting.discard(call)
        call.status = Status.ENDED
        self.given_up += 1
        return GiveUp(call, call.failures[-1][1] if call.failures else None)

    def _attempts_max(self) -> int:
        if self.rules.attempts is not None:
            return self.rules.attempts
        return min(max(_ATTEMPTS, sum(not one.removed for one in self.fleet.endpoints)), _ATTEMPTS_MAX)

    # ── endpoints ───────────────────────────────────────────────────────────────────────────────────────────────

    def _blame(self, endpoint: Endpoint, now: float, failure: Failure) -> None:
        circuit = endpoint.circuit
        if failure.rate_limited:
            circuit.limited(now, failure.reason, failure.retry_after_s)
        elif failure.counts:
            circuit.failed(now, failure.reason, failure.retry_after_s)
            if circuit.state is State.OPEN:
                self.prefixes.forget(endpoint.index)  # a server that comes back has lost its cache
        else:
            circuit.succeeded()  # it has answered
        self._refresh(endpoint, now)
        if circuit.out_until > now:
            self._wake_at(circuit.out_until, endpoint)

    def _refresh(self, endpoint: Endpoint, now: float) -> None:
        self.fleet.refresh(endpoint, now)
        if self.fleet.well_set:
            self._down_since = None
        elif self._down_since is None:
            self._down_since = now
            self._wake_at(now + self.rules.patience_s, None)

    def _wake_at(self, time: float, about: Endpoint | Call | None) -> None:
        heapq.heappush(self._timers, (time, next(self._sequence), about))

    def _endpoint_of(self, call: Call) -> Endpoint:
        assert call.endpoint is not None, "it was started"
        return self.fleet.endpoints[call.endpoint]
