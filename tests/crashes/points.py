"""Crash points: one run stopped at one turn, taken up by somebody, and what must then be true.

Owns the experiment and its judgement. Always true:
  every run of a case has the same seed and the same delays, so turn k is the same moment each time;
  the thread is taken up on a new loop, from nothing but what the saver holds.
"""

from __future__ import annotations

import asyncio
import random
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dropin.shapes.base import Shape
from dropin.watch import App, Durability, Implementation, compiled, plain_langgraph

import alto_lg
from alto_lg.errors import AltoWarning
from crashes.carry_on import carry_on
from crashes.record import Starts, Work, promised
from crashes.saver import SimulatedSaver
from crashes.stopping import Stopped, no_collector, run_until

IMPLEMENTATIONS: dict[str, Implementation] = {"langgraph": plain_langgraph, "alto": alto_lg.accelerate}
Choice = TypeVar("Choice")
MODES: tuple[Durability, ...] = ("sync", "async", "exit")


@dataclass(frozen=True, slots=True)
class Way:
    """Who runs first, and who takes the thread up after each crash."""

    begins: str
    resumes: str

    def __str__(self) -> str:
        return f"{self.begins}-then-{self.resumes}"


WAYS = (Way("alto", "alto"), Way("alto", "langgraph"), Way("langgraph", "alto"))
CONTROL = Way("langgraph", "langgraph")


@dataclass(slots=True)
class Case:
    """One graph, compiled once for each implementation, over one saver."""

    shape: Shape
    saver: SimulatedSaver = field(default_factory=SimulatedSaver)
    apps: dict[str, App] = field(default_factory=dict)

    def app(self, implementation: str) -> App:
        if implementation not in self.apps:
            impl = IMPLEMENTATIONS[implementation]
            app = self.apps[implementation] = compiled(self.shape, asyncio.sleep, impl, saver=self.saver)
            # The first run makes the plan, which takes turns of the loop that no later run takes.
            self.saver.reset()
            with no_collector():
                run_until(lambda: carry_on(app, self.shape, "async", []), seed=0)
            self.saver.reset()
        return self.apps[implementation]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a run without a fault gives: the state, its length, and how often each task ran and was promised."""

    state: Any
    turns: int
    starts: Counter[Work]
    promises: Counter[Work]

    def left(self, work: Work, finished: int) -> int:
        """How often tasks of this name may still start, if so many of them are done for good."""
        tasks = self.tasks(work)
        return self.starts[work] // tasks * (tasks - finished) if tasks > finished else 0

    def tasks(self, work: Work) -> int:
        return max(self.promises[work], 1)


@dataclass(slots=True)
class Findings:
    """What all points together showed."""

    points: int = 0
    crashes: int = 0
    ahead: int = 0
    """Crashes at which a later step had begun before an earlier one was done."""
    saving: int = 0
    """Crashes during a save."""
    promised: int = 0
    """Tasks whose writes were promised before a crash, summed over all crashes."""
    ran_again: int = 0
    """Of those: started again. Possible in `async` alone, where the checkpoint before them was lost."""
    overtaken: int = 0
    """Checkpoints that were durable before all the writes that they contain, as LangGraph allows."""
    spoilt: int = 0
    """Points at which LangGraph changed a checkpoint while it was being saved, so that nobody could end the thread."""

    def add(self, other: Findings) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        return ", ".join(f"{name} {getattr(self, name)}" for name in self.__dataclass_fields__)


def undisturbed(case: Case, implementation: str, durability: Durability, seed: int) -> Undisturbed:
    """One run without a crash. Its length in turns bounds the points."""
    app = case.app(implementation)
    case.saver.reset(seed)
    starts = Starts()

    async def main() -> Any:
        return await carry_on(app, case.shape, durability, [starts])

    with no_collector():
        ran = run_until(main, seed=seed)
    return Undisturbed(ran.result, ran.turns, starts.counts, finished(case.saver))


def finished(saver: SimulatedSaver, *, durably: bool = False) -> Counter[Work]:
    """How many tasks of each name the saver has promised to keep (and holds the checkpoint they belong to)."""
    counts: Counter[Work] = Counter()
    for promise in saver.ledger.promises:
        work = promised(promise, saver.ledger.places)
        if work is None or not promise.finishes:
            continue
        if not durably or saver.is_durable(promise.namespace, promise.checkpoint_id):
            counts[work] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Point:
    """One experiment: stop the first run at the first turn, the second at the second, and so on."""

    shape: str
    durability: Durability
    way: Way
    seed: int
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What had been promised when a run ended."""

    promises: Counter[Work]
    durably: Counter[Work]

    @staticmethod
    def of(saver: SimulatedSaver) -> Kept:
        return Kept(finished(saver), finished(saver, durably=True))


