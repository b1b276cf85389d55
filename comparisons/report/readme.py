"""The block of tables in a README: made from results files, between two markers, and nowhere typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alto_lg.apps.base import InputError
from alto_lg.comparisons.report import figures, targets
from alto_lg.comparisons.report.cells import Cell, Cells
from alto_lg.comparisons.report.figures import ABOVE_LIMIT, EARLY, LATENCY, PROCESSOR, TOKENS

BEGIN = "<!-- results: begin (made by `alto-lg report --readme`, not typed) -->"
END = "<!-- results: end -->"
_NOTHING = (
    "\nNo results are kept yet: `alto-lg report --publish results/published RESULTS…`, and then\n"
    "`alto-lg report --readme README.md results/published`, put them here.\n"
)


def rewrite(path: Path, cells: Cells) -> bool:
    """Put the tables between the markers; whether that changed anything. `InputError` without markers."""
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise InputError(path, None, f"it needs two lines once each, in this order: {BEGIN} and {END}")
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    made = f"{before}{BEGIN}\n{block(cells)}\n{after}"
    path.write_text(made, encoding="utf-8")
    return made != text


def block(cells: Cells) -> str:
    """The tables, each under the command that repeats it, and at the end what they were measured with."""
    if not cells.usable:
        return _NOTHING
    made_with: dict[str, list[str]] = {}
    for cell in cells.usable:
        made_with.setdefault(_made_with(cell), []).append(cell.name)
    told = [text if len(made_with) == 1 else f"{'; '.join(of)}: {text}" for text, of in made_with.items()]
    tables = [line for cell in cells.usable for line in _cell(cell)]
    return "\n".join(["", *tables, *_targets(cells), *told, ""])


def _targets(cells: Cells) -> list[str]:
    rows = targets.rows(cells)
    return [f"**{targets.TITLE}**, from the commands above:", "", *_table(targets.HEAD, rows), ""] if rows else []


def _cell(cell: Cell) -> list[str]:
    names = [str(arm["arm"]) for arm in cell.arms]
    rows = [
        *figures.rows(LATENCY, cell.arms),
        *figures.ratio_rows(cell.arms, loaded=cell.rate > 0),
        *figures.rows((ABOVE_LIMIT, *TOKENS, PROCESSOR, *EARLY[1:]), cell.arms),
    ]
    absent = [line for text in cell.absent for line in (f"{text}.", "")]
    return [f"**{cell.name}**: `{cell.header['command']}`", "", *_table(["", *names], rows), "", *absent]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _made_with(cell: Cell) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in cell.header["versions"].items())
    machine = cell.header["machine"]
    return (
        f"Measured on {str(cell.header['created'])[:10]} with {versions}; {machine['cpus']} cpus, "
        f"{machine['processor']}."
    )
