"""`python -m alto_lg.comparisons.agent_bounds RESULTS`: what early tools could save, had the tools taken other times.

Reads a results file of `alto-lg compare --app agent`, takes when each call of a request was whole in the model's stream
as it was measured, and draws the times of the tools anew. Always true: nothing is run, and no engine is in it; with
LangGraph's steps tools begin when the model has ended, at best each begins when its own call is whole.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.table import Table

from alto_lg.apps.agent.limit import Turn, turns_of
from alto_lg.apps.agent.prompts import LOOK_UP, OPEN, SEARCH
from alto_lg.apps.agent.tools import OWN_LATENCY_MS
from alto_lg.apps.base import InputError
from alto_lg.comparisons.results import read_results
from alto_lg.comparisons.statistics import median
from alto_lg.comparisons.table import number, output_console

RangesMs = Mapping[str, tuple[int, int]]
CASES: Mapping[str, RangesMs] = {
    "as they are: a search longest, a look-up shortest": OWN_LATENCY_MS,
    "all alike, 100 to 400 ms": dict.fromkeys((SEARCH, OPEN, LOOK_UP), (100, 400)),
    "all alike, 250 ms": dict.fromkeys((SEARCH, OPEN, LOOK_UP), (250, 250)),
    "a look-up longest, a search shortest": {
        SEARCH: OWN_LATENCY_MS[LOOK_UP],
        OPEN: OWN_LATENCY_MS[OPEN],
        LOOK_UP: OWN_LATENCY_MS[SEARCH],
    },
}
_DRAWS = 200


def read_turns(path: Path, arm: str) -> list[list[Turn]]:
    """The turns of each request of an arm; `InputError` when there are none."""
    measured = [one for one in read_results(path).measurements if one.arm == arm]
    requests = [turns_of(one.spans) for one in measured]
    if not any(turn.tools for turns in requests for turn in turns):
        raise InputError(path, None, f"no request of the arm {arm!r} called a tool; is it of `compare --app agent`?")
    return requests


def bounds_s(requests: Sequence[Sequence[Turn]], ranges_ms: RangesMs, draws: int, seed: int) -> tuple[float, float]:
    """Medians over requests and draws: with LangGraph's steps, and at best."""
    source = random.Random(seed)
    drawn = [[_redrawn(turn, ranges_ms, source) for turn in turns] for turns in requests for _ in range(draws)]
    in_steps = [sum(turn.in_supersteps_s for turn in turns) for turns in drawn]
    return median(in_steps), median([sum(turn.limit_s for turn in turns) for turns in drawn])


def _redrawn(turn: Turn, ranges_ms: RangesMs, source: random.Random) -> Turn:
    return replace(turn, tools_s=tuple(source.uniform(*ranges_ms[tool]) / 1000 for tool in turn.tools))


def bounds_table(requests: Sequence[Sequence[Turn]], draws: int, seed: int) -> Table:
    """One row a case."""
    table = Table(title="Latency of a request, medians", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("tools", no_wrap=True)
    for name in ("in steps (s)", "at best (s)", "lower by (%)"):
        table.add_column(name, justify="right", no_wrap=True)
    for case, ranges_ms in CASES.items():
        in_steps, best = bounds_s(requests, ranges_ms, draws, seed)
        table.add_row(case, number(in_steps), number(best), number(100 * (1 - best / in_steps), digits=1))
    return table


def main() -> int:
    """0 with the table; 2 for a file that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.agent_bounds", description=__doc__)
    parser.add_argument("results", type=Path, help="JSON lines of `alto-lg compare --app agent`")
    parser.add_argument("--arm", default="asyncio", help="whose model calls to take; it must stream (default asyncio)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default 0)")
    options = parser.parse_args()
    try:
        requests = read_turns(options.results, options.arm)
    except (InputError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 2
    output_console().print(bounds_table(requests, _DRAWS, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
