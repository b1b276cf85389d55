"""Ends: a run that is cancelled, drained or closed anywhere, and taken up by somebody in the same process.

Owns the experiment and its judgement. Always true:
  the end comes at a planned turn of the loop, or after a planned number of events, and is the same each time;
  whoever takes the thread up has nothing but what the saver holds.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from dropin.shapes.base import Shape
from dropin.watch import App, Durability, config_of
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from crashes.carry_on import FINISHED, carry_on, next_input
from crashes.points import Case, Kept, Undisturbed, Way, check_bound, check_no_repetition, is_spoilt
from crashes.record import Starts, Work
from crashes.stopping import no_collector, run_until

How = Literal["cancel", "cancel twice", "drain", "close"]
MODES_READ = ("values", "updates", "custom", "checkpoints")


@dataclass(frozen=True, slots=True)
class End:
    """One experiment."""

    shape: str
    durability: Durability
    way: Way
    seed: int
    how: How
    at: int
    """The turn at which the run is cancelled or drained; the number of events after which its stream is closed."""
    again_after: int = 0
    """Turns to the second cancel."""


@dataclass(slots=True)
class EndFindings:
    """What all ends together showed."""

    ends: int = 0
    early: int = 0
    """Ends that came while the run went on."""
    ahead: int = 0
    saving: int = 0
    ran_again: int = 0
    untidy: int = 0
    """Ends after which tasks were left. LangGraph 1.2.22 goes on saving the errors of the tasks that it cancelled."""
    torn: int = 0
    """Ends at which half of a task's writes were saved, so that it counts as done. LangGraph 1.2.22 does that when the
    cancel comes between a node and its conditional edges."""
    spoilt: int = 0
    """Ends at which LangGraph changed a checkpoint while it was being saved, so that nobody could end the thread."""

    def add(self, other: EndFindings) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        return ", ".join(f"{name} {getattr(self, name)}" for name in self.__dataclass_fields__)


def try_end(case: Case, end: End, wanted: Undisturbed) -> EndFindings:
    """End the run there; nothing of it may be left, and whoever takes it up gets what an undisturbed run gives."""
    first, second = case.app(end.way.begins), case.app(end.way.resumes)
    case.saver.reset(end.seed)
    case.saver.used_by = end.way.begins
    findings = EndFindings(ends=1)
    begun, resumed = Starts(), Starts()
    experiment = _Experiment(case, end, first, begun, findings)

    async def main() -> tuple[Kept, Any]:
        await (experiment.close() if end.how == "close" else experiment.stop())
        findings.untidy += not await _wait_for_what_is_left(end, begun)
        kept = Kept.of(case.saver)
        case.saver.used_by = end.way.resumes
        return kept, await carry_on(second, case.shape, end.durability, [resumed])

    with no_collector():
        kept, state = run_until(main, seed=end.seed, acts=experiment.acts()).result
    torn = [promise for promise in case.saver.ledger.promises if promise.is_torn]
    if torn and end.way.begins == "langgraph":
        findings.torn += 1
        return findings
    assert not torn, f"{end}: half of a task's writes were saved: {torn}"
    if is_spoilt(case.saver, end) and state != wanted.state:
        findings.spoilt += 1
        return findings
    assert state == wanted.state, f"{end}: the state is not that of an undisturbed run: {state}"
    findings.ran_again += check_no_repetition(end, wanted, kept, resumed.counts)
    total: Counter[Work] = begun.counts + resumed.counts
    check_bound(end, wanted, total, findings.early)
    return findings


async def _wait_for_what_is_left(end: End, begun: Starts) -> bool:
    """Whether no task is left when the run has ended, and no node goes on. Of plain LangGraph neither is asked."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if end.how == "cancel twice":  # LangChain shields the callbacks of a cancelled run from a second cancel
        left = {task for task in left if "AsyncCallbackManager" not in task.get_name()}
    names = sorted(task.get_name() for task in left)
    done = begun.done
    if left:
        await asyncio.wait(left)
    goes_on = begun.done > done or bool(begun.running)
    if end.way.begins == "alto":
        assert not left, f"{end}: tasks left: {names}"
        assert not goes_on, f"{end}: nodes went on after the end, in {names}"
    return not left and not goes_on


