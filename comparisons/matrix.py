"""Runs the cells of a comparison one after the other, each into a file of its own, and goes on where it was stopped.

Always true: a cell whose file is whole is not run again; one whose file is half is begun anew; and a file that was made
with other settings, another version or another machine is neither taken nor overwritten, unless that is asked for.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from alto_lg.apps.base import InputError
from alto_lg.comparisons.cells import (
    FULL_APPLICATIONS,
    FULL_LOADS,
    FULL_SLOTS,
    Cell,
    Known,
    cells_of,
    chosen_cells,
    estimated_s,
    fitted_requests,
    known_by,
    nominal,
    worked_s,
)
from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.errors import UsageError, WorkerError
from alto_lg.comparisons.loads import ALONE, Load, lists_shares, loads_of
from alto_lg.comparisons.machine import usable_cpus
from alto_lg.comparisons.overview import cells_table, target_rows, targets_table
from alto_lg.comparisons.plan import Plan, make_plan
from alto_lg.comparisons.provenance import changed, settings_of
from alto_lg.comparisons.results import Results, read_results
from alto_lg.comparisons.saturation import OFF_BY_FLAGGED, Saturation, off_by, saturation_of
from alto_lg.comparisons.session import Outcome, run_plan
from alto_lg.comparisons.sim.profiles import PROFILES
from alto_lg.comparisons.table import TEXT_WIDTH, output_console, refusal_text

FULL_FOLDER = Path("results") / "full"
TARGETS_FILE = "targets.json"


@dataclass(frozen=True, slots=True)
class Work:
    """One cell, its plan with a rate of 0 where the rate follows from a measurement, and its file if that is whole."""

    cell: Cell
    plan: Plan
    whole: Results | None

    @property
    def arms(self) -> int:
        return len(self.plan.arms)


def run(options: argparse.Namespace) -> int:
    """0 when every cell is whole, 1 when an arm failed or answers differ in one of them."""
    cells = wanted_cells(options)
    folder = options.output or _default_folder(options)
    work = [_work(cell, options, folder, requests) for cell, requests in _requests(cells, options, folder).items()]
    if options.dry_run:
        _list(work, options)
        return 0
    return _run_all(work, options, folder)


def wanted_cells(options: argparse.Namespace) -> tuple[Cell, ...]:
    """Which cells the command line asks for, the most telling first."""
    for name in ("minutes", "target", "target_factor"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} {value} is out of range: give a finite number above 0.")
    if options.full and options.base_url:
        raise UsageError("--full starts servers of its own: leave out --base-url, or give --apps and --rates instead.")
    applications = _words(options.apps) if options.apps else FULL_APPLICATIONS if options.full else (options.app,)
    loads: Sequence[Load] = FULL_LOADS if options.full else (ALONE,)
    if options.rates:
        loads = loads_of(options.rates)
    elif options.rate:
        loads = (Load(rate=options.rate),)
    if options.base_url:
        if lists_shares(loads):
            raise UsageError("--rates: what a server of your own can bear is not known: give requests a second.")
        profiles: Sequence[str | None] = (None,)
    else:
        profiles = tuple(PROFILES) if options.full else (options.profile,)
    slots = FULL_SLOTS if options.full else (options.slots,)
    return chosen_cells(cells_of(applications, profiles, slots, loads), options.cells)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _default_folder(options: argparse.Namespace) -> Path:
    if options.full:
        return FULL_FOLDER if options.clock == "real" else FULL_FOLDER.with_name(f"{FULL_FOLDER.name}-{options.clock}")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path("results") / f"compare-{now}"


def _requests(cells: Sequence[Cell], options: argparse.Namespace, folder: Path) -> dict[Cell, int | None]:
    """How many requests each cell has; None for what is usual under its load."""
    if options.minutes is None:
        return dict.fromkeys(cells, options.requests)
    if options.clock != "real":
        raise UsageError("--minutes counts real time, which a virtual clock skips: give --requests instead.")
    if any(not cell.load.is_alone for cell in cells) or options.requests is not None:
        raise UsageError("--minutes chooses how many requests run one at a time: leave out --rates and --requests.")
    arms = {cell: len(plan_of(cell, options, folder, rate=0.0).arms) for cell in cells}
    return dict(fitted_requests(arms, 60 * options.minutes, options.warmup))


def _work(cell: Cell, options: argparse.Namespace, folder: Path, requests: int | None) -> Work:
    own = argparse.Namespace(**{**vars(options), "requests": requests})
    plan = plan_of(cell, own, folder, rate=cell.load.rate or 0.0)
    return Work(cell, plan, _whole(plan, again=options.again))


def plan_of(cell: Cell, options: argparse.Namespace, folder: Path, *, rate: float) -> Plan:
    """The plan of one cell."""
    given = {
        "app": cell.application,
        "profile": cell.profile or options.profile,
        "slots": cell.slots,
        "rate": rate,
        "load": str(cell.load),
        "output": folder / f"{cell.name}.jsonl",
    }
    return make_plan(argparse.Namespace(**{**vars(options), **given}))


def _whole(plan: Plan, *, again: bool) -> Results | None:
    """The cell's file, if it is whole and was made just so."""
    try:
        found = _read(plan.output)
    except (OSError, InputError):
        # Not there, or broken off within a line: begun anew.
        return None
    if found.summary is None or not found.summary["equal"]:
        return None
    differences = changed(found.header.get("settings", {}), json.loads(json.dumps(settings_of(plan))))
    if not differences:
        return found
    if again:
        return None
    raise UsageError(
        f"{plan.output} was made otherwise: {'; '.join(differences)}. Give another --output, or --again to run such "
        "cells again and overwrite them."
    )


