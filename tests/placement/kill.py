"""`python -m placement.kill` in `tests/`: workers of a placed node are killed with signal 9 while runs go on.

Every firing leaves a word on disk when it begins, with its worker's process; the killer picks one of these. With
`--on nodes` it kills a node of a Ray cluster that has replicas, which die with it, sees that all are back on the nodes
that are left, and gives the cluster a new node. With `--on groups` the graph's node tells how many items it has kept of
its run. Counted are

    kills     processes, or nodes, that were alive and were sent signal 9
    runs      that ended, and of these:
    failed    in `WorkerLost`, which only a node that may not run twice may raise
    lost      firings whose item is missing in the state of a run that ended well
    twice     firings whose item is in there more than once, or that ran twice though the node may not
    again     executions beyond one for each firing
    wrong     runs that ended well though an item did not find what the others of its group had left (`--on groups`)
    hangs     runs that had not ended after five minutes, in which workers are killed nearly as fast as they start
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placement import stages
from placement.local_ray import SMALL

import alto_lg

if TYPE_CHECKING:
    from placement.cluster import RayNodes

REPLICAS = 3
RUNS_AT_ONCE = 4
ITEMS = 25
HANGS_AFTER_S = 300


@dataclass
class Counts:
    """See the module."""

    kills: int = 0
    runs: int = 0
    failed: int = 0
    lost: int = 0
    twice: int = 0
    again: int = 0
    wrong: int = 0
    hangs: int = 0

    def __str__(self) -> str:
        return " ".join(f"{name} {count}" for name, count in vars(self).items())


def placement(kind: str, repeatable: bool, nodes: RayNodes | None) -> Any:
    options: dict[str, Any] = {"repeatable": repeatable, "max_attempts": 50}
    if kind == "processes":
        return alto_lg.processes(workers=REPLICAS, **options)
    where = SMALL if nodes is None else nodes.placement
    return alto_lg.ray(replicas=REPLICAS, by_group=kind == "groups", **where, **options)


async def kill_under_load(
    kind: str, repeatable: bool, kills: int, seed: int, file: Path, nodes: RayNodes | None = None
) -> Counts:
    """Runs go on until so many workers were killed, or nodes if there are any, and to their end."""
    counts, draw, numbers = Counts(), random.Random(seed), itertools.count()
    over = asyncio.Event()

    async def client(app: Any) -> None:
        while not over.is_set():
            await one_run(app, next(numbers), file, counts)

    async def killer() -> None:
        while counts.kills < kills:
            await asyncio.sleep(draw.expovariate(1))
            alive = [pid for pid in sorted(workers_of(file)) if is_alive(pid)]
            if not alive:
                continue
            if nodes is None:
                os.kill(draw.choice(alive), signal.SIGKILL)
            elif await asyncio.to_thread(kill_node, nodes, set(alive), draw, file):
                nodes.replace()  # here, because Ray starts nodes on the main thread only
            else:
                continue
            counts.kills += 1
        over.set()

    async with alto_lg.accelerate(
        stages.numbered(stages.slow_count if kind == "groups" else stages.slow_effect),
        placement={"n": placement(kind, repeatable, nodes)},
    ) as app:
        await asyncio.gather(killer(), *(client(app) for _ in range(RUNS_AT_ONCE)))
    executions = Counter(item for item, _ in effects(file))
    counts.again = sum(count - 1 for count in executions.values())
    if not repeatable:
        counts.twice += counts.again
    return counts


def kill_node(nodes: RayNodes, alive: set[int], draw: random.Random, file: Path) -> bool:
    """Kill a node that has some of the replicas, and wait until they are back on the other nodes; False: none has any.

    Raises:
        TimeoutError: They do not come back.
    """
    rivals = nodes.with_any(alive)
    if not rivals:
        return False
    nodes.kill(draw.choice(rivals))
    deadline = time.monotonic() + HANGS_AFTER_S
    while sum(is_alive(pid) and bool(nodes.with_any({pid})) for pid in workers_of(file)) < REPLICAS:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the replicas of a killed node were not back after {HANGS_AFTER_S} s")
        time.sleep(0.1)
    return True


async def one_run(app: Any, run: int, file: Path, counts: Counts) -> None:
    items = [f"{run}-{number}" for number in range(ITEMS)]
    try:
        async with asyncio.timeout(HANGS_AFTER_S):
            state = await app.ainvoke({"x": [], "counts": [], "items": items, "file": str(file)})
    except TimeoutError:
        counts.hangs += 1
    except alto_lg.WorkerLost as lost:
        assert lost.node == "n"
        assert str(lost.ancestry).startswith("request ▸ begin ▸ n#")
        counts.failed += 1
    else:
        found = Counter(state["x"])
        counts.lost += sum(found[item] == 0 for item in items)
        counts.twice += sum(found[item] > 1 for item in items)
        counts.wrong += sorted(state["counts"]) not in ([], list(range(1, ITEMS + 1)))
        assert state["x"] == items or counts.lost or counts.twice, "the order is LangGraph's"
    counts.runs += 1


def effects(file: Path) -> list[tuple[str, int]]:
    """Each execution that began: its item, and the process."""
    words = [word.split(":") for word in stages.marks(file)]
    return [(item, int(pid)) for item, pid in words]


def workers_of(file: Path) -> set[int]:
    """The processes that have begun the latest firings."""
    return {pid for _, pid in effects(file)[-40:]}


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def alive_after(wait_s: float, pids: set[int]) -> list[int]:
    """Those of the processes that do not end, though they are given time."""
    deadline = time.monotonic() + wait_s
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


@contextmanager
def cluster(kind: str) -> Iterator[RayNodes | None]:
    if kind != "nodes":
        yield None
        return
    from placement.cluster import RayNodes

    with RayNodes() as nodes:
        yield nodes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m placement.kill", description=__doc__)
    parser.add_argument("--on", choices=["ray", "processes", "nodes", "groups"], default="ray")
    parser.add_argument("--repeatable", action="store_true")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "effects"
        with cluster(asked.on) as nodes:
            counts = asyncio.run(kill_under_load(asked.on, asked.repeatable, asked.kills, asked.seed, file, nodes))
        left = alive_after(10, {pid for _, pid in effects(file)})
    print(f"{asked.on}, {'repeatable' if asked.repeatable else 'once'}: {counts} left {len(left)}")
    wrong = (
        counts.lost
        + counts.twice
        + counts.wrong
        + counts.hangs
        + len(left)
        + (counts.failed if asked.repeatable else 0)
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
