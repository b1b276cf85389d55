"""How many requests a second the server, and the arm's process, could bear. Pure.

The server: its slots, divided by the slot-seconds of one request when all slots are taken, which follow from the
request's tokens and the profile. The arm's process: one event loop, so one second of processor time a second.

Always true: the rate comes from the work of one arm, and is used for all alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.sim.profiles import Profile

OFF_BY_FLAGGED = 0.10


@dataclass(frozen=True, slots=True)
class Saturation:
    """slot_s: of one request, with all slots taken. cpu_s: of the arm's process for one request; 0 where it is free."""

    slots: int
    slot_s: float
    cpu_s: float

    @property
    def server_rate(self) -> float:
        """Requests a second that keep every slot busy."""
        return self.slots / self.slot_s

    @property
    def process_rate(self) -> float:
        """Requests a second that keep the arm's event loop busy."""
        return 1 / self.cpu_s if self.cpu_s else math.inf

    @property
    def rate(self) -> float:
        """The lower of the two."""
        return min(self.server_rate, self.process_rate)

    def __str__(self) -> str:
        bound = "the server's slots" if self.server_rate <= self.process_rate else "the processor of the arm's process"
        return (
            f"{self.rate:.3f} requests a second, by {bound} ({self.slot_s:.2f} slot-seconds a request on {self.slots} "
            f"slots; {1000 * self.cpu_s:.0f} ms of processor time)"
        )


def saturation_of(use: ServerUse, cpu_s: float, profile: Profile) -> Saturation:
    """By the work of one request, measured one at a time."""
    return Saturation(use.slots * use.replicas, slot_s_at(use, profile, use.slots), cpu_s)


def slot_s_at(use: ServerUse, profile: Profile, running: float) -> float:
    """Slot-seconds of one request by its tokens, when so many streams run."""
    slower = profile.multiplier(round(running), use.slots)
    fresh = use.prompt_tokens - use.cached_tokens
    if profile.first_token is not None:
        # The mean of a lognormal time, which its median is below.
        first = profile.first_token
        prefill_s = use.streams * first.median_s * math.exp(first.sigma**2 / 2)
    else:
        prefill_s = use.streams * profile.prefill_base_s + fresh * profile.prefill_s_per_token
        prefill_s *= slower if profile.load_slows_prefill else 1.0
    return prefill_s + (use.completion_tokens - use.streams) * profile.inter_token_s * slower


def off_by(use: ServerUse, profile: Profile) -> float:
    """By what share the slot-seconds that the server counted differ from those of the tokens, at its mean batch."""
    running = use.slot_s / use.busy_s if use.busy_s > 0 else 0.0
    expected_s = slot_s_at(use, profile, running)
    return use.slot_s / expected_s - 1 if expected_s > 0 else 0.0
