"""The tables over several cells: every arm of every cell, and the throughput at a latency target. Pure.

Always true: figures are those that the results files hold; a ratio is to the first arm of its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from alto_lg.comparisons.cells import Cell
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.prediction import GAP_FLAGGED_PERCENT
from alto_lg.comparisons.results import Results
from alto_lg.comparisons.statistics import Interval
from alto_lg.comparisons.summary import latency_blocks
from alto_lg.comparisons.table import confidence, interval, number
from alto_lg.comparisons.target import PERCENTS, TargetFigures, target_figures, target_s

Done = Mapping[Cell, Results]
"""Cells whose files are whole and whose arms agreed."""

_COLUMNS = (
    "median\n(s)",
    "p90\n(s)",
    "p99\n(s)",
    "first\nresult (s)",
    "times sooner\n[95 % CI]",
    "p99, ratio\n[95 % CI]",
    "tokens\nin+out",
    "CPU\n(s)",
    "above\npredicted (%)",
)


@dataclass(frozen=True, slots=True)
class TargetRow:
    """The throughput of one arm on one server. percent → figures."""

    server: Cell
    arm: str
    target_s: float
    figures: Mapping[float, TargetFigures]

    def fields(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "application": self.server.application,
            "profile": self.server.profile,
            "slots": self.server.slots,
            "arm": self.arm,
            "target_s": self.target_s,
            **{f"p{percent:g}": _figures_fields(one) for percent, one in self.figures.items()},
        }


def cells_table(done: Done, title: str) -> Table:
    """One row for each arm of each cell."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("server and load")
    table.add_column("arm", no_wrap=True)
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for cell, results in done.items():
        arms = _arms(results)
        for place, arm in enumerate(arms):
            table.add_row("" if place else cell.conditions, arm["arm"], *_row(arm, arms[0]["arm"]))
        table.add_section()
    return table


def _arms(results: Results) -> Sequence[Mapping[str, Any]]:
    assert results.summary is not None, "only whole files are shown"
    arms: Sequence[Mapping[str, Any]] = results.summary["arms"]
    return arms


def _row(arm: Mapping[str, Any], first: str) -> tuple[str, ...]:
    is_first, server = arm["arm"] == first, arm["server"]
    gap = arm["gap_percent"]
    mark = "! " if gap is not None and abs(gap) > GAP_FLAGGED_PERCENT else ""
    return (
        number(arm["latency_s"]["value"]),
        number(arm["p90_s"]["value"]),
        number(arm["p99_s"]["value"]),
        number(arm["first_result_s"]),
        "–" if is_first else _interval_text(arm, "speed_ups", first),
        "–" if is_first else _interval_text(arm, "p99_ratios", first),
        "not known" if server is None else f"{server['prompt_tokens']:.0f}+{server['completion_tokens']:.0f}",
        number(arm["cpu_s"]),
        f"{mark}{number(gap, digits=1)}",
    )


def _interval_text(arm: Mapping[str, Any], name: str, first: str) -> str:
    fields = arm[name].get(first)
    if fields is None:
        return "–"
    return interval(Interval(**fields)) if arm["requests"] > 1 else number(fields["value"])


def target_rows(done: Done, *, least_s: float, factor: float, seed: int) -> tuple[TargetRow, ...]:
    """Of every server that was measured one at a time and under at least one load."""
    servers = dict.fromkeys(cell.alone for cell in done if not cell.load.is_alone and cell.alone in done)
    return tuple(row for server in servers for row in _rows_of(server, done, least_s, factor, seed))


def _rows_of(server: Cell, done: Done, least_s: float, factor: float, seed: int) -> list[TargetRow]:
    files = {_rate(results): results for cell, results in done.items() if cell.alone == server}
    alone = _arms(done[server])
    target = target_s(alone[0]["latency_s"]["value"], least_s, factor)
    # An arm that gave up in one of the files has no curve.
    everywhere = [arm["arm"] for arm in alone if all(_has(results, arm["arm"]) for results in files.values())]
    traces = {
        arm: {rate: latency_blocks(_counted(results, arm)) for rate, results in files.items()} for arm in everywhere
    }
    first = everywhere[0]
    return [
        TargetRow(
            server,
            arm,
            target,
            {percent: target_figures(trace, traces[first], target, percent, seed=seed) for percent in PERCENTS},
        )
        for arm, trace in traces.items()
    ]


def _rate(results: Results) -> float:
    return float(results.header["rate"])


def _has(results: Results, arm: str) -> bool:
    return any(one["arm"] == arm for one in _arms(results))


def _counted(results: Results, arm: str) -> list[Measurement]:
    return sorted(
        (one for one in results.measurements if one.arm == arm and not one.lead_in), key=lambda one: one.position
    )


def targets_table(rows: Sequence[TargetRow]) -> Table:
    """One row for each arm of each server."""
    title = "Requests a second at the latency target"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("server", "arm"):
        table.add_column(column, no_wrap=True)
    for column in ("target (s)", *(name for percent in PERCENTS for name in (f"p{percent:g}", "ratio [95 % CI]"))):
        table.add_column(column, justify="right")
    for row in rows:
        shown = [text for percent in PERCENTS for text in target_texts(row.figures[percent])]
        server = str(row.server).removesuffix(", one at a time")
        table.add_row(server, row.arm, number(row.target_s), *shown)
    return table


def target_texts(figures: TargetFigures) -> tuple[str, str]:
    """The throughput, and its ratio to the first arm's with the interval."""
    bound = "≥ " if figures.throughput.at_least else ""
    if figures.ratio is None:
        return f"{bound}{number(figures.throughput.rate)}", "–"
    cut = "cut off: " if figures.ratio_is_cut_off else ""
    ratio = f"{cut}{number(figures.ratio.value)} {confidence(figures.ratio)}"
    return f"{bound}{number(figures.throughput.rate)}", ratio


def _figures_fields(figures: TargetFigures) -> dict[str, Any]:
    ratio = figures.ratio
    return {
        "rate": figures.throughput.rate,
        "at_least": figures.throughput.at_least,
        "ratio": None if ratio is None else {"value": ratio.value, "low": ratio.low, "high": ratio.high},
        "ratio_is_cut_off": figures.ratio_is_cut_off,
    }
