"""What a request costs beside its time: work of the model server, and memory of the arm's process. Pure.

Always true: counts come from the server's own counters, so that an answer that was stopped early counts what was
produced; requests that overlap are given equal shares of what their block took, so sums are right and single figures
are means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
_SHARED = (*_COUNTERS, "busiest_s", "busiest_slot_s")


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
    replicas: servers that did it together; the sums above are over all of them, `elapsed_s` and `slots` are of each.
    busiest_s, busiest_slot_s: `busy_s` and `slot_s` of the server that has most.
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
    replicas: int = 1
    busiest_s: float = 0.0
    busiest_slot_s: float = 0.0

    @classmethod
    def between(cls, before: Mapping[str, Any], after: Mapping[str, Any]) -> Self:
        """What happened between two readings of the simulated server's counters."""
        used = {name: after[counter] - before[counter] for name, counter in _COUNTERS.items()}
        return cls(**used, slots=after["slots"], busiest_s=used["busy_s"], busiest_slot_s=used["slot_s"])

    @classmethod
    def together(cls, uses: Sequence[ServerUse]) -> Self:
        """What several servers of one kind did in the same turn."""
        sums = {name: sum(getattr(use, name) for use in uses) for name in _COUNTERS}
        return cls(
            **{**sums, "elapsed_s": max(use.elapsed_s for use in uses)},
            slots=uses[0].slots,
            replicas=len(uses),
            busiest_s=max(use.busy_s for use in uses),
            busiest_slot_s=max(use.slot_s for use in uses),
        )

    def share(self, requests: int) -> ServerUse:
        """An equal share of what so many requests took together."""
        return replace(self, **{name: getattr(self, name) / requests for name in _SHARED})


def mean_use(uses: list[ServerUse]) -> ServerUse | None:
    """The mean of each figure; None when there is none to take."""
    if not uses:
        return None
    means = {name: sum(getattr(use, name) for use in uses) / len(uses) for name in _SHARED}
    return ServerUse(**means, slots=uses[0].slots, replicas=uses[0].replicas)


def slot_share(use: ServerUse) -> float:
    """Share of the server's slots that were taken, over the time of the turn."""
    return use.slot_s / (use.slots * use.replicas * use.elapsed_s) if use.elapsed_s > 0 else 0.0


def hit_rate(use: ServerUse) -> float:
    """Share of the prompt tokens that the prefix caches held."""
    return use.cached_tokens / use.prompt_tokens if use.prompt_tokens else 0.0


def imbalance(use: ServerUse) -> float:
    """Busy time of the busiest server, divided by the mean over all; 1 where all are busy alike."""
    return use.busiest_s * use.replicas / use.busy_s if use.busy_s > 0 else 1.0


def slot_imbalance(use: ServerUse) -> float:
    """The same of slot-seconds, which tell servers apart that are never idle."""
    return use.busiest_slot_s * use.replicas / use.slot_s if use.slot_s > 0 else 1.0


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
