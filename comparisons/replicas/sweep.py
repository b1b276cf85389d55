"""Simulated runs over servers and rates: figures of each, and the throughput at a latency target. Pure.

Always true: all arms are given the same arrivals; the first quarter of them fills the servers and is in no figure of
latency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from alto_lg.comparisons.cost import ServerUse, hit_rate, imbalance, slot_imbalance, slot_share
from alto_lg.comparisons.load import poisson_arrivals_s
from alto_lg.comparisons.replicas.call_graph import CallGraph
from alto_lg.comparisons.replicas.simulation import Arrivals, Fleet, Simulated, simulate
from alto_lg.comparisons.target import Throughput
from alto_lg.routing import Rules

PERCENTS = (50.0, 90.0, 99.0)
_LEAD_IN = 4
_HALVINGS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One arm on so many servers at one rate. latencies_s: percent → seconds."""

    arm: str
    replicas: int
    rate: float
    requests: int
    latencies_s: Mapping[float, float]
    use: ServerUse

    def fields(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "arm": self.arm,
            "replicas": self.replicas,
            "rate": self.rate,
            "requests": self.requests,
            **{f"p{percent:g}_s": seconds for percent, seconds in self.latencies_s.items()},
            "hit_rate": hit_rate(self.use),
            "imbalance": imbalance(self.use),
            "slot_imbalance": slot_imbalance(self.use),
            "slot_share": slot_share(self.use),
            "calls_a_second": self.use.calls / self.use.elapsed_s,
            "use": asdict(self.use),
        }


@dataclass(frozen=True, slots=True)
class Side:
    """An arm of a simulation: the requests as it makes their calls, and the rules of its pool."""

    name: str
    graphs: Sequence[CallGraph]
    rules: Rules


@dataclass(frozen=True, slots=True)
class Load:
    """How requests arrive. fresh: none is asked twice, see `Arrivals`. least: so many at least; more at high rates, so
    that they last `seconds`."""

    fresh: bool
    least: int = 400
    seconds: float = 40.0
    seed: int = 0

    def arrivals(self, rate: float, distinct: int) -> Arrivals:
        """At so many requests a second."""
        count = max(self.least, round(rate * self.seconds))
        due = poisson_arrivals_s(rate, count, self.seed)
        return Arrivals(due, tuple(number % distinct for number in range(count)), self.fresh)


def point(side: Side, fleet: Fleet, rate: float, load: Load) -> Point:
    """One run."""
    arrivals = load.arrivals(rate, len(side.graphs))
    found = simulate(side.graphs, arrivals, fleet, side.rules, seed=load.seed)
    return Point(side.name, fleet.replicas, rate, len(arrivals.due_s), percentiles(found), found.use)


def percentiles(found: Simulated) -> dict[float, float]:
    """Percent → seconds, without the first quarter."""
    counted = found.latencies_s[len(found.latencies_s) // _LEAD_IN :]
    return {percent: float(np.percentile(counted, percent)) for percent in PERCENTS}


def rate_at_target(side: Side, fleet: Fleet, load: Load, target_s: float, percent: float, *, most: float) -> Throughput:
    """Requests a second at which that percentile of latency reaches the target; 0 if it is missed by an idle server.

    Found by halving between 0 and `most`, to a two hundred and fiftieth of `most`; at least `most` if it is met there.
    """
    if point(side, fleet, most, load).latencies_s[percent] <= target_s:
        return Throughput(most, at_least=True)
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if point(side, fleet, middle, load).latencies_s[percent] > target_s:
            high = middle
        else:
            low = middle
    return Throughput(low, at_least=False)