def _read(path: Path) -> Results:
    """Without what the tables do not need: the spans of a whole matrix are more than memory is for."""
    found = read_results(path)
    return replace(found, measurements=tuple(replace(one, spans=(), answer=None) for one in found.measurements))


class _Measured:
    """What the whole files say, for the cells that build on them."""

    def __init__(self, done: dict[Cell, Results]) -> None:
        self._done = done

    def saturation(self, cell: Cell) -> Saturation | None:
        """What the server of a cell can bear; None where it is not measured, or not the simulated one."""
        results = self._done.get(cell.alone)
        if results is None or cell.profile is None:
            return None
        assert results.summary is not None
        arms = results.summary["arms"]
        # The server's work is the first arm's; the processor must serve the arm that needs most of it.
        use, cpu_s = ServerUse(**arms[0]["server"]), max(arm["cpu_s"] or 0.0 for arm in arms)
        return saturation_of(use, cpu_s, PROFILES[cell.profile])

    def known(self, cell: Cell) -> Known:
        """What an estimate goes by."""
        results = self._done.get(cell.alone)
        if results is None:
            return nominal(cell)
        assert results.summary is not None
        medians = [arm["latency_s"]["value"] for arm in results.summary["arms"]]
        return known_by(sum(medians) / len(medians), self.saturation(cell), nominal(cell))


def _left_s(work: Sequence[Work], measured: _Measured) -> float:
    return sum(_estimate_s(one, measured) for one in work if one.whole is None)


def _estimate_s(one: Work, measured: _Measured) -> float:
    options, known = one.plan.options, measured.known(one.cell)
    if options.clock == "virtual":
        return worked_s(one.cell, one.arms, known, options.requests, options.warmup, options.blocks, cpus=usable_cpus())
    return estimated_s(one.cell, one.arms, known, options.requests, options.warmup, options.blocks)


def _list(work: Sequence[Work], options: argparse.Namespace) -> None:
    measured = _Measured(_done(work))
    console = output_console()
    for number, one in enumerate(work, start=1):
        state = "whole" if one.whole else _minutes(_estimate_s(one, measured))
        console.print(f"{number:>4}  {state:>8}  {one.cell}", soft_wrap=True)
    left = sum(one.whole is None for one in work)
    console.print(f"{left} of {len(work)} cells to run, about {_minutes(_left_s(work, measured))}.")


def _done(work: Sequence[Work]) -> dict[Cell, Results]:
    return {one.cell: one.whole for one in work if one.whole is not None}


def _minutes(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _run_all(work: list[Work], options: argparse.Namespace, folder: Path) -> int:
    console, failed = output_console(), list[str]()
    for place, one in enumerate(work):
        if one.whole is not None:
            continue
        measured = _Measured(_done(work))
        here, left = _estimate_s(one, measured), _left_s(work, measured)
        console.print(
            f"{place + 1} of {len(work)}: {one.cell}; about {_minutes(here)}, all that is left {_minutes(left)}.",
            soft_wrap=True,
        )
        try:
            work[place] = replace(one, whole=_run_cell(one, options, folder, measured))
        except WorkerError as error:
            console.print(str(error), soft_wrap=True, markup=False)
        if work[place].whole is None:
            failed.append(one.cell.name)
    _print(work, options, folder)
    if failed:
        console.print(f"Without figures: {', '.join(failed)}.", soft_wrap=True)
    return 1 if failed else 0


def _run_cell(one: Work, options: argparse.Namespace, folder: Path, measured: _Measured) -> Results | None:
    """Its file, or None when its arms disagreed or its rate is not known."""
    plan, saturation = one.plan, measured.saturation(one.cell)
    if one.cell.load.share is not None:
        if saturation is None:
            print(f"{one.cell}: saturation is not known, because the cell that is one at a time has no figures.")
            return None
        own = argparse.Namespace(**{**vars(options), "requests": plan.options.requests})
        plan = plan_of(one.cell, own, folder, rate=one.cell.load.rate_at(saturation.rate))
    more: dict[str, Any] = {
        "settings": settings_of(plan),
        "load": str(one.cell.load),
        "saturation": None if saturation is None else asdict(saturation),
    }
    outcome = run_plan(plan, more)
    if outcome.differences:
        print(refusal_text(outcome.differences))
        return None
    if saturation is not None and not one.cell.load.is_alone:
        _check_saturation(one.cell, saturation, outcome)
    return _read(plan.output)


def _check_saturation(cell: Cell, saturation: Saturation, outcome: Outcome) -> None:
    """The tokens say how long slots are taken; the server's own clock says it, too."""
    use = outcome.summaries[0].server
    assert use is not None and cell.profile is not None
    off = off_by(use, PROFILES[cell.profile])
    mark = "! " if abs(off) > OFF_BY_FLAGGED else ""
    output_console().print(
        f"Saturation: {saturation}. {mark}{use.slot_s:.2f} slot-seconds a request by the server's clock, "
        f"{100 * off:+.1f} % of what its tokens explain.",
        width=TEXT_WIDTH,
    )


def _print(work: Sequence[Work], options: argparse.Namespace, folder: Path) -> None:
    done, console = _done(work), output_console()
    if not done:
        return
    for application in dict.fromkeys(cell.application for cell in done):
        of_one = {cell: results for cell, results in done.items() if cell.application == application}
        console.print(cells_table(of_one, application))
    rows = target_rows(done, least_s=options.target, factor=options.target_factor, seed=options.seed)
    if rows:
        console.print(targets_table(rows))
        told = [row.fields() for row in rows]
        (folder / TARGETS_FILE).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    console.print("Ratios are to the first arm of a cell. How it is measured: docs/comparison.md.", width=TEXT_WIDTH)
    console.print(f"Every request: {folder}")
