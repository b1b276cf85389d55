"""What a request costs beside its time: work of the model server, and memory of the arm's process. Pure.

Always true: counts come from the server's own counters, so that an answer that was stopped early counts what was
produced; requests that overlap are given equal shares of what their block took, so sums are right and single figures
are means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

_COUNTERS = {
    "calls": "accepted",
    "streams": "submitted",
    "prompt_tokens": "prompt_tokens",
    "cached_tokens": "cached_tokens",
    "completion_tokens": "completion_tokens",
    "slot_s": "running_stream_s",
    "waiting_s": "waiting_stream_s",
    "busy_s": "busy_s",
    "elapsed_s": "now_s",
}
"""Field of `ServerUse` → counter of the simulated server."""


@dataclass(frozen=True, slots=True)
class ServerUse:
    """What the model server did for one request.

    streams: answers that were begun; one call may ask for several.
    prompt_tokens: read by the model; several answers to one prompt read it as often.
    cached_tokens: of those, found in the prefix cache.
    slot_s: seconds in slots, added over all streams.
    waiting_s: seconds spent waiting for a slot, added over all streams.
    busy_s: seconds in which at least one stream ran.
    elapsed_s: seconds from the start of the turn until the server was idle again.
    slots: streams that the server runs at once.
    """

    calls: float
    streams: float
    prompt_tokens: float
    cached_tokens: float
    completion_tokens: float
    slot_s: float
    waiting_s: float
    busy_s: float
    elapsed_s: float
    slots: int

    @classmethod
    def between(cls, before: Mapping[str, Any], after: Mapping[str, Any]) -> Self:
        """What happened between two readings of the simulated server's counters."""
        used = {name: after[counter] - before[counter] for name, counter in _COUNTERS.items()}
        return cls(**used, slots=after["slots"])

    def share(self, requests: int) -> ServerUse:
        """An equal share of what so many requests took together."""
        return replace(self, **{name: getattr(self, name) / requests for name in _COUNTERS})


def mean_use(uses: list[ServerUse]) -> ServerUse | None:
    """The mean of each figure; None when there is none to take."""
    if not uses:
        return None
    names = [field.name for field in fields(ServerUse) if field.name != "slots"]
    means = {name: sum(getattr(use, name) for use in uses) / len(uses) for name in names}
    return ServerUse(**means, slots=uses[0].slots)


def slot_share(use: ServerUse) -> float:
    """Share of the server's slots that were taken, over the time of the turn."""
    return use.slot_s / (use.slots * use.elapsed_s) if use.elapsed_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Resident memory of the arm's process, in bytes.

    peak: the most during the request, or during its block where requests overlap.
    built: after the graph was built and before the first request.
    """

    peak: int
    built: int

    @property
    def above_built(self) -> int:
        """What the request added at its worst moment."""
        return max(0, self.peak - self.built)
