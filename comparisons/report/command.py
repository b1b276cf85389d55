"""`alto-lg report`: a page from results files, the small files that are kept, and the tables of a README."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alto_lg.apps.base import InputError
from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.report.cells import Cells, read_cells
from alto_lg.comparisons.report.page import report_page
from alto_lg.comparisons.report.published import publish
from alto_lg.comparisons.report.readme import rewrite
from alto_lg.comparisons.report.simulated import read_simulated

REFUSED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("results", nargs="+", type=Path, metavar="RESULTS", help="results files (*.jsonl), or folders of them")
    add(
        "--simulated",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files of `alto-lg simulate`, for the page",
    )
    add("--output", type=Path, help="the page (default results/report.html, unless another output is asked for)")
    add("--publish", type=Path, metavar="FOLDER", help="write the same results without spans and answers, to be kept")
    add("--readme", type=Path, metavar="FILE", help="rewrite the tables between the markers of this file")


def run(options: argparse.Namespace) -> int:
    """0 when all is written; 2 when a file cannot be read or written."""
    try:
        cells = read_cells(options.results)
        if not cells.usable:
            raise UsageError(f"there is nothing to tell: {_unusable(cells)}.")
        _write(cells, options)
    except (InputError, UsageError, OSError) as refused:
        print(f"alto-lg report: {refused}", file=sys.stderr)
        return REFUSED
    return 0


def _write(cells: Cells, options: argparse.Namespace) -> None:
    page = options.output or (None if options.publish or options.readme else Path("results") / "report.html")
    if options.publish is not None:
        for path in publish(cells, options.publish):
            print(f"Written: {path} ({path.stat().st_size / 1024:.1f} KiB)")
    if options.readme is not None:
        changed = rewrite(options.readme, cells)
        print(f"{'Rewritten' if changed else 'Unchanged'}: {options.readme}")
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(report_page(cells, [read_simulated(path) for path in options.simulated]), encoding="utf-8")
        print(f"Written: {page} ({page.stat().st_size / 1024:.0f} KiB)")


def _unusable(cells: Cells) -> str:
    return "; ".join(f"{cell.path}: {cell.why_unusable}" for cell in cells.unusable)
