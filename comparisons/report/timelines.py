"""Timelines of one request: the spans of a plain and an accelerated arm on one axis of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.report.cells import Cell, Figures
from alto_lg.comparisons.report.figures import SPEED, value
from alto_lg.comparisons.statistics import median
from alto_lg.tracing.timeline import Bar, Panel, Row

_LATENCY = SPEED[0]


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a cell is drawn: one request, by several arms."""

    request: str
    measured: tuple[Measurement, ...]


def shown(cell: Cell) -> Shown | None:
    """The request that took the plain arm its median time, by that arm and the others; None without spans."""
    arms = _arms(cell)
    plain = [one for one in cell.measured(arms[0]) if one.spans] if arms else []
    if not plain:
        return None
    middle = median([one.latency_s for one in plain])
    chosen = min(plain, key=lambda one: (abs(one.latency_s - middle), one.position))
    same = (one for arm in arms for one in cell.measured(arm) if one.position == chosen.position and one.spans)
    return Shown(chosen.request, tuple(same))


def _arms(cell: Cell) -> list[str]:
    """The first plain arm, the soonest accelerated one, and the program by hand, as far as they are there."""
    plain, alto, by_hand = (
        [arm for arm in cell.arms if cell.engine(str(arm["arm"])) == engine]
        for engine in ("langgraph", "alto", "asyncio")
    )
    alto.sort(key=_median_s)
    return [str(arm["arm"]) for arm in (*plain[:1], *alto[:1], *by_hand[:1])]


def _median_s(arm: Figures) -> float:
    return value(_LATENCY.of(arm)) or 0.0


def panels(measured: Sequence[Measurement]) -> list[Panel]:
    """A panel an arm, a row a stage; the rows of all panels in one order and one tone a stage."""
    order: list[str] = []
    for one in measured:
        before = -1
        for stage in dict.fromkeys(span.stage for span in one.spans):
            if stage not in order:  # it has its place after what came before it in this arm
                order.insert(before + 1, stage)
            before = order.index(stage)
    stages = {stage: tone for tone, stage in enumerate(order)}
    return [_panel(one, stages) for one in measured]


def _panel(one: Measurement, stages: dict[str, int]) -> Panel:
    bars: defaultdict[str, list[Bar]] = defaultdict(list)
    for span in one.spans:
        item = "#" + ".".join(map(str, span.item)) if span.item else ""
        took = f"{span.started:.3f} s to {span.ended:.3f} s: {span.ended - span.started:.3f} s"
        bars[span.stage].append(Bar(span.started, span.ended, item, f"{span.stage} {item}\n{took}"))
    rows = [Row(stage, tuple(bars[stage]), tone=tone) for stage, tone in stages.items() if bars[stage]]
    return Panel(f"{one.arm} · {one.latency_s:.3f} s", tuple(rows))


def span_rows(measured: Sequence[Measurement]) -> list[list[str]]:
    """Every span as a row of numbers."""
    return [
        [one.arm, span.stage, ".".join(map(str, span.item)), f"{span.started:.3f}", f"{span.ended:.3f}"]
        for one in measured
        for span in one.spans
    ]
