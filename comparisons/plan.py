"""What one comparison is going to run: the command line, checked, with its inputs loaded.

Always true: everything that can be refused is refused here, before a server or an arm is started.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from alto_lg.apps.base import Application, InputError, Request
from alto_lg.comparisons.applications import is_sync, load_application, load_requests
from alto_lg.comparisons.arms import Arm, NotRun, arms_of, choose_arms, installed
from alto_lg.comparisons.endpoint import checked_base_url
from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.load import spread, trace_shape
from alto_lg.comparisons.replicas.arms import replica_arms
from alto_lg.comparisons.sim.profiles import PROFILES
from alto_lg.comparisons.turns import Schedule

# Six arms of about 4 s a request, with what is done between: with start-up and warm-up, about 4 minutes.
REQUESTS_ALONE = 10

Clock = Literal["real", "virtual"]
CLOCKS: tuple[Clock, ...] = get_args(Clock)
"""Virtual: every arm has a server and an event loop to itself, and waiting takes no time; see `virtual_time.py`."""


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
    available = arms_of(application) if options.replicas is None else replica_arms(application)
    arms, missing = installed(choose_arms(options.arms, available))
    requests = load_requests(application, options.corpus, options.questions, options.items)
    schedule = schedule_of(options, len(requests))
    return Plan(options, application, requests, arms, missing, schedule, options.output or _default_output(options))


def schedule_of(options: argparse.Namespace, available: int) -> Schedule:
    """Which requests are run, and how they arrive."""
    if options.rate == 0:
        count = options.requests or min(REQUESTS_ALONE, available)
        return Schedule(spread(available, count), 0.0, count, options.warmup, options.seed)
    shape = trace_shape(options.rate, options.requests, options.blocks)
    return Schedule(
        indices=spread(available, shape.requests),
        rate=options.rate,
        block=shape.block,
        warm_up=options.warmup,
        seed=options.seed,
        lead_in=shape.lead_in,
    )


def _check_numbers(options: argparse.Namespace) -> None:
    if options.sync and options.rate:
        raise UsageError("--sync runs one request at a time: leave out --rate or --sync.")
    least = {
        "requests": 1,
        "warmup": 0,
        "slots": 1,
        "items": 1,
        "seed": 0,
        "rate": 0,
        "blocks": 1,
        "replicas": 1,
        "cache_blocks": 0,
    }
    for name, bound in least.items():
        value = getattr(options, name)
        if value is not None and not bound <= value < float("inf"):
            raise UsageError(
                f"--{name.replace('_', '-')} {value} is out of range: give a finite number of at least {bound}."
            )
    if not 0 < options.timeout < float("inf"):
        raise UsageError(f"--timeout {options.timeout} is out of range: give a number of seconds above 0.")


def _check_server_options(options: argparse.Namespace) -> None:
    if options.clock == "real" and (options.replicas is not None or options.cache_blocks is not None):
        raise UsageError(
            "--replicas and --cache-blocks are of simulated servers on a virtual clock: add --clock virtual."
        )
    if options.clock == "virtual" and options.base_url is not None:
        raise UsageError("--clock virtual needs the simulated server: leave it out, or --base-url.")
    if options.clock == "virtual" and options.sync:
        raise UsageError("--clock virtual is an event loop's, and a graph in a thread has none: leave out --sync.")
    if options.base_url is not None:
        checked_base_url(options.base_url)
        return
    if options.model is not None:
        raise UsageError("--model names a model of your own server: give its address with --base-url.")
    if options.profile not in PROFILES:
        raise UsageError(f"--profile {options.profile!r} is not known: choose from {', '.join(PROFILES)}.")


def _default_output(options: argparse.Namespace) -> Path:
    server = "own" if options.base_url else options.profile
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    app = options.app.rpartition(":")[2].lower()
    return Path("results") / f"compare-{app}-{server}-{now}.jsonl"
