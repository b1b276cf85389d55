"""Table: the rows of a run, for a terminal and as Markdown for the summary of a job."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from alto_lg.comparisons.table import confidence, number
from bench.appraising import Row

COLUMNS = ("case", "figure", "LangGraph", "accelerated", "ratio", "95 % interval", "stored", "wall", "")
_WORDS = {"same": "", "loss": "LOSS", "gain": "gain", "new": "new"}


def terminal(rows: Sequence[Row]) -> Table:
    """For people; LOSS is a failed case, gain one that may be stored."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if at < 2 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def markdown(rows: Sequence[Row], made_with: str) -> str:
    """The same, with what it was measured with."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- | --- |{' ---: |' * (len(COLUMNS) - 2)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(["## Benchmarks", "", *lines, "", explanation(made_with), ""])


def explanation(made_with: str) -> str:
    """What the columns mean, under a table."""
    return (
        "ratio: accelerated by LangGraph, less is better; of a splitter, by a loop over the same text. "
        "cpu: processor time, median of the ratios of interleaved pairs. calls: functions called. memory: the most at "
        "a time. latency: on a virtual clock. wall: the same pairs by the clock on the wall, only to be read. "
        "LOSS: the lower end of the interval is above 1.10 times the stored ratio (1.5 for sides of different kinds), "
        f"three times over. {made_with}"
    )


def _cells(row: Row) -> list[str]:
    verdict = row.verdict
    exact = row.figure != "cpu"
    return [
        row.case,
        row.figure,
        _amount(row, row.plain),
        _amount(row, row.ours),
        number(verdict.ratio.value),
        "exact" if exact else confidence(verdict.ratio),
        number(verdict.stored),
        number(row.wall),
        _WORDS[verdict.outcome],
    ]


def _amount(row: Row, value: float) -> str:
    match row.figure:
        case "calls":
            return f"{value:,.0f}"
        case "memory":
            return f"{value / 1024:,.0f} KiB"
        case "latency":
            return f"{value:.3f} s"
        case _:
            return f"{1e3 * value:.2f} ms"
