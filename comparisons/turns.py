"""The arms take turns: the same requests through every arm, interleaved so that drift hits all alike.

Always true: at any moment at most one arm is running requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.load import blocks, poisson_arrivals_s, rotated
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.meter import Meter
from alto_lg.comparisons.processes import Arrival, Task, WorkerProcess


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which requests are run, and how they arrive.

    indices: positions in the workload, one for each request to run.
    rate: requests a second; 0 for one at a time.
    block: requests that one arm runs before the next has its turn, when rate is above 0.
    """

    indices: tuple[int, ...]
    rate: float
    block: int
    warm_up: int
    seed: int


@contextmanager
def workers(arms: Sequence[Arm], task: Task) -> Iterator[tuple[WorkerProcess, ...]]:
    """A built process for each arm; built side by side, because that is not measured."""
    with ExitStack() as stack:
        started = tuple(stack.enter_context(WorkerProcess(arm)) for arm in arms)
        with ThreadPoolExecutor(max_workers=len(started)) as pool:
            for _ in pool.map(lambda worker: worker.build(task), started):
                pass
        yield started


def take_turns(started: Sequence[WorkerProcess], schedule: Schedule, meter: Meter) -> Iterator[Measurement]:
    """Every request through every arm, after the warm-up."""
    for worker in started:
        for position in range(schedule.warm_up):
            worker.run(schedule.indices[position % len(schedule.indices)], position)
    turn = _one_at_a_time if schedule.rate == 0 else _open_loop
    yield from turn(started, schedule, meter)


def _one_at_a_time(started: Sequence[WorkerProcess], schedule: Schedule, meter: Meter) -> Iterator[Measurement]:
    for position, index in enumerate(schedule.indices):
        for worker in rotated(started, position):
            meter.start()
            measured = worker.run(index, position)
            yield replace(measured, server=meter.stop())


def _open_loop(started: Sequence[WorkerProcess], schedule: Schedule, meter: Meter) -> Iterator[Measurement]:
    due = poisson_arrivals_s(schedule.rate, len(schedule.indices), schedule.seed)
    for turn, block in enumerate(blocks(len(schedule.indices), schedule.block)):
        arrivals = [Arrival(schedule.indices[at], at, due[at] - due[block.start]) for at in block]
        for worker in rotated(started, turn):
            meter.start()
            measured = worker.trace(arrivals)
            used = meter.stop()
            share = None if used is None else used.share(len(measured))
            yield from (replace(one, server=share, block=turn) for one in measured)
