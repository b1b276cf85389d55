"""Health: whether an endpoint is given calls, from how its last ones ended.

Owns the circuit breaker (M. Nygard, Release It!, 2007), with outlier ejection as Envoy has it: consecutive failures
take an endpoint out, each time for twice as long, and one call at a time probes it when that time has passed. What a
rate limit asks for is kept apart: such an endpoint is well, and is simply left alone until then.

        failures_max failures                       base_s · 2^n have passed
 CLOSED ──────────────────────▶ OPEN ──────────────────────────────────────▶ PROBING
    ▲                            ▲                                              │
    └──── a token or an answer ──┼──────────────────────────────────────────────┤
                                 └───────────────────── a failure ──────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    CLOSED = "in service"
    OPEN = "taken out"
    PROBING = "tried again"


@dataclass(frozen=True, slots=True)
class HealthRules:
    """failures_max: consecutive failures that take an endpoint out.

    base_s, longest_s: for how long, the first time, and at most. rate_limited_s: how long one that answered 429 without
    `Retry-After` is left alone.
    """

    failures_max: int = 3
    base_s: float = 1.0
    longest_s: float = 60.0
    rate_limited_s: float = 1.0

    def __post_init__(self) -> None:
        if self.failures_max < 1:
            raise ValueError(f"failures_max must be at least 1, not {self.failures_max}.")
        if not 0 < self.base_s <= self.longest_s:
            raise ValueError(f"base_s must be above 0 and at most longest_s, not {self.base_s} and {self.longest_s}.")


class Circuit:
    """One endpoint's. out_until: when it may have calls again; times given must not go back."""

    __slots__ = ("_rules", "consecutive", "ejections", "has_probe", "last_reason", "out_until", "state")

    def __init__(self, rules: HealthRules) -> None:
        self._rules = rules
        self.state = State.CLOSED
        self.consecutive = 0
        self.ejections = 0
        self.has_probe = False
        self.out_until = 0.0
        self.last_reason = ""

    def admits(self, now: float) -> bool:
        """Whether it may be given one more call; it is to be probed when its time has come."""
        if now < self.out_until:
            return False
        if self.state is State.OPEN:
            self.state = State.PROBING
        return self.state is State.CLOSED or not self.has_probe

    def is_well(self, now: float) -> bool:
        """In service: neither taken out, nor tried again, nor left alone."""
        return self.state is State.CLOSED and now >= self.out_until

    def succeeded(self) -> None:
        """A token or a whole answer came."""
        self.state = State.CLOSED
        self.consecutive = self.ejections = 0

    def failed(self, now: float, reason: str, retry_after_s: float | None) -> None:
        """A call failed in a way that speaks against the endpoint."""
        self.last_reason = reason
        self.consecutive += 1
        is_due = self.state is State.CLOSED and self.consecutive >= self._rules.failures_max
        if is_due or self.state is State.PROBING:
            out_s = min(self._rules.base_s * 2.0 ** min(self.ejections, 60), self._rules.longest_s)
            self.state = State.OPEN
            self.ejections += 1
            self.out_until = max(self.out_until, now + out_s)
        self._leave_alone(now, retry_after_s)

    def limited(self, now: float, reason: str, retry_after_s: float | None) -> None:
        """It answered that there are too many requests."""
        self.last_reason = reason
        self._leave_alone(now, self._rules.rate_limited_s if retry_after_s is None else retry_after_s)

    def _leave_alone(self, now: float, seconds: float | None) -> None:
        if seconds is not None:
            self.out_until = max(self.out_until, now + seconds)
