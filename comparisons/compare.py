"""`alto-lg compare`: the same requests through every arm, and the table that says what that gave.

One comparison is planned by `plan.py` and run by `session.py`; several, over applications, servers and loads, are run
by `matrix.py`.

Always true: everything that can be refused is refused before a request is run; no speed is printed for arms
that gave different answers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alto_lg.apps.base import InputError
from alto_lg.comparisons import matrix
from alto_lg.comparisons.applications import APPLICATIONS
from alto_lg.comparisons.errors import ComparisonError, UsageError, WorkerError
from alto_lg.comparisons.plan import CLOCKS, Plan, make_plan
from alto_lg.comparisons.session import Outcome, run_plan
from alto_lg.comparisons.table import (
    TEXT_WIDTH,
    comparison_table,
    method_text,
    not_run_text,
    output_console,
    refusal_text,
    score_line,
)
from alto_lg.comparisons.target import TARGET_FACTOR, TARGET_S

UNEQUAL, REFUSED, INTERRUPTED = 1, 2, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    known = ", ".join(APPLICATIONS)
    add = parser.add_argument
    add("--app", default="factool", help=f"{known}, or your own package.module:ATTRIBUTE (default factool)")
    add("--arms", help="comma-separated, such as langgraph-flat,alto-flat (default: all that tell something new)")
    add("--requests", type=int, help="how many (default: 10, or under load eight blocks of half a minute for each arm)")
    add("--blocks", type=int, help="under load, so many blocks of arrivals for each arm (default 8)")
    add("--warmup", type=int, default=1, help="requests per arm that are not counted (default 1)")
    add("--profile", default="h100-8b", help="latency profile of the simulated server (default h100-8b)")
    add("--slots", type=int, help="sequences that the simulated server runs at once (default: the profile's)")
    add(
        "--replicas", type=int, metavar="N", help="so many simulated servers behind a client of each arm; virtual clock"
    )
    add("--cache-blocks", type=int, metavar="N", help="prefix cache of each, in blocks of 16 tokens (default: profile)")
    add("--seed", type=int, default=0, help="of arrivals, jitter and resampling (default 0)")
    add("--rate", type=float, default=0.0, help="Poisson arrivals a second; 0: one at a time (default 0)")
    add("--base-url", help="an OpenAI-compatible server in place of the simulated one; key: OPENAI_API_KEY")
    add("--model", help="the model to ask that server for (default: the only one it serves)")
    add("--corpus", type=Path, help="passages of your own")
    add("--questions", type=Path, help="requests of your own")
    add("--items", type=int, help="items of each request, such as 30 claims an answer (default: as they are)")
    add("--sync", action="store_true", help="run the graphs by `stream` in a thread, not by `astream`")
    add(
        "--clock",
        choices=CLOCKS,
        default="real",
        help="virtual: waiting is skipped and work is free, so hours take minutes and nothing is noise (default real)",
    )
    add("--timeout", type=float, default=300.0, help="seconds after which a request has failed (default 300)")
    add("--output", type=Path, help="JSON lines (default results/compare-APP-SERVER-TIME.jsonl)")
    _add_several(parser.add_argument_group("several comparisons", "each is a cell, with a file of its own in a folder"))


def _add_several(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--apps", help="comma-separated: several applications, one after the other")
    add("--rates", help="comma-separated: arrivals a second, or shares of saturation, such as 0.2,0.4 or 50%%,70%%")
    add("--full", action="store_true", help="all profiles, slots and loads of the four applications; can be resumed")
    add("--cells", help="comma-separated words: only cells with one of them in their name, and what those need")
    add("--dry-run", action="store_true", help="list the cells and how long each takes, and run nothing")
    add("--again", action="store_true", help="run cells again that were made with other settings or versions")
    add("--minutes", type=float, help="as many requests as fit in so many minutes, one at a time")
    add("--target", type=float, default=TARGET_S, help=f"latency target in seconds (default {TARGET_S:g})")
    add(
        "--target-factor",
        type=float,
        default=TARGET_FACTOR,
        help=f"or so many times the unloaded median of the first arm, if that is longer (default {TARGET_FACTOR:g})",
    )


def _is_of_several(options: argparse.Namespace) -> bool:
    several = bool(options.apps or options.rates or options.full)
    alone = {"cells": options.cells, "dry-run": options.dry_run, "again": options.again, "minutes": options.minutes}
    stray = [name for name, given in alone.items() if given]
    if stray and not several:
        raise UsageError(f"--{stray[0]} goes with --apps, --rates or --full.")
    return several


def run(options: argparse.Namespace) -> int:
    """0 with a table; 1 when an arm failed or answers differ; 2 when nothing could be started; 130 on Ctrl-C."""
    try:
        if _is_of_several(options):
            return matrix.run(options)
        return _compare(make_plan(options))
    except KeyboardInterrupt:
        print("alto-lg compare: interrupted; what was measured so far is in the results file.", file=sys.stderr)
        if options.full or (options.output is not None and _is_of_several(options)):
            print("The same command goes on from there.", file=sys.stderr)
        return INTERRUPTED
    except (ComparisonError, InputError) as refused:
        print(f"alto-lg compare: {refused}", file=sys.stderr)
        return UNEQUAL if isinstance(refused, WorkerError) else REFUSED


def _compare(plan: Plan) -> int:
    outcome = run_plan(plan)
    if outcome.differences:
        print(refusal_text(outcome.differences))
        return UNEQUAL
    _print(plan, outcome)
    return 0


def _print(plan: Plan, outcome: Outcome) -> None:
    console = output_console()
    count = len(plan.schedule.indices)
    console.print(comparison_table(outcome.summaries, f"{plan.options.app}, {count} requests"))
    if outcome.not_run:
        console.print(not_run_text(outcome.not_run), width=TEXT_WIDTH, markup=False)
    console.print(score_line(outcome.scores), width=TEXT_WIDTH)
    schedule = plan.schedule
    told = method_text(
        requests=count,
        rate=schedule.rate,
        warm_up=schedule.warm_up,
        server=outcome.server,
        block=schedule.block,
        lead_in=schedule.lead_in,
        clock=plan.options.clock,
    )
    console.print(told, width=TEXT_WIDTH)
    console.print(f"Every request: {plan.output}")