def try_point(case: Case, point: Point, wanted: Undisturbed) -> Findings:
    """Crash there, take the thread up, and check D2 to D4 of the durability rules."""
    for implementation in (point.way.begins, point.way.resumes):
        case.app(implementation)
    case.saver.reset(point.seed)
    findings = Findings(points=1)
    held: list[Stopped] = []
    starts: Counter[Work] = Counter()
    crashes: list[Kept] = []
    state: Any = None
    with no_collector():
        try:
            for number, stop_at in enumerate((*point.turns, None)):
                implementation = point.way.resumes if number else point.way.begins
                this = Starts()
                stopped, state = _one_run(case, point, implementation, number, stop_at, this)
                starts += this.counts
                for kept in crashes:
                    findings.ran_again += check_no_repetition(point, wanted, kept, this.counts)
                if stopped is None:
                    break
                held.append(stopped)
                crashes.append(Kept.of(case.saver))
                findings.crashes += 1
                findings.ahead += this.is_ahead
                findings.saving += case.saver.ledger.under_way.total() > 0
                findings.promised += crashes[-1].promises.total()
        finally:
            for stopped in held:
                stopped.bury()
    findings.overtaken = case.saver.ledger.overtaken
    if is_spoilt(case.saver, point) and state != wanted.state:
        findings.spoilt = 1
        return findings
    assert state == wanted.state, f"{point}: the state is not that of an undisturbed run: {state}"
    check_bound(point, wanted, starts, findings.crashes)
    return findings


def _one_run(
    case: Case, point: Point, implementation: str, number: int, stop_at: int | None, starts: Starts
) -> tuple[Stopped | None, Any]:
    app = case.app(implementation)
    case.saver.ledger.process_died()
    case.saver.used_by = implementation

    async def main() -> Any:
        return await carry_on(app, case.shape, point.durability, [starts])

    with warnings.catch_warnings():
        # The process that died is this one, and so its runs seem to go on.
        warnings.filterwarnings("ignore", message="Thread .* already has a run in progress", category=AltoWarning)
        ran = run_until(main, seed=point.seed + number, stop_at=stop_at)
    return ran.stopped, ran.result


def is_spoilt(saver: SimulatedSaver, where: Any) -> bool:
    """Whether LangGraph changed what it had given away to be saved. We must not."""
    assert not saver.ledger.changed_by["alto"], f"{where}: a checkpoint was changed while it was being saved"
    return saver.ledger.changed_by["langgraph"] > 0


def check_no_repetition(point: Any, wanted: Undisturbed, kept: Kept, after: Counter[Work]) -> int:
    """A promised task never runs again in `sync`; in `async`, only if the checkpoint before it was lost."""
    repeated = 0
    for work, count in kept.promises.items():
        again = after[work] - wanted.left(work, count)
        repeated += max(0, again)
        assert point.durability != "sync" or again <= 0, f"{point}: {work} was promised and ran again"
    for work, count in kept.durably.items():
        again = after[work] - wanted.left(work, count)
        assert again <= 0, f"{point}: {work} was promised, its checkpoint was saved, and it ran again"
    return repeated


def check_bound(point: Any, wanted: Undisturbed, starts: Counter[Work], crashes: int) -> None:
    for work, count in starts.items():
        assert work in wanted.starts, f"{point}: {work} ran, which an undisturbed run never does"
        most = wanted.starts[work] + crashes * wanted.tasks(work)
        assert count <= most, f"{point}: {work} ran {count} times with {crashes} crashes; {most} are allowed"


def every_point(shape: str, durability: Durability, way: Way, seed: int, turns: int) -> Iterator[Point]:
    """One crash at each turn; at every third a second one, somewhere in the recovery."""
    draw = random.Random(f"points:{seed}")
    for turn in range(1, turns + 1):
        second = (draw.randint(1, turns),) if turn % 3 == 0 else ()
        yield Point(shape, durability, way, seed, (turn, *second))


def sample(points: Iterable[Choice], count: int, key: str) -> list[Choice]:
    """So many of the experiments, always the same ones for the same key."""
    everything = list(points)
    return random.Random(f"sample:{key}").sample(everything, min(count, len(everything)))
