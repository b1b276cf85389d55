"""From measurements to the figures of the table. Pure.

Always true: no figure is made from arms that answered differently; `summarise` raises instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from alto_lg.comparisons.answers import Difference, differences
from alto_lg.comparisons.arms import Arm, NotRun, reference_of
from alto_lg.comparisons.cost import MemoryUse, ServerUse, mean_use
from alto_lg.comparisons.measure import EarlyWork, Measurement
from alto_lg.comparisons.prediction import gap_percent
from alto_lg.comparisons.statistics import Blocks, Interval, median, percentile_interval, ratio_of_percentiles

Measured = Mapping[str, Sequence[Measurement]]
"""Arm → its measurements, by position; every arm has the same positions."""


class UnequalAnswers(Exception):
    """The arms do not agree, so their speeds mean nothing; carries every difference."""

    def __init__(self, found: Sequence[Difference]) -> None:
        self.differences = tuple(found)
        super().__init__(f"{len(found)} answers differ")


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """The figures of one arm.

    first_result_s: median; None when no request gave an early result to see.
    cpu_s: mean, so that it adds up over requests; None on a virtual clock, where a process runs the server, too.
    speed_ups: over each plain arm, how many times sooner (ratio of medians, paired by request or by block).
    p99_ratios: to each plain arm's 99th percentile; below 1 is sooner.
    limit_s: median over requests of the longest true dependency path of that same run.
    left_plain: accelerated runs that the engine left to LangGraph alone.
    first_limit_s: the same for the first result.
    above_limit_percent: median over requests of how much longer than its limit a run took.
    predicted_s, gap_percent: medians over requests; None where no time can be predicted.
    early: sums over all requests; None for plain LangGraph.
    server: means; None where the server's work is not known.
    memory: of the request with the highest peak; None where it is not known.
    """

    arm: str
    requests: int
    latency_s: Interval
    p90_s: Interval
    p99_s: Interval
    first_result_s: float | None
    cpu_s: float | None
    limit_s: float | None
    first_limit_s: float | None
    above_limit_percent: float | None
    early: EarlyWork | None
    predicted_s: float | None = None
    gap_percent: float | None = None
    server: ServerUse | None = None
    memory: MemoryUse | None = None
    left_plain: int = 0
    speed_ups: Mapping[str, Interval] = field(default_factory=dict)
    p99_ratios: Mapping[str, Interval] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def summarise(arms: Sequence[Arm], measured: Measured, *, seed: int) -> tuple[ArmSummary, ...]:
    """The figures of every arm; `UnequalAnswers` when there may be none."""
    found = differences(answers_by_arm(by_reference(arms), measured))
    if found:
        raise UnequalAnswers(found)
    counted = {arm.name: [one for one in measured[arm.name] if not one.lead_in] for arm in arms}
    plain = {arm.name: latency_blocks(counted[arm.name]) for arm in arms if arm.engine == "langgraph"}
    return tuple(_summary(arm.name, counted[arm.name], plain, seed) for arm in arms)


def disagreeing_peers(arms: Sequence[Arm], measured: Measured) -> tuple[NotRun, ...]:
    """The peers whose answers are not the others': they have no figures, and nobody else loses any."""
    found = differences(answers_by_arm(by_reference(arms), measured))
    peers = [arm.name for arm in by_reference(arms)[1:] if arm.peer is not None]
    first = {name: next((one for one in found if one.arm == name), None) for name in peers}
    return tuple(
        NotRun(name, f"other answers, first to {one.request} at {one.place.path}: {one.place.found}")
        for name, one in first.items()
        if one is not None
    )


def by_reference(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The same arms, beginning with the one whose answers count."""
    reference = reference_of(arms)
    return (reference, *(arm for arm in arms if arm != reference))


def answers_by_arm(arms: Sequence[Arm], measured: Measured) -> dict[str, dict[str, Any]]:
    """Arm → request → answer; a request that occurs twice is told apart by its position."""
    return {
        arm.name: {f"{one.request} (position {one.position})": one.answer for one in measured[arm.name]} for arm in arms
    }


def latency_blocks(measurements: Sequence[Measurement]) -> Blocks:
    """In the order of the requests, those that overlapped together."""
    found: dict[tuple[int | None, int], list[float]] = {}
    for one in measurements:
        found.setdefault((one.block, one.position if one.block is None else 0), []).append(one.latency_s)
    return [np.asarray(block) for block in found.values()]


def _summary(arm: str, measurements: Sequence[Measurement], plain: Mapping[str, Blocks], seed: int) -> ArmSummary:
    took = latency_blocks(measurements)
    processor = [one.cpu_s for one in measurements if one.cpu_s is not None]
    bounded = [one for one in measurements if one.limit_s > 0]
    foretold = [(one.latency_s, one.predicted_s) for one in measurements if one.predicted_s]
    return ArmSummary(
        arm=arm,
        requests=len(measurements),
        latency_s=percentile_interval(took, 50, seed=seed),
        p90_s=percentile_interval(took, 90, seed=seed),
        p99_s=percentile_interval(took, 99, seed=seed),
        first_result_s=_median([one.first_result_s for one in measurements]),
        cpu_s=sum(processor) / len(processor) if processor else None,
        limit_s=_median([one.limit_s for one in bounded]),
        first_limit_s=_median([one.first_limit_s for one in measurements]),
        above_limit_percent=_median([gap_percent(one.latency_s, one.limit_s) for one in bounded]),
        early=_total([one.early for one in measurements if one.early is not None]),
        predicted_s=_median([predicted for _, predicted in foretold]),
        gap_percent=_median([gap_percent(*pair) for pair in foretold]),
        server=mean_use([one.server for one in measurements if one.server is not None]),
        memory=max((one.memory for one in measurements if one.memory is not None), key=_peak, default=None),
        left_plain=sum(one.early is not None and one.early.plain is not None for one in measurements),
        speed_ups={name: ratio_of_percentiles(other, took, 50, seed=seed) for name, other in plain.items()},
        p99_ratios={name: ratio_of_percentiles(took, other, 99, seed=seed) for name, other in plain.items()},
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _peak(memory: MemoryUse) -> int:
    return memory.peak


def _total(early: Sequence[EarlyWork]) -> EarlyWork | None:
    if not early:
        return None
    return EarlyWork(
        firings=sum(one.firings for one in early),
        early_starts=sum(one.early_starts for one in early),
        dropped=sum(one.dropped for one in early),
        time_saved_s=sum(one.time_saved_s for one in early),
        early_tools=sum(one.early_tools for one in early),
        dropped_tools=sum(one.dropped_tools for one in early),
    )
