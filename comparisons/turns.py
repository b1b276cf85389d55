"""The arms take turns: the same requests through every arm, interleaved so that drift hits all alike.

Always true: at any moment at most one arm is running requests, unless each is on a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from alto_lg.comparisons.arms import Arm, NotRun
from alto_lg.comparisons.errors import WorkerError
from alto_lg.comparisons.load import blocks, poisson_arrivals_s, rotated
from alto_lg.comparisons.machine import usable_cpus
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.meter import Meter
from alto_lg.comparisons.processes import Arrival, Task, WorkerProcess


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which requests are run, and how they arrive.

    indices: positions in the workload, one for each request to run.
    rate: requests a second; 0 for one at a time.
    block: requests that one arm runs before the next has its turn, when rate is above 0.
    lead_in: requests at the start of each block that fill the idle server, and are not counted.
    """

    indices: tuple[int, ...]
    rate: float
    block: int
    warm_up: int
    seed: int
    lead_in: int = 0


Told = Measurement | NotRun
"""What the turns tell: the figures of a request, or that a peer's arm has given up."""


@contextmanager
def workers(arms: Sequence[Arm], task: Task) -> Iterator[tuple[list[WorkerProcess], list[NotRun]]]:
    """A built process for each arm, and the peers of which none could be built.

    Built side by side, because that is not measured.
    """
    with ExitStack() as stack:
        started = [stack.enter_context(WorkerProcess(arm, virtual=task.simulated is not None)) for arm in arms]
        with ThreadPoolExecutor(max_workers=len(started)) as pool:
            failed = list(pool.map(lambda worker: _build(worker, task), started))
        yield [worker for worker, why in zip(started, failed, strict=True) if why is None], list(filter(None, failed))


def _build(worker: WorkerProcess, task: Task) -> NotRun | None:
    try:
        worker.build(task)
    except WorkerError as error:
        return _given_up(worker, error)
    return None


def _given_up(worker: WorkerProcess, error: WorkerError) -> NotRun:
    """A peer that failed is left out; any other arm's error is everybody's."""
    if worker.arm.peer is None:
        raise error
    worker.end()
    return NotRun(worker.arm.name, f"{error.doing}: {error.reason}")


Ask = Callable[[WorkerProcess], Iterable[Measurement]]


def take_turns(
    started: Sequence[WorkerProcess], schedule: Schedule, meter: Meter, *, at_once: bool = False
) -> Iterator[Told]:
    """Every request through every arm, after the warm-up.

    at_once: the arms do not disturb each other, because each has a clock and a server of its own.
    """
    running, through = list(started), _side_by_side if at_once else map
    for position in range(schedule.warm_up):
        told = _through(running, 0, _one(schedule, position % len(schedule.indices)), through)
        yield from (one for one in told if isinstance(one, NotRun))
    for turn, ask in enumerate(_alone(schedule) if schedule.rate == 0 else _open_loop(schedule)):
        told = _through(running, turn, _metered(ask, meter), through)
        yield from told if schedule.rate == 0 else _in_block(told, turn, schedule)


def _in_block(told: Iterable[Told], block: int, schedule: Schedule) -> Iterator[Told]:
    counted_from = block * schedule.block + schedule.lead_in
    for one in told:
        if isinstance(one, Measurement):
            yield replace(one, block=block, lead_in=one.position < counted_from)
        else:
            yield one


Outcome = tuple[Measurement, ...] | NotRun
Through = Callable[[Callable[[WorkerProcess], Outcome], Sequence[WorkerProcess]], Iterable[Outcome]]


def _through(running: list[WorkerProcess], turn: int, ask: Ask, through: Through) -> Iterator[Told]:
    """One piece of work through all arms; a peer's that fails is out of all later ones."""
    order = rotated(running, turn) if running else ()
    for worker, outcome in zip(order, through(lambda one: _outcome(one, ask), order), strict=True):
        if isinstance(outcome, NotRun):
            running.remove(worker)
            yield outcome
        else:
            yield from outcome


def _outcome(worker: WorkerProcess, ask: Ask) -> Outcome:
    try:
        return tuple(ask(worker))
    except WorkerError as error:
        return _given_up(worker, error)


def _side_by_side(ask: Callable[[WorkerProcess], Outcome], order: Sequence[WorkerProcess]) -> Iterator[Outcome]:
    with ThreadPoolExecutor(max_workers=usable_cpus()) as pool:
        yield from pool.map(ask, order)


def _metered(ask: Ask, meter: Meter) -> Ask:
    """The same, each measurement with its share of what the server did, where the meter knows that."""

    def metered(worker: WorkerProcess) -> Iterable[Measurement]:
        meter.start()
        measured = tuple(ask(worker))
        used = meter.stop()
        return measured if used is None else [replace(one, server=used.share(len(measured))) for one in measured]

    return metered


def _alone(schedule: Schedule) -> Iterator[Ask]:
    yield from (_one(schedule, position) for position in range(len(schedule.indices)))


def _open_loop(schedule: Schedule) -> Iterator[Ask]:
    due = poisson_arrivals_s(schedule.rate, len(schedule.indices), schedule.seed)
    for block in blocks(len(schedule.indices), schedule.block):
        yield _trace([Arrival(schedule.indices[at], at, due[at] - due[block.start]) for at in block])


def _one(schedule: Schedule, position: int) -> Ask:
    return lambda worker: (worker.run(schedule.indices[position], position),)


def _trace(arrivals: Sequence[Arrival]) -> Ask:
    return lambda worker: worker.trace(arrivals)
