"""A loop that can be stopped at any of its turns, as if the machine had lost its power.

Owns the end of a run that nobody cleans up after. Always true:
  from the stop until `bury`, nothing of the stopped run is executed: every task and timer is still referenced, and the
  collector is off, so no `finally`, `except` or `__del__` runs that a killed process would not have run.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sim.loop import Schedule, VirtualLoop


class PowerLoss(BaseException):
    """Raised between two turns of the loop; no task ever sees it."""


class StoppingLoop(VirtualLoop):
    """A virtual loop that calls back when it is about to make certain turns."""

    def __init__(self, seed: int, schedule: Schedule, acts: Mapping[int, Callable[[], None]]) -> None:
        super().__init__(seed, schedule)
        self._acts = dict(acts)

    def turn(self) -> None:
        act = self._acts.pop(self.turns + 1, None)
        if act is not None:
            act()
        super().turn()

    def disarm(self) -> None:
        """The run has ended: what follows is tidying up."""
        self._acts.clear()


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run as it stood when it was stopped: held, so that nothing of it is finalised."""

    loop: StoppingLoop
    tasks: frozenset[asyncio.Task[Any]]

    def bury(self) -> None:
        """Only now, with everything checked: cancel what is left, so that it can be freed quietly."""
        self.loop.disarm()
        with contextlib.suppress(BaseException):
            for task in self.tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*self.tasks, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a coroutine: its result, or the state in which it was stopped."""

    result: Any
    turns: int
    stopped: Stopped | None = None


def run_until(
    coroutine_function: Callable[[], Coroutine[Any, Any, Any]],
    *,
    seed: int,
    schedule: Schedule = "shuffle",
    stop_at: int | None = None,
    acts: Mapping[int, Callable[[], None]] | None = None,
) -> Ran:
    """Run to the end, or up to a turn, with other things happening on the way. To be called within `no_collector`.

    Raises:
        What the coroutine raised, if it ended.
    """

    def lose_power() -> None:
        raise PowerLoss

    happens = dict(acts or {})
    if stop_at is not None:
        happens[stop_at] = lose_power
    loop = StoppingLoop(seed, schedule, happens)
    try:
        result = loop.run_until_complete(coroutine_function())
    except PowerLoss:
        return Ran(None, loop.turns, Stopped(loop, frozenset(asyncio.all_tasks(loop))))
    except BaseException:
        Stopped(loop, frozenset(asyncio.all_tasks(loop))).bury()
        raise
    loop.disarm()
    turns = loop.turns
    left = [task.get_name() for task in asyncio.all_tasks(loop)]
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert not left, f"tasks left: {left}"
    assert not loop.handler_calls, f"exception handler: {loop.handler_calls}"
    return Ran(result, turns)


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """The collector would finalise what is stopped; it is off, and called by hand when all is buried."""
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        gc.enable()
