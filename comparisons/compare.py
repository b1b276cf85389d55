"""`alto-lg compare`: the same requests through every arm, and the table that says what that gave.

Always true: everything that can be refused is refused before a request is run; no speed is printed for arms
that gave different answers.
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

from alto_lg.apps.base import Application, InputError, Request
from alto_lg.comparisons.applications import APPLICATIONS, is_sync, load_application, load_requests
from alto_lg.comparisons.arms import Arm, NotRun, arms_of, choose_arms, installed, reference_of
from alto_lg.comparisons.endpoint import Server, checked_base_url, own_server, simulated_server
from alto_lg.comparisons.errors import ComparisonError, ServerError, UsageError, WorkerError
from alto_lg.comparisons.load import spread
from alto_lg.comparisons.machine import machine, versions
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.processes import Task
from alto_lg.comparisons.results import ResultsFile
from alto_lg.comparisons.sim.profiles import PROFILES
from alto_lg.comparisons.summary import ArmSummary, UnequalAnswers, disagreeing_peers, summarise
from alto_lg.comparisons.table import (
    TEXT_WIDTH,
    comparison_table,
    method_text,
    not_run_text,
    output_console,
    refusal_text,
    score_line,
)
from alto_lg.comparisons.turns import Schedule, take_turns, workers

# Six arms of about 4 s a request, with what is done between: with start-up and warm-up, about 4 minutes.
_REQUESTS_ALONE = 10
# Under load the length of the trace decides: 35 s in each of six arms are about 4 minutes as well.
_TRACE_S = 35.0
# A block must be long beside one request, or most of it is an idle server filling up.
_BLOCK_S = 20.0
_REQUESTS_MIN = 20

UNEQUAL, REFUSED, INTERRUPTED = 1, 2, 130


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be run: the command line, checked, with its inputs loaded.

    missing: arms that were asked for and whose engine is not installed.
    """

    options: argparse.Namespace
    application: Application
    requests: Sequence[Request]
    arms: tuple[Arm, ...]
    missing: tuple[NotRun, ...]
    schedule: Schedule
    output: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    known = ", ".join(APPLICATIONS)
    add = parser.add_argument
    add("--app", default="factool", help=f"{known}, or your own package.module:ATTRIBUTE (default factool)")
    add("--arms", help="comma-separated, such as langgraph-flat,alto-flat (default: all that tell something new)")
    add("--requests", type=int, help="how many (default: an evenly spaced choice, about 4 minutes in all)")
    add("--warmup", type=int, default=1, help="requests per arm that are not counted (default 1)")
    add("--profile", default="h100-8b", help="latency profile of the simulated server (default h100-8b)")
    add("--slots", type=int, help="sequences that the simulated server runs at once (default: the profile's)")
    add("--seed", type=int, default=0, help="of arrivals, jitter and resampling (default 0)")
    add("--rate", type=float, default=0.0, help="Poisson arrivals a second; 0: one at a time (default 0)")
    add("--base-url", help="an OpenAI-compatible server in place of the simulated one; key: OPENAI_API_KEY")
    add("--model", help="the model to ask that server for (default: the only one it serves)")
    add("--corpus", type=Path, help="passages of your own")
    add("--questions", type=Path, help="requests of your own")
    add("--items", type=int, help="items of each request, such as 30 claims an answer (default: as they are)")
    add("--sync", action="store_true", help="run the graphs by `stream` in a thread, not by `astream`")
    add("--timeout", type=float, default=300.0, help="seconds after which a request has failed (default 300)")
    add("--output", type=Path, help="JSON lines (default results/compare-APP-SERVER-TIME.jsonl)")


def run(options: argparse.Namespace) -> int:
    """0 with a table; 1 when an arm failed or answers differ; 2 when nothing could be started; 130 on Ctrl-C."""
    try:
        return _compare(make_plan(options))
    except KeyboardInterrupt:
        print("alto-lg compare: interrupted; the requests measured so far are in the results file.", file=sys.stderr)
        return INTERRUPTED
    except (ComparisonError, InputError) as refused:
        print(f"alto-lg compare: {refused}", file=sys.stderr)
        return UNEQUAL if isinstance(refused, WorkerError) else REFUSED


