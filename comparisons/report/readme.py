"""The block of tables in a README: made from results files, between two markers, and nowhere typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from alto_lg.apps.base import InputError
from alto_lg.comparisons.report import figures, targets
from alto_lg.comparisons.report.cells import Cell, Cells, Figures
from alto_lg.comparisons.report.figures import ABOVE_LIMIT, FIRST_RESULT, MEDIAN, NONE, P99, PROCESSOR, TOKENS, written

BEGIN = "<!-- results: begin (made by `alto-lg report --readme`, not typed) -->"
END = "<!-- results: end -->"
_ALONE = (MEDIAN, P99, FIRST_RESULT, ABOVE_LIMIT, *TOKENS, PROCESSOR)
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
    """The tables, each under the commands that repeat it, and at the end what they were measured with."""
    if not cells.usable:
        return _NOTHING
    loaded = {cell.setting for cell in cells.usable if cell.rate > 0}
    alone = _grouped(cell for cell in cells.usable if cell.setting not in loaded)
    under_load = _grouped(cell for cell in cells.usable if cell.setting in loaded)
    tables = [*map(_alone, alone.values()), *map(_loaded, under_load.values())]
    lines = [line for table in tables for line in table]
    return "\n".join(["", *lines, *_targets(cells), *_made_with(cells), ""])


# ── one at a time ───────────────────────────────────────────────────────────────────────────────────────────────


def _alone(cells: Sequence[Cell]) -> list[str]:
    """A row for each arm of each application."""
    plain = list(dict.fromkeys(over for cell in cells for over in figures.baselines(cell.arms)))
    shown = [figure for figure in _ALONE if figures.known([figure], [arm for cell in cells for arm in cell.arms])]
    head = ["", "arm", *(figure.label for figure in shown), *(f"times sooner than {over} [95 % CI]" for over in plain)]
    rows = [
        [
            "" if place else cell.application,
            str(arm["arm"]),
            *(figure.text(arm) for figure in shown),
            *(_ratio(arm, "speed_ups", over) for over in plain),
        ]
        for cell in cells
        for place, arm in enumerate(cell.arms)
    ]
    title = f"**One request at a time**, {', '.join(cells[0].setting[1:])}"
    return [title, "", *_commands(cells), "", *_table(head, rows), "", *_absent(cells)]


def _ratio(arm: Figures, name: str, over: str) -> str:
    return NONE if arm["arm"] == over else written(figures.ratio(arm, name, over))


# ── under load ──────────────────────────────────────────────────────────────────────────────────────────────────


def _loaded(cells: Sequence[Cell]) -> list[str]:
    """A row for each arm of each application, a column for each load."""
    loads = list(
        dict.fromkeys(cell.load for cell in sorted(cells, key=lambda cell: (cell.rate > 0, cell.share or cell.rate)))
    )
    rows = [
        row for app in dict.fromkeys(cell.application for cell in cells) for row in _of_application(app, cells, loads)
    ]
    title = f"**The 99th percentile of latency**, {', '.join(cells[0].setting[1:])}"
    told = "seconds of the first arm, and of each other arm its ratio to that [95 % CI]"
    return [f"{title}: {told}", "", *_commands(cells), "", *_table(["", "arm", *loads], rows), "", *_absent(cells)]


def _of_application(application: str, cells: Sequence[Cell], loads: Sequence[str]) -> list[list[str]]:
    of_load = {cell.load: {arm["arm"]: arm for arm in cell.arms} for cell in cells if cell.application == application}
    arms = list(dict.fromkeys(str(name) for of in of_load.values() for name in of))
    return [
        ["" if place else application, arm, *(_p99(of_load.get(load, {}).get(arm), arms[0]) for load in loads)]
        for place, arm in enumerate(arms)
    ]


def _p99(arm: Figures | None, first: str) -> str:
    if arm is None:
        return NONE
    return P99.text(arm) if arm["arm"] == first else _ratio(arm, "p99_ratios", first)


# ── what belongs to all of them ─────────────────────────────────────────────────────────────────────────────────


def _grouped(cells: Iterable[Cell]) -> dict[tuple[str, ...], list[Cell]]:
    """By all of the setting but the application, and by what they are compared with; the plainest setting first."""
    found: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        found.setdefault((*cell.setting[1:], *figures.baselines(cell.arms)[:1]), []).append(cell)
    return dict(sorted(found.items(), key=lambda one: (len(one[0]), -len(one[1]))))


def _targets(cells: Cells) -> list[str]:
    rows = targets.rows(cells)
    return [f"**{targets.TITLE}**, from the commands above:", "", *_table(targets.HEAD, rows), ""] if rows else []


def _commands(cells: Sequence[Cell]) -> list[str]:
    return [f"`{command}`  " for command in dict.fromkeys(str(cell.header["command"]) for cell in cells)]


def _absent(cells: Sequence[Cell]) -> list[str]:
    return [line for text in dict.fromkeys(text for cell in cells for text in cell.absent) for line in (f"{text}.", "")]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _made_with(cells: Cells) -> list[str]:
    found: dict[str, list[str]] = {}
    for cell in cells.usable:
        versions = ", ".join(f"{name} {version}" for name, version in cell.header["versions"].items())
        machine = cell.header["machine"]
        told = f"{str(cell.header['created'])[:10]} with {versions}; {machine['cpus']} cpus, {machine['processor']}."
        found.setdefault(f"Measured on {told}", []).append(cell.name)
    return [text if len(found) == 1 else f"{'; '.join(names)}: {text}" for text, names in found.items()]
