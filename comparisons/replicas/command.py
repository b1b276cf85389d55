"""`alto-lg simulate`: arms of an application over many servers, by discrete events, from recorded requests.

Always true: everything that can be refused is refused before anything is recorded or simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from alto_lg.apps.base import Application, InputError
from alto_lg.comparisons.applications import load_application, load_requests
from alto_lg.comparisons.arms import Arm, choose_arms
from alto_lg.comparisons.errors import ComparisonError, UsageError
from alto_lg.comparisons.load import spread
from alto_lg.comparisons.provenance import source_digest
from alto_lg.comparisons.replicas.arms import replica_arms
from alto_lg.comparisons.replicas.check import OFF_BY_FLAGGED, Checked, check, runs_of
from alto_lg.comparisons.replicas.graphs_file import kept_graphs
from alto_lg.comparisons.replicas.pools import RULES
from alto_lg.comparisons.replicas.recording import RUNS, record
from alto_lg.comparisons.replicas.simulation import Fleet
from alto_lg.comparisons.replicas.sweep import Load, Point, Side, point, rate_at_target
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.profiles import PROFILES
from alto_lg.comparisons.table import number, output_console
from alto_lg.comparisons.target import TARGET_S

REFUSED, INTERRUPTED = 2, 130
_TARGET_PERCENT = 90.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("--app", default="factool", help="as of `alto-lg compare` (default factool)")
    add("--arms", help="comma-separated, as of `alto-lg compare --replicas` (default: all)")
    add("--replicas", default="4", help="comma-separated numbers of servers (default 4)")
    add("--rates", default="1", help="comma-separated requests a second for each server (default 1)")
    add("--repeated", action="store_true", help="requests come again and are found in caches (default: each is new)")
    add("--requests", type=int, default=400, help="at least so many at each point (default 400)")
    add("--seconds", type=float, default=40.0, help="and at least so long (default 40)")
    add("--distinct", type=int, default=20, help="requests that are recorded and then replayed (default 20)")
    add("--profile", default="h100-8b", help="latency profile of the servers (default h100-8b)")
    add("--slots", type=int, help="sequences that each runs at once (default: the profile's)")
    add("--cache-blocks", type=int, help="prefix cache of each, in blocks of 16 tokens (default: the profile's)")
    add("--items", type=int, help="items of each request, such as 30 claims an answer (default: as they are)")
    add("--seed", type=int, default=0, help="of texts, jitter, arrivals and draws (default 0)")
    add("--at-target", action="store_true", help="find the rate at which p90 reaches the target, too")
    add("--target", type=float, default=TARGET_S, help=f"latency target in seconds (default {TARGET_S:g})")
    add(
        "--check", type=Path, help="folder of `alto-lg compare --replicas`: simulate those runs and compare the figures"
    )
    add("--graphs", type=Path, default=Path("results") / "call-graphs", help="folder of recorded requests")
    add("--output", type=Path, help="JSON lines (default results/simulate-APP.jsonl)")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The command line, checked."""

    application: Application
    arms: tuple[Arm, ...]
    replicas: tuple[int, ...]
    rates: tuple[float, ...]
    load: Load
    fleet: Fleet


def run(options: argparse.Namespace) -> int:
    """0 with a table; 1 when a check failed; 2 when something is refused; 130 on Ctrl-C."""
    try:
        asked = _checked(options)
        if options.check is not None:
            return _check(asked, options)
        sides = [_side(asked.application, arm, options) for arm in asked.arms]
        _simulate(sides, asked, options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ComparisonError, InputError) as refused:
        print(f"alto-lg simulate: {refused}", file=sys.stderr)
        return REFUSED
    return 0


def _checked(options: argparse.Namespace) -> _Asked:
    least = {"requests": 4, "distinct": 1, "slots": 1, "cache_blocks": 0, "items": 1, "seed": 0, "seconds": 0}
    for name, bound in least.items():
        value = getattr(options, name)
        if value is not None and not bound <= value < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} {value} is out of range: give at least {bound}.")
    if options.profile not in PROFILES:
        raise UsageError(f"--profile {options.profile!r} is not known: choose from {', '.join(PROFILES)}.")
    if not 0 < options.target < float("inf"):
        raise UsageError(f"--target {options.target} is out of range: give seconds above 0.")
    application = load_application(options.app)
    return _Asked(
        application,
        choose_arms(options.arms, replica_arms(application)),
        tuple(int(one) for one in _numbers("replicas", options.replicas, whole=True)),
        _numbers("rates", options.rates, whole=False),
        Load(not options.repeated, options.requests, options.seconds, options.seed),
        Fleet(1, options.profile, options.slots, options.cache_blocks),
    )


def _numbers(name: str, text: str, *, whole: bool) -> tuple[float, ...]:
    try:
        found = tuple(int(word) if whole else float(word) for word in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < one < float("inf") for one in found):
        raise UsageError(f"--{name} {text!r}: give {'whole ' if whole else ''}numbers above 0, separated by commas.")
    return found


