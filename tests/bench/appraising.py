"""Appraising: all figures of one case, beside the stored ones.

Always true: a row is made only of results that were equal on both sides; a loss of processor time has been measured
three times before it is called one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.comparisons.statistics import Interval, median, median_interval
from bench.case import Case, Figure
from bench.pairs import Drive, Pairs, drive, measure
from bench.stored import Stored
from bench.verdict import Verdict, judge, settle, steady

_SEED = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one case. plain, ours: in seconds, calls or bytes. wall: ratio of wall times, to read."""

    case: str
    figure: Figure
    plain: float
    ours: float
    verdict: Verdict
    wall: float | None = None


class WorseThanStored(AssertionError):
    """A ratio has become worse, beyond noise."""

    def __init__(self, rows: Sequence[Row], stored: Stored) -> None:
        super().__init__("\n".join(_complaint(row, stored) for row in rows))


class NotStored(AssertionError):
    """There is nothing to compare with."""

    def __init__(self, case: str, figures: Sequence[str]) -> None:
        super().__init__(
            f"{case}: no stored ratio of {', '.join(figures)}. Keep the one measured now: "
            f"make bench-store ARGS='--only \"{case}\"'"
        )


def appraise(
    case: Case, seconds: float, stored: Stored | None, driver: Drive = drive, *, to_keep: bool = False
) -> list[Row]:
    """Measure a case, again and for longer where it seems worse than it was, or is to be kept and varies."""
    known = {} if stored is None else {figure: one.value for figure, one in stored.ratios.items()}
    measured: dict[Interval, Pairs] = {}

    def ratio_of(pairs: Pairs) -> Interval:
        ratio = cpu_ratio(pairs)
        measured[ratio] = pairs
        return ratio

    def again(times: int) -> Interval:
        return ratio_of(measure(case, seconds * times))

    first = ratio_of(measure(case, seconds, driver))
    verdict = (
        judge(steady(first, again), None) if to_keep else settle(first, known.get("cpu"), again, case.cpu_worse_max)
    )
    return [_cpu_row(case, verdict, measured[verdict.ratio]), *_exact_rows(case, known)]


def cpu_ratio(pairs: Pairs) -> Interval:
    """Of processor time: the median of the pairs' own ratios, because both runs of a pair met the same machine."""
    return median_interval(
        [ours.cpu_s / plain.cpu_s for plain, ours in zip(pairs.plain, pairs.ours, strict=True)], seed=_SEED
    )


def check(rows: Sequence[Row], stored: Stored | None) -> None:
    """`WorseThanStored` or `NotStored`, if one of the rows calls for it."""
    new = [row for row in rows if row.verdict.outcome == "new"]
    if new or stored is None:
        raise NotStored(rows[0].case, [row.figure for row in new])
    worse = [row for row in rows if row.verdict.outcome == "loss"]
    if worse:
        raise WorseThanStored(worse, stored)


def _cpu_row(case: Case, verdict: Verdict, pairs: Pairs) -> Row:
    plain, ours = (median([sample.cpu_s for sample in side]) for side in (pairs.plain, pairs.ours))
    wall = median([ours.wall_s / plain.wall_s for plain, ours in zip(pairs.plain, pairs.ours, strict=True)])
    return Row(case.name, "cpu", plain, ours, verdict, wall)


def _exact_rows(case: Case, known: dict[str, float]) -> list[Row]:
    figures = [figure for figure in case.figures if figure != "cpu"]
    if not figures:
        return []
    plain, ours = case.counted()
    values = {
        "calls": (plain.calls, ours.calls),
        "memory": (plain.memory_bytes, ours.memory_bytes),
        "latency": (plain.latency_s, ours.latency_s),
    }
    rows = []
    for figure in figures:
        below, above = map(float, values[figure])
        ratio = above / below
        rows.append(Row(case.name, figure, below, above, judge(Interval(ratio, ratio, ratio), known.get(figure))))
    return rows


def _complaint(row: Row, stored: Stored) -> str:
    ratio, before = row.verdict.ratio, row.verdict.stored
    assert before is not None
    return (
        f"{row.case}: {row.figure} is {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] times LangGraph's; "
        f"stored is {before:.3f} ({stored.made_with}). That is {100 * (ratio.value / before - 1):.0f} % more. "
        f"See it alone with make bench ARGS='--only \"{row.case}\"', and find the commit with git bisect. If it is "
        f"meant, or other versions explain it, keep it: make bench-store ARGS='--only \"{row.case}\"'"
    )
