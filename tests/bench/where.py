"""`python -m bench.where "fan-out of 1,000"`, from tests/: where the processor time of a case goes, on both sides.

A sampling profile: at every half a millisecond of processor time, the innermost frame that belongs to a part of the run
says which part that was. A profile of every call would make cheap functions look dear that are called often; what the
sampling costs is spread over all parts.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

from bench.cases import CASES
from bench.graph_case import GraphCase

EVERY_S = 0.0005
_FUNCTIONS = {
    "prepare_next_tasks": "preparing tasks",
    "apply_writes": "applying writes",
    "_put_checkpoint": "checkpoints",
    "count_step": "checkpoints",
    "_emit": "stream events",
    "put_writes": "filing writes",
    "commit": "filing writes",
    "arun_with_retry": "running nodes: attempts",
    "run_with_retry": "running nodes: attempts",
    "ainvoke": "running nodes",
    "invoke": "running nodes",
    "atick": "tasks of the event loop",
    "tick": "tasks of the event loop",
    "_run_once": "tasks of the event loop",
}
"""Parts by the functions of LangGraph and asyncio that do them; in both colours."""
_FILES = {
    "/bench/": "the nodes themselves",
    "langchain_core/callbacks": "running nodes: callbacks",
    "langsmith/": "running nodes: callbacks",
    "/engine/": "lookahead",
    "/lookahead.py": "lookahead",
    "/projection.py": "lookahead",
    "/quiet.py": "lookahead",
    "/templates.py": "preparing tasks",
    "/applying.py": "applying writes",
    "/reducing.py": "applying writes",
    "/writing.py": "filing writes",
    "/strides.py": "between steps",
    "/attempts.py": "running nodes: attempts",
    "/direct.py": "running nodes",
    "/gathering.py": "tasks of the event loop",
}
_REST = "all else"


def part_of(frame: FrameType | None) -> str:
    """Which part of a run is under way."""
    while frame is not None:
        code = frame.f_code
        for text, part in _FILES.items():
            if text in code.co_filename and "where.py" not in code.co_filename:
                return part
        part = _FUNCTIONS.get(code.co_name, "")
        if part and "main.py" not in code.co_filename:
            return part
        frame = frame.f_back
    return _REST


def sampled(run: Callable[[], Any], seconds: float) -> tuple[Counter[str], int, float]:
    """How many samples each part has, in how many runs, and their processor seconds."""
    found: Counter[str] = Counter()
    run()  # what is done once for a graph
    gc.collect()
    before = signal.signal(signal.SIGPROF, lambda _, frame: found.update([part_of(frame)]))
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    began, runs = time.process_time(), 0
    try:
        while time.process_time() - began < seconds:
            run()
            runs += 1
        took_s = time.process_time() - began
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0, 0)
        signal.signal(signal.SIGPROF, before)
    return found, runs, took_s


def main(arguments: list[str] | None = None) -> int:
    """Print microseconds a run, by part, for LangGraph and accelerated."""
    parser = argparse.ArgumentParser(prog="python -m bench.where", description=__doc__)
    parser.add_argument("case", help="its name, as `python -m bench --list` prints it")
    parser.add_argument("--seconds", type=float, default=5.0, help="of processor time for each side (default 5)")
    parser.add_argument("--without-gc", action="store_true", help="switch the collector of garbage off meanwhile")
    options = parser.parse_args(arguments)
    case = next((one for one in CASES if one.name == options.case and isinstance(one, GraphCase)), None)
    if case is None:
        print(f"there is no graph case {options.case!r}; python -m bench --list prints the names.", file=sys.stderr)
        return 2
    if options.without_gc:
        gc.disable()
    with case.opened() as sides:
        columns = [sampled(run, options.seconds) for run in (sides.plain, sides.ours)]
    print(f"{case.name}, microseconds a run{'' if gc.isenabled() else ', without the collector of garbage'}")
    print(f"{'':32}{'LangGraph':>12}{'accelerated':>12}")
    for part in [*dict.fromkeys([*_FUNCTIONS.values(), *_FILES.values(), _REST])]:
        print(f"{part:32}" + "".join(f"{_per_run(one, part):12.0f}" for one in columns))
    print(f"{'together':32}" + "".join(f"{took_s / runs * 1e6:12.0f}" for _, runs, took_s in columns))
    return 0


def _per_run(column: tuple[Counter[str], int, float], part: str) -> float:
    found, runs, took_s = column
    return found[part] / max(1, found.total()) * took_s / runs * 1e6


if __name__ == "__main__":
    sys.exit(main())
