"""Throughput at a latency target, for every server that was measured one at a time and under load."""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.comparisons import cells as matrix
from alto_lg.comparisons.loads import ALONE, Load
from alto_lg.comparisons.overview import target_rows, target_texts
from alto_lg.comparisons.report.cells import Cell, Cells
from alto_lg.comparisons.table import number
from alto_lg.comparisons.target import PERCENTS, TARGET_FACTOR, TARGET_S

TITLE = "Requests a second at the latency target"
HEAD = ["server", "arm", "target (s)", *(name for one in PERCENTS for name in (f"p{one:g}", "ratio [95 % CI]"))]
EXPLAINED = (
    f"The rate at which the 90th percentile, or the median, of latency reaches the target: {TARGET_S:g} s, or "
    f"{TARGET_FACTOR:g} times the unloaded median of the first arm where that is longer. ≥: the target was still met "
    "at the highest rate that was measured. Ratios are to the first arm."
)


def rows(cells: Cells) -> list[list[str]]:
    """A row for each arm of each server."""
    settings = dict.fromkeys(cell.setting for cell in cells.usable)
    return [row for setting in settings for row in _of_server([c for c in cells.usable if c.setting == setting])]


def _of_server(cells: Sequence[Cell]) -> list[list[str]]:
    done = {_key(cell): cell.results for cell in cells}
    seed = int(cells[0].header.get("seed") or 0)
    return [
        [
            ", ".join(cells[0].setting),
            row.arm,
            number(row.target_s),
            *(text for percent in PERCENTS for text in target_texts(row.figures[percent])),
        ]
        for row in target_rows(done, least_s=TARGET_S, factor=TARGET_FACTOR, seed=seed)
    ]


def _key(cell: Cell) -> matrix.Cell:
    load = Load(rate=cell.rate) if cell.rate else ALONE
    return matrix.Cell(cell.application, cell.header.get("profile"), cell.header.get("slots"), load)
