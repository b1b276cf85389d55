"""Published results: results files made small enough to be kept with the code.

Always true: the summary is whole, and each request keeps its times. Left out are its spans, its answer, what it cost,
and digits beyond the sixth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.report.cells import Cell, Cells
from alto_lg.comparisons.results import ResultsFile, measurement_fields, measurement_of

_DIGITS = 6


def publish(cells: Cells, folder: Path) -> list[Path]:
    """Write the compact file of every cell; `UsageError` if there is one of which nothing may be said."""
    if cells.unusable:
        told = ", ".join(f"{cell.path} ({cell.why_unusable})" for cell in cells.unusable)
        raise UsageError(f"--publish: {told} cannot be published; leave such files out, or run them again.")
    return [_write(cell, folder / f"{_stem(cell)}.jsonl") for cell in cells.usable]


def _stem(cell: Cell) -> str:
    words: Sequence[Any] = (
        cell.application.rpartition(":")[2],
        cell.header.get("profile") or "own",
        "" if cell.header.get("slots") is None else f"{cell.header['slots']}slots",
        "" if cell.header.get("items") is None else f"{cell.header['items']}items",
        f"{cell.rate:.4g}per-s" if cell.rate else "alone",
        "sync" if cell.header.get("sync") else "",
        "virtual" if cell.header.get("clock") == "virtual" else "",
    )
    return "-".join(re.sub(r"[^\w.]+", "-", str(word)).lower() for word in words if word)


def _write(cell: Cell, path: Path) -> Path:
    with ResultsFile(path) as file:
        file.header(cell.header)
        for one in cell.results.measurements:
            file.measurement(_short(one))
        for absent in cell.results.not_run:
            file.not_run(absent)
        file.summary(_rounded(cell.results.summary))
    return path


def _short(measured: Measurement) -> Measurement:
    times = replace(measured, answer=None, spans=(), early=None, server=None, memory=None)
    return measurement_of(_rounded(measurement_fields(times)))


def _rounded(found: Any) -> Any:
    if isinstance(found, float):
        return round(found, _DIGITS)
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    return [_rounded(value) for value in found] if isinstance(found, list) else found
