"""Cells: one results file each, that is one application, one server, one load, and all its arms.

Always true: of several runs of the same cell the newest counts, and the others are named; figures are those of the
file's own summary, so that a report never says what the terminal did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alto_lg.apps.base import InputError
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.results import Results, read_results

Figures = Mapping[str, Any]
"""What the summary of a file says of one arm."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A results file."""

    path: Path
    results: Results

    @property
    def header(self) -> Mapping[str, Any]:
        return self.results.header

    @property
    def application(self) -> str:
        return str(self.header["application"])

    @property
    def rate(self) -> float:
        """Requests a second; 0 for one at a time."""
        return float(self.header.get("rate") or 0.0)

    @property
    def setting(self) -> tuple[str, ...]:
        """All but the load, in words."""
        slots, items = self.header.get("slots"), self.header.get("items")
        server = self.header.get("profile") or f"{self.header.get('model')} (own server)"
        words = [self.application, str(server), "slots of the profile" if slots is None else f"{slots} slots"]
        if self.header.get("replicas"):
            words.append(f"{self.header['replicas']} servers")
        if items is not None:
            words.append(f"{items} items a request")
        if self.header.get("sync"):
            words.append("sync")
        # Files of before there was a choice have no word of it.
        return (*words, "virtual clock") if self.header.get("clock") == "virtual" else tuple(words)

    @property
    def share(self) -> float | None:
        """Of what the server can bear, in percent; None where a rate was asked for."""
        load = str(self.header.get("load", ""))
        return float(load.removesuffix("%")) if load.endswith("%") else None

    @property
    def load(self) -> str:
        if not self.rate:
            return "one at a time"
        return f"{self.rate:.3g} requests/s" if self.share is None else f"{self.share:g} % of saturation"

    @property
    def name(self) -> str:
        return ", ".join((*self.setting, self.load))

    @property
    def why_unusable(self) -> str | None:
        """Why nothing may be said of its speed; None where something may."""
        summary = self.results.summary
        if summary is None:
            return "it was cut short: it has no summary"
        return None if summary.get("equal") else "its arms gave different answers"

    @property
    def arms(self) -> tuple[Figures, ...]:
        """What is known of each arm, in the order of the command; none of an unusable cell."""
        summary = self.results.summary
        return () if summary is None or self.why_unusable else tuple(summary["arms"])

    @property
    def absent(self) -> tuple[str, ...]:
        """Of each arm that has no figures, why."""
        return tuple(f"{one.arm} was not run: {one.reason}" for one in self.results.not_run)

    def engine(self, arm: str) -> str:
        """What runs an arm; files of the first days have it in the name alone."""
        return str(self.header.get("engines", {}).get(arm, arm.partition("-")[0]))

    def measured(self, arm: str) -> tuple[Measurement, ...]:
        """The requests that count, and not those that filled an idle server."""
        return tuple(one for one in self.results.measurements if one.arm == arm and not one.lead_in)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a report. superseded: files of cells that were run again later."""

    usable: tuple[Cell, ...]
    unusable: tuple[Cell, ...]
    superseded: tuple[Cell, ...]

    @property
    def applications(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.application for cell in self.usable))

    def alone(self, application: str) -> tuple[Cell, ...]:
        """Of one application, those with one request at a time."""
        return tuple(cell for cell in self.usable if cell.application == application and cell.rate == 0)

    def loaded(self) -> Mapping[tuple[str, ...], tuple[Cell, ...]]:
        """Setting → the cells under load, slowest rate first."""
        found = {cell.setting: () for cell in self.usable if cell.rate > 0}
        return {
            setting: tuple(sorted((c for c in self.usable if c.setting == setting and c.rate), key=lambda c: c.rate))
            for setting in found
        }


def read_cells(paths: Sequence[Path]) -> Cells:
    """The cells of files, and of all files in folders; `InputError` names what cannot be read."""
    found = [Cell(path, read_results(path)) for path in _files(paths)]
    newest: dict[tuple[tuple[str, ...], float], Cell] = {}
    for cell in sorted(found, key=lambda cell: str(cell.header.get("created", ""))):
        if cell.why_unusable is None:
            newest[cell.setting, cell.rate] = cell
    # Of each application what is read first: one request at a time, then under load.
    usable = sorted(newest.values(), key=lambda cell: (cell.application, cell.rate > 0, cell.setting, cell.rate))
    unusable = [cell for cell in found if cell.why_unusable is not None]
    superseded = [cell for cell in found if cell.why_unusable is None and cell not in usable]
    return Cells(tuple(usable), tuple(unusable), tuple(superseded))


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(path, None, "there is no such file or folder")
        inside = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
        if not inside:
            raise InputError(path, None, "there is no results file (*.jsonl) in this folder")
        found += inside
    return list(dict.fromkeys(found))