class _Experiment:
    """The run that is ended."""

    def __init__(self, case: Case, end: End, app: App, starts: Starts, findings: EndFindings) -> None:
        self._case = case
        self._end = end
        self._app = app
        self._starts = starts
        self._findings = findings
        self._control = RunControl()
        self._running: asyncio.Task[Any] | None = None

    def acts(self) -> dict[int, Callable[[], None]]:
        """What happens at which turn of the loop."""
        match self._end.how:
            case "cancel":
                return {self._end.at: self._cancel}
            case "cancel twice":
                return {self._end.at: self._cancel, self._end.at + self._end.again_after: self._cancel}
            case "drain":
                return {self._end.at: self._drain}
            case "close":
                return {}

    def _cancel(self) -> None:
        if self._running is not None and not self._running.done():
            self._note()
            self._running.cancel()

    def _drain(self) -> None:
        if self._running is not None and not self._running.done():
            self._note()
            self._control.request_drain()

    def _note(self) -> None:
        """What the end will hit."""
        self._findings.early = 1
        self._findings.ahead = int(self._starts.is_ahead)
        self._findings.saving = int(self._case.saver.ledger.under_way.total() > 0)

    async def stop(self) -> None:
        """Run until it is over or somebody ends it."""
        shape, durability = self._case.shape, self._end.durability
        control = self._control if self._end.how == "drain" else None
        self._running = asyncio.ensure_future(
            carry_on(self._app, shape, durability, [self._starts], control), loop=asyncio.get_running_loop()
        )
        await asyncio.wait([self._running])
        if self._end.how == "drain":
            assert not self._running.cancelled()
            error = self._running.exception()
            assert error is None or isinstance(error, GraphDrained), f"{self._end}: {error!r}"
        elif self._findings.early:
            assert self._running.cancelled(), f"{self._end}: the cancel was swallowed"
        else:
            self._running.result()
        self._running = None

    async def close(self) -> None:
        """Read so many events, over as many inputs as it takes, and close the stream."""
        read = 0
        shape = self._case.shape
        config = {**config_of(shape), "callbacks": [self._starts]}
        while (given := next_input(shape, await self._app.aget_state(config_of(shape)))) is not FINISHED:
            settings = {"durability": self._end.durability, "context": shape.context, "stream_mode": MODES_READ}
            async with aclosing(self._app.astream(given, config, **settings)) as events:
                async for _ in events:
                    read += 1
                    if read == self._end.at:
                        self._note()
                        return


def count_events(case: Case, implementation: str, durability: Durability, seed: int) -> int:
    """How many events an undisturbed run gives, over all its inputs."""
    app, shape = case.app(implementation), case.shape
    case.saver.reset(seed)
    return _run_quietly(lambda: _read_all(app, shape, durability), seed)


async def _read_all(app: App, shape: Shape, durability: Durability) -> int:
    read = 0
    while (given := next_input(shape, await app.aget_state(config_of(shape)))) is not FINISHED:
        settings: Any = {"durability": durability, "context": shape.context, "stream_mode": MODES_READ}
        async for _ in app.astream(given, config_of(shape), **settings):
            read += 1
    return read


def _run_quietly(main: Callable[[], Any], seed: int) -> Any:
    with no_collector():
        return run_until(main, seed=seed).result


def every_end(shape: str, durability: Durability, way: Way, seed: int, how: How, most: int) -> Iterator[End]:
    """One end at each turn, or after each event; a drain, which is seen between two steps alone, at each fifth turn."""
    draw = random.Random(f"ends:{seed}:{how}")
    for at in range(1, most + 1, 5 if how == "drain" else 1):
        yield End(shape, durability, way, seed, how, at, draw.randint(1, 12) if how == "cancel twice" else 0)
