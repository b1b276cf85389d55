"""Ends of runs that are not saved: there is nothing to take up, but nothing may be left either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dropin.shapes.base import Shape
from dropin.watch import App, compiled, input_of

from crashes.points import IMPLEMENTATIONS
from crashes.stopping import no_collector, run_until


@dataclass(frozen=True, slots=True)
class Cancel:
    """When a run is cancelled, in turns of the loop; `again_after` is 0 if it is cancelled only once."""

    at: int
    again_after: int = 0


def app_of(shape: Shape) -> App:
    return compiled(shape, asyncio.sleep, IMPLEMENTATIONS["alto"])


def turns(app: App, shape: Shape, seed: int) -> int:
    """How many turns of the loop an undisturbed run takes."""

    async def main() -> None:
        await app.ainvoke(input_of(shape), dict(shape.config), context=shape.context)

    with no_collector():
        run_until(main, seed=seed)  # the first run makes the plan
        return run_until(main, seed=seed).turns


def cancel(app: App, shape: Shape, seed: int, when: Cancel) -> bool:
    """Cancel the run there; whether it was still going on. `run_until` finds what it leaves on the loop."""
    running: list[asyncio.Task[Any]] = []
    struck: list[bool] = []

    def strike() -> None:
        struck.append(bool(running) and running[0].cancel())

    async def main() -> None:
        run = app.ainvoke(input_of(shape), dict(shape.config), context=shape.context)
        running.append(asyncio.ensure_future(run))
        await asyncio.wait(running)
        left = {task for task in asyncio.all_tasks() - {asyncio.current_task()} if not _is_callback(task)}
        assert not left, f"{shape} {when}: tasks left: {left}"
        assert running[0].cancelled() or not any(struck), f"{shape} {when}: the cancel was swallowed"
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    acts: dict[int, Callable[[], None]] = {when.at: strike}
    if when.again_after:
        acts[when.at + when.again_after] = strike
    with no_collector():
        run_until(main, seed=seed, acts=acts)
    return any(struck)


def _is_callback(task: asyncio.Task[Any]) -> bool:
    """LangChain shields the callbacks of a cancelled run from a second cancel."""
    return "AsyncCallbackManager" in task.get_name()