def _side(application: Application, arm: Arm, options: argparse.Namespace, places: Sequence[int] = ()) -> Side:
    """The arm's recorded requests. Arms that differ in their pool alone make the same calls, and share a recording.

    places: which of the workload; none for as many as are asked for.
    """
    requests = load_requests(application, None, None, options.items)
    chosen = [requests[at] for at in places or spread(len(requests), min(options.distinct, len(requests)))]
    maker = replace(arm, name=f"{arm.engine}-{arm.version}".strip("-"), pool=None)
    sampling = SimOptions(profile=options.profile, seed=options.seed)
    settings = {
        "application": options.app,
        "engine": arm.engine,
        "version": arm.version,
        "requests": [request.id for request in chosen],
        "items": options.items,
        "profile": options.profile,
        "seed": options.seed,
        "runs": RUNS,
        "source": source_digest(),
    }
    app = options.app.rpartition(":")[2].lower()
    path = options.graphs / f"{app}-{maker.name}-{options.profile}.json"
    graphs = kept_graphs(path, settings, lambda: record(application, maker, chosen, sampling))
    assert arm.pool is not None, "arms over several servers have a pool"
    return Side(arm.name, graphs, RULES[arm.pool])


def _simulate(sides: Sequence[Side], asked: _Asked, options: argparse.Namespace) -> None:
    app = options.app.rpartition(":")[2].lower()
    output = options.output or Path("results") / f"simulate-{app}.jsonl"
    output.parent.mkdir(parents=True, exist_ok=True)
    console = output_console()
    with output.open("w", encoding="utf-8") as file:

        def write(kind: str, fields: dict[str, Any]) -> None:
            file.write(json.dumps({"kind": kind, **fields}) + "\n")
            file.flush()

        write("header", _header(options))
        points = []
        for replicas in asked.replicas:
            fleet = replace(asked.fleet, replicas=replicas)
            for rate in asked.rates:
                for side in sides:
                    points.append(point(side, fleet, rate * replicas, asked.load))
                    write("point", points[-1].fields())
        console.print(_table(points, f"{options.app}, {options.profile}, simulated"))
        if options.at_target:
            console.print(_targets(sides, asked, options, write))
    console.print(f"Every point: {output}")


def _check(asked: _Asked, options: argparse.Namespace) -> int:
    """0 when every figure is within a tenth of the measured one."""
    runs = runs_of(options.check)
    available = len(load_requests(asked.application, None, None, options.items))
    asked_for = {at for run in runs for at in spread(available, int(run.header["requests"]))}
    found: list[Checked] = []
    for arm in asked.arms:
        if arm.name in runs[0].header["arms"]:
            side = _side(asked.application, arm, options, sorted(asked_for))
            found += [one for run in runs for one in check(run, side, available)]
    table = Table(title="Simulated beside measured", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("arm", "requests/s", "figure", "measured", "simulated", "off by (%)"):
        table.add_column(name, justify="left" if name in ("arm", "figure") else "right")
    for one in found:
        mark = "! " if abs(one.off_by) > OFF_BY_FLAGGED else ""
        off_by = f"{mark}{100 * one.off_by:+.1f}"
        table.add_row(one.arm, f"{one.rate:g}", one.figure, number(one.measured), number(one.simulated), off_by)
    output_console().print(table)
    return 1 if any(abs(one.off_by) > OFF_BY_FLAGGED for one in found) else 0


def _header(options: argparse.Namespace) -> dict[str, Any]:
    names = ("app", "profile", "slots", "cache_blocks", "items", "repeated", "distinct", "seed", "target")
    return {name: getattr(options, name) for name in names} | {"source": source_digest()}


def _table(points: Sequence[Point], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("servers", "requests/s", "arm"):
        table.add_column(name, no_wrap=True)
    for name in ("p50 (s)", "p90 (s)", "p99 (s)", "cached (%)", "imbalance", "of slot-s", "slots (%)", "calls/s"):
        table.add_column(name, justify="right")
    for one in points:
        told = one.fields()
        table.add_row(
            str(one.replicas),
            f"{one.rate:g}",
            one.arm,
            *(number(seconds) for seconds in one.latencies_s.values()),
            number(100 * told["hit_rate"], digits=1),
            number(told["imbalance"]),
            number(told["slot_imbalance"]),
            number(100 * told["slot_share"], digits=1),
            number(told["calls_a_second"], digits=0),
        )
    return table


def _targets(sides: Sequence[Side], asked: _Asked, options: argparse.Namespace, write: Any) -> Table:
    title = f"Requests a second at which the 90th percentile reaches {options.target:g} s"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("servers", "arm", "requests/s", "to the first"):
        table.add_column(name, justify="right" if name not in ("servers", "arm") else "left")
    for replicas in asked.replicas:
        fleet = replace(asked.fleet, replicas=replicas)
        most = _saturation(sides[0], fleet)
        found = [rate_at_target(side, fleet, asked.load, options.target, _TARGET_PERCENT, most=most) for side in sides]
        for side, one in zip(sides, found, strict=True):
            told = {"replicas": replicas, "target_s": options.target, "rate": one.rate, "at_least": one.at_least}
            write("target", {"arm": side.name, **told})
            is_known = found[0].rate > 0 and not (one.at_least or found[0].at_least)
            ratio = one.rate / found[0].rate if is_known else None
            table.add_row(str(replicas), side.name, f"{'≥ ' if one.at_least else ''}{number(one.rate)}", number(ratio))
    return table


def _saturation(side: Side, fleet: Fleet) -> float:
    """More requests a second than the servers can bear: by their tokens, with no prefill."""
    profile = fleet.server_profile
    slots = fleet.slots or profile.slots
    tokens = sum(graph.completion_tokens for graph in side.graphs) / len(side.graphs)
    best = max(running / profile.multiplier(running, slots) for running in range(1, slots + 1))
    return fleet.replicas * best / (tokens * profile.inter_token_s)
