"""Every setting of the simulated server, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import get_args

from alto_lg.comparisons.sim.batching import QueueOrder
from alto_lg.comparisons.sim.faults import FaultPlan, plan_text
from alto_lg.comparisons.sim.profiles import PROFILES, Profile

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


class SimOptionError(ValueError):
    """A setting that cannot be used; the message says which and what is allowed."""


@dataclass(frozen=True, slots=True)
class SimOptions:
    """How to start a simulated server."""

    profile: str = "h100-8b"
    slots: int | None = None
    """None: as many as the profile says."""
    seed: int = 0
    jitter: float = 0.05
    """Coefficient of variation of the time of a token and of a prefill."""
    time_scale: float = 1.0
    """Every simulated time is multiplied by this, so 0.01 is a hundred times as fast."""
    order: QueueOrder = "fifo"
    cache_blocks: int | None = None
    """Size of the prefix cache in blocks of 16 tokens. None: as many as the profile says."""
    waiting_limit: int = 10_000
    """Streams that may wait; a request beyond it gets 503."""
    model_name: str | None = None
    """None: the profile's name."""
    faults: tuple[FaultPlan, ...] = field(default=())
    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one."""
    log_level: str = "warning"

    def __post_init__(self) -> None:
        _require(self.profile in PROFILES, f"profile {self.profile!r} is not one of {', '.join(PROFILES)}.")
        _require(self.slots is None or self.slots >= 1, f"slots must be at least 1, not {self.slots}.")
        _require(self.cache_blocks is None or self.cache_blocks >= 0, f"cache_blocks is negative: {self.cache_blocks}.")
        _require(0 <= self.jitter <= 2, f"jitter is a coefficient of variation from 0 to 2, not {self.jitter}.")
        _require(0 < self.time_scale < float("inf"), f"time_scale must be above 0, not {self.time_scale}.")
        _require(self.order in get_args(QueueOrder), f"order must be fifo or priority, not {self.order!r}.")
        _require(self.waiting_limit >= 0, f"waiting_limit must be 0 or more, not {self.waiting_limit}.")
        _require(0 <= self.port <= 65_535, f"port must be from 0 to 65535, not {self.port}.")
        _require(self.log_level in LOG_LEVELS, f"log_level must be one of {', '.join(LOG_LEVELS)}.")

    @property
    def server_profile(self) -> Profile:
        profile = PROFILES[self.profile]
        return profile if self.cache_blocks is None else replace(profile, cache_blocks=self.cache_blocks)

    @property
    def model(self) -> str:
        """The name by which requests ask for the model."""
        return self.model_name or self.profile

    def command_line(self) -> list[str]:
        """The arguments of `alto-lg sim` that give these settings."""
        given = {
            "--profile": self.profile,
            "--seed": self.seed,
            "--jitter": self.jitter,
            "--time-scale": self.time_scale,
            "--order": self.order,
            "--waiting-limit": self.waiting_limit,
            "--model-name": self.model,
            "--host": self.host,
            "--port": self.port,
            "--log-level": self.log_level,
        }
        words = [word for name, value in given.items() for word in (name, str(value))]
        words += ["--slots", str(self.slots)] if self.slots is not None else []
        words += ["--cache-blocks", str(self.cache_blocks)] if self.cache_blocks is not None else []
        return [*words, *(word for plan in self.faults for word in ("--fault", plan_text(plan)))]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SimOptionError(message)
