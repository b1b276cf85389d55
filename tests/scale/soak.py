"""`python -m scale.soak`, from tests/: a million tasks in one process, and the memory that it holds after each tenth.

Half of the runs save to a checkpointer in memory, whose thread is deleted after the run; some are cancelled half-way.
Fails if any tenth after the first holds 5 % more than the first.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

import alto_lg
from scale.growing import two_hops

WIDTH = 50
TASKS = 2 * WIDTH + 2
"""Of one run: its hops, its join, and LangGraph's own first."""
AT_ONCE = 20
GROWS_MAX = 1.05


def resident_mib() -> float:
    """MiB of memory that this process holds (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def _run(app: Any, saver: InMemorySaver | None, number: int) -> None:
    sized = two_hops(WIDTH)
    config: Any = {"recursion_limit": 1000}
    if saver is not None:
        config["configurable"] = {"thread_id": str(number)}
    running = asyncio.ensure_future(app.ainvoke(dict(sized.given), config))
    if number % 50 == 0:
        await asyncio.sleep(0.001)
        running.cancel()
    try:
        assert await running == sized.wanted
    except asyncio.CancelledError:
        if number % 50:
            raise
    if saver is not None:
        saver.delete_thread(str(number))


async def soak(tasks: int) -> bool:
    """Whether memory stayed flat."""
    saver = InMemorySaver()
    builder = two_hops(WIDTH).builder
    apps = [
        (alto_lg.accelerate(builder.compile()), None),
        (alto_lg.accelerate(builder.compile(checkpointer=saver)), saver),
    ]
    runs, number = tasks // TASKS, 0
    held: list[float] = []
    for tenth in range(10):
        while number < runs * (tenth + 1) // 10:
            batch = range(number, number + AT_ONCE)
            await asyncio.gather(*(_run(*apps[one % 2], one) for one in batch))
            number += AT_ONCE
        gc.collect()
        held.append(resident_mib())
        print(f"{number * TASKS:>9,} tasks: {held[-1]:7.1f} MiB", flush=True)
    return max(held[1:]) <= held[0] * GROWS_MAX


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scale.soak", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000, help="how many nodes run in all (default 1,000,000)")
    flat = asyncio.run(soak(parser.parse_args().tasks))
    print("memory stayed flat" if flat else "memory grew by more than 5 % after the first tenth")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
