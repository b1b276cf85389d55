"""Early: how many firings start early, whoever runs the graph and however often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alto_lg.adapters.langgraph.acceleration import Acceleration, observers
from alto_lg.engine.statistics import RunStatistics


@dataclass(slots=True)
class Early:
    """Summed over all runs so far, of all graphs."""

    starts: int = 0


@contextmanager
def counted() -> Iterator[Early]:
    """What starts early meanwhile."""
    early = Early()

    def ended(_: Acceleration, statistics: RunStatistics) -> None:
        early.starts += statistics.early_starts

    observers.append(ended)
    try:
        yield early
    finally:
        observers.remove(ended)
