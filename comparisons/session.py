"""Runs one plan: starts the server and the arms, writes every request down, and settles what may be printed.

Always true: no speed is told of arms that gave different answers; a file has a summary only when its run is whole.
"""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alto_lg.comparisons.answers import Difference
from alto_lg.comparisons.arms import Arm, NotRun, reference_of
from alto_lg.comparisons.endpoint import Server, inner_servers, own_server, simulated_server
from alto_lg.comparisons.errors import ServerError, UsageError
from alto_lg.comparisons.machine import machine, versions
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.plan import Plan
from alto_lg.comparisons.processes import Task
from alto_lg.comparisons.results import ResultsFile
from alto_lg.comparisons.sim.batching import QueueOrder
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.summary import ArmSummary, UnequalAnswers, disagreeing_peers, summarise
from alto_lg.comparisons.table import not_run_text
from alto_lg.comparisons.turns import take_turns, workers


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave. differences: empty, or else there are no summaries."""

    server: str
    summaries: tuple[ArmSummary, ...]
    scores: Mapping[str, float]
    not_run: tuple[NotRun, ...]
    differences: tuple[Difference, ...] = ()


def run_plan(plan: Plan, more: Mapping[str, Any] | None = None) -> Outcome:
    """Run it and write its file; `more` is for the file's header."""
    with _open_server(plan) as server, _open_results(plan.output) as results:
        results.header(header_fields(plan, server) | dict(more or {}))
        for one in plan.missing:
            results.not_run(one)
        measured, failed = _run_arms(plan, server, results)
        arms, not_run = _settle(plan, measured, failed, results)
        try:
            summaries = summarise(arms, measured, seed=plan.options.seed)
        except UnequalAnswers as unequal:
            results.summary({"equal": False, "differences": [asdict(one) for one in unequal.differences]})
            return Outcome(server.description, (), {}, not_run, unequal.differences)
        scores = _scores(plan, measured[reference_of(arms).name])
        results.summary({"equal": True, "arms": [one.fields() for one in summaries], "scores": scores})
        return Outcome(server.description, summaries, scores, not_run)


def _open_server(plan: Plan) -> AbstractContextManager[Server]:
    options = plan.options
    if options.base_url is not None:
        return own_server(options.base_url, options.model)
    if options.clock == "virtual":
        return inner_servers(_simulated_options(options), options.replicas or 1)
    return simulated_server(options.profile, options.slots, options.seed)


def _simulated_options(options: argparse.Namespace) -> SimOptions:
    """Replicas take priorities; who sends none is served in the order of arrival by either queue."""
    order: QueueOrder = "fifo" if options.replicas is None else "priority"
    return SimOptions(
        profile=options.profile,
        slots=options.slots,
        seed=options.seed,
        order=order,
        cache_blocks=options.cache_blocks,
    )


def _settle(
    plan: Plan, measured: Mapping[str, Sequence[Measurement]], failed: Sequence[NotRun], results: ResultsFile
) -> tuple[tuple[Arm, ...], tuple[NotRun, ...]]:
    """The arms that have figures, and why the others have none."""
    failing = {one.arm for one in failed}
    ran = tuple(arm for arm in plan.arms if arm.name not in failing)
    if not ran:
        raise ServerError(not_run_text(failed))
    disagreeing = disagreeing_peers(ran, measured)
    for one in disagreeing:
        results.not_run(one)
    out = {one.arm for one in disagreeing}
    return tuple(arm for arm in ran if arm.name not in out), (*plan.missing, *failed, *disagreeing)


def _open_results(path: Path) -> ResultsFile:
    try:
        return ResultsFile(path)
    except OSError as error:
        raise UsageError(f"--output {path}: cannot be written ({error.strerror}).") from error


def header_fields(plan: Plan, server: Server) -> dict[str, Any]:
    """What somebody needs to run the same comparison again."""
    options = plan.options
    simulated = options.base_url is None
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["alto-lg", *sys.argv[1:]]),
        "versions": versions(),
        "machine": machine(),
        "application": options.app,
        "arms": [arm.name for arm in plan.arms],
        "engines": {arm.name: arm.engine for arm in plan.arms},
        "peers": {name: version for arm in plan.arms if arm.peer for name, version in arm.peer.versions().items()},
        "requests": len(plan.schedule.indices),
        "warm_up": plan.schedule.warm_up,
        "rate": plan.schedule.rate,
        "block": plan.schedule.block,
        "lead_in": plan.schedule.lead_in,
        "items": options.items,
        "sync": options.sync,
        "clock": options.clock,
        "profile": options.profile if simulated else None,
        "slots": options.slots,
        "replicas": options.replicas,
        "cache_blocks": options.cache_blocks,
        "seed": options.seed,
        "model": server.endpoint.model,
        "base_url": None if simulated else server.endpoint.base_url,
    }


def _run_arms(
    plan: Plan, server: Server, results: ResultsFile
) -> tuple[dict[str, list[Measurement]], tuple[NotRun, ...]]:
    """The measurements of every arm, and the arms that could not be measured."""
    options = plan.options
    task = Task(
        options.app,
        server.endpoint,
        options.corpus,
        options.questions,
        options.timeout,
        options.items,
        options.sync,
        server.inside,
        server.replicas,
    )
    measured: dict[str, list[Measurement]] = {arm.name: [] for arm in plan.arms}
    failed: list[NotRun] = []
    with _progress() as progress, workers(plan.arms, task) as (started, unbuilt):
        turns = take_turns(started, plan.schedule, server.meter, at_once=server.inside is not None)
        bar = progress.add_task("requests", total=len(started) * len(plan.schedule.indices))
        for one in chain(unbuilt, turns):
            if isinstance(one, NotRun):
                results.not_run(one)
                failed.append(one)
                continue
            results.measurement(one)
            measured[one.arm].append(one)
            progress.advance(bar)
    return measured, tuple(failed)


def _progress() -> Progress:
    """On standard error, and only where somebody is watching."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Drawn seldom, because the drawing competes with the arms for the processor.
    return Progress(*columns, console=console, transient=True, refresh_per_second=2, disable=not console.is_terminal)


def _scores(plan: Plan, measured: Sequence[Measurement]) -> dict[str, float]:
    asked = [plan.requests[index] for index in plan.schedule.indices]
    return dict(plan.application.score(asked, [one.answer for one in measured]))