def make_plan(options: argparse.Namespace) -> Plan:
    """Check everything that can be checked without a server; `UsageError` or `InputError`."""
    _check_numbers(options)
    _check_server_options(options)
    for path in (options.corpus, options.questions):
        if path is not None and not path.exists():
            raise InputError(path, None, "there is no such file or folder")
    application = load_application(options.app)
    if options.sync and not is_sync(application):
        raise UsageError(f"--sync: the nodes of {options.app} are async functions alone; leave --sync out.")
    arms, missing = installed(choose_arms(options.arms, arms_of(application)))
    requests = load_requests(application, options.corpus, options.questions, options.items)
    wanted = options.requests or _default_requests(options.rate, len(requests))
    schedule = Schedule(
        indices=spread(len(requests), wanted),
        rate=options.rate,
        block=max(_REQUESTS_MIN, round(options.rate * _BLOCK_S)),
        warm_up=options.warmup,
        seed=options.seed,
    )
    return Plan(options, application, requests, arms, missing, schedule, options.output or _default_output(options))


def _check_numbers(options: argparse.Namespace) -> None:
    if options.sync and options.rate:
        raise UsageError("--sync runs one request at a time: leave out --rate or --sync.")
    least = {"requests": 1, "warmup": 0, "slots": 1, "items": 1, "seed": 0, "rate": 0}
    for name, bound in least.items():
        value = getattr(options, name)
        if value is not None and not bound <= value < float("inf"):
            raise UsageError(f"--{name} {value} is out of range: give a finite number of at least {bound}.")
    if not 0 < options.timeout < float("inf"):
        raise UsageError(f"--timeout {options.timeout} is out of range: give a number of seconds above 0.")


def _check_server_options(options: argparse.Namespace) -> None:
    if options.base_url is not None:
        checked_base_url(options.base_url)
        return
    if options.model is not None:
        raise UsageError("--model names a model of your own server: give its address with --base-url.")
    if options.profile not in PROFILES:
        raise UsageError(f"--profile {options.profile!r} is not known: choose from {', '.join(PROFILES)}.")


def _default_requests(rate: float, available: int) -> int:
    if rate == 0:
        return min(_REQUESTS_ALONE, available)
    return max(_REQUESTS_MIN, round(rate * _TRACE_S))


def _default_output(options: argparse.Namespace) -> Path:
    server = "own" if options.base_url else options.profile
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    app = options.app.rpartition(":")[2].lower()
    return Path("results") / f"compare-{app}-{server}-{now}.jsonl"


def _open_server(options: argparse.Namespace) -> AbstractContextManager[Server]:
    if options.base_url is not None:
        return own_server(options.base_url, options.model)
    return simulated_server(options.profile, options.slots, options.seed)


def _compare(plan: Plan) -> int:
    with _open_server(plan.options) as server, _open_results(plan.output) as results:
        results.header(header_fields(plan, server))
        for one in plan.missing:
            results.not_run(one)
        measured, failed = _run_arms(plan, server, results)
        arms, not_run = _settle(plan, measured, failed, results)
        try:
            summaries = summarise(arms, measured, seed=plan.options.seed)
        except UnequalAnswers as unequal:
            found = [asdict(difference) for difference in unequal.differences]
            results.summary({"equal": False, "differences": found})
            print(refusal_text(unequal.differences))
            return UNEQUAL
        scores = _scores(plan, measured[reference_of(arms).name])
        results.summary({"equal": True, "arms": [one.fields() for one in summaries], "scores": scores})
        _print(plan, server, summaries, scores, not_run)
        return 0


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
        "items": options.items,
        "sync": options.sync,
        "profile": options.profile if simulated else None,
        "slots": options.slots,
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
        options.app, server.endpoint, options.corpus, options.questions, options.timeout, options.items, options.sync
    )
    measured: dict[str, list[Measurement]] = {arm.name: [] for arm in plan.arms}
    failed: list[NotRun] = []
    with _progress() as progress, workers(plan.arms, task) as (started, unbuilt):
        bar = progress.add_task("requests", total=len(started) * len(plan.schedule.indices))
        for one in chain(unbuilt, take_turns(started, plan.schedule, server.meter)):
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


def _print(
    plan: Plan,
    server: Server,
    summaries: Sequence[ArmSummary],
    scores: dict[str, float],
    not_run: Sequence[NotRun],
) -> None:
    console = output_console()
    count = len(plan.schedule.indices)
    console.print(comparison_table(summaries, f"{plan.options.app}, {count} requests"))
    if not_run:
        console.print(not_run_text(not_run), width=TEXT_WIDTH, markup=False)
    console.print(score_line(scores), width=TEXT_WIDTH)
    schedule = plan.schedule
    console.print(
        method_text(
            requests=count,
            rate=schedule.rate,
            warm_up=schedule.warm_up,
            server=server.description,
            block=schedule.block,
        ),
        width=TEXT_WIDTH,
    )
    console.print(f"Every request: {plan.output}")
