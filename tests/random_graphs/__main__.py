"""Many random graphs: `python -m random_graphs --graphs 2000 --processes 2`, from the folder of the tests.

Prints progress, one line and a small test for each failure, and a summary. The exit status tells whether all was the
same.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from random_graphs.batches import draw_batched
from random_graphs.campaign import Tally, chunk, judged
from random_graphs.differ import compared
from random_graphs.draw import draw
from random_graphs.partly import draw_partly
from random_graphs.shrink import shrunk
from random_graphs.spec import Spec

CHUNK = 25
CHUNKS_PER_PROCESS = 12
"""A process is replaced after so many: LangGraph and Python keep what they know of functions for good."""


def shown(seed: int, drawn: Callable[[int], Spec], *, shrink: bool) -> int:
    """One seed again, shrunk if it fails."""
    spec = drawn(seed)
    rotation = seed % 7

    def fails(other: Spec) -> bool:
        return bool(compared(other, rotation=rotation).differences)

    verdict, _, _ = judged(seed, drawn)
    print("\n".join(verdict.differences) or "no difference")
    print(shrunk(spec, fails) if shrink and fails(spec) else spec)
    return bool(verdict.differences)


def _chunks(first: int, count: int) -> Iterator[range]:
    for start in range(first, first + count, CHUNK):
        yield range(start, min(start + CHUNK, first + count))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m random_graphs", description="Random graphs against LangGraph.")
    parser.add_argument("--graphs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, help="run this seed alone, and shrink it if it fails")
    parser.add_argument("--parts", action="store_true", help="nodes stream, and take lists in part")
    parser.add_argument("--batches", action="store_true", help="nodes are written for lists of inputs")
    parser.add_argument("--whole", action="store_true", help="do not shrink")
    chosen = parser.parse_args()
    drawn = draw_partly if chosen.parts else draw_batched if chosen.batches else draw
    if chosen.only is not None:
        return shown(chosen.only, drawn, shrink=not chosen.whole)
    began, tally = time.monotonic(), Tally()
    context = multiprocessing.get_context("spawn")
    with context.Pool(chosen.processes, maxtasksperchild=CHUNKS_PER_PROCESS) as pool:
        for part in pool.imap_unordered(partial(chunk, drawn=drawn), _chunks(chosen.seed, chosen.graphs)):
            for line in part.failures:
                print(line, flush=True)
            before = tally.counts["graphs"]
            tally.include(part)
            if tally.counts["graphs"] // 500 != before // 500:
                print(f"… {tally.counts['graphs']} graphs, {tally.counts['different']} different", flush=True)
    print(tally.summary(time.monotonic() - began))
    return bool(tally.failures)


if __name__ == "__main__":
    sys.exit(main())
