"""Costs: what it costs to run a stage elsewhere, measured on the firings themselves.

Owns the counts and times of one placed stage. Always true: a time counts only if the firing found its worker idle, or
the time that it waited for others there would be taken for the cost of the way.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

_RECENT = 200
"""Firings whose times are kept: the first ones, which import and warm up, are to be forgotten."""


@dataclass(frozen=True, slots=True)
class PlacementStatistics:
    """What one placed stage has done so far.

    firings: that have ended, in a result or an error of the node.
    again: firings that ran again because their worker was lost. lost_workers: workers that died.
    node_s: seconds that the node's code took on its worker, the median of recent firings; None before the first.
    cost_s: seconds that a firing took beyond that, there and back: the median of recent ones that met an idle worker.
    """

    firings: int = 0
    again: int = 0
    lost_workers: int = 0
    node_s: float | None = None
    cost_s: float | None = None


class Costs:
    """Counts up; `statistics` sums up."""

    def __init__(self) -> None:
        self.again = 0
        self.lost_workers = 0
        self._firings = 0
        self._node_s: deque[float] = deque(maxlen=_RECENT)
        self._cost_s: deque[float] = deque(maxlen=_RECENT)

    def ended(self, node_s: float, whole_s: float, *, met_idle: bool) -> None:
        """A firing took `whole_s` seconds from its start to its answer, and the node `node_s` of them."""
        self._firings += 1
        self._node_s.append(node_s)
        if met_idle:
            self._cost_s.append(max(0.0, whole_s - node_s))

    @property
    def statistics(self) -> PlacementStatistics:
        node_s, cost_s = tuple(self._node_s), tuple(self._cost_s)
        return PlacementStatistics(
            firings=self._firings,
            again=self.again,
            lost_workers=self.lost_workers,
            node_s=median(node_s) if node_s else None,
            cost_s=median(cost_s) if cost_s else None,
        )
