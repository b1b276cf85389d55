"""Faults: the n-th save goes wrong; what the caller is told, and what can be done with the thread afterwards.

Owns the experiment and its judgement. Always true: a fault is meant for one operation of the saver, by its number, and
an experiment in which that operation never came says so.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from dropin.watch import App, Durability

from crashes.carry_on import carry_on
from crashes.points import Case, Undisturbed, Way, check_bound, is_spoilt
from crashes.record import Starts
from crashes.saver import DatabaseLocked, Fault, Kind, SaveFailed
from crashes.stopping import no_collector, run_until

PATIENCE_S = 60.0
"""Virtual seconds after which a caller gives a run up that hangs."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One experiment: what goes wrong with which save."""

    shape: str
    durability: Durability
    way: Way
    seed: int
    kind: Kind
    number: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller of the run got."""

    struck: bool
    """Whether the operation came, and went wrong."""
    error: str
    """The class of the error; empty if there was none."""


def try_fault(case: Case, trouble: Trouble, wanted: Undisturbed) -> Told:
    """Run into the fault, see what the caller is told, and take the thread up."""
    first, second = case.app(trouble.way.begins), case.app(trouble.way.resumes)
    case.saver.reset(trouble.seed, {(trouble.kind, trouble.number): trouble.fault})
    case.saver.used_by = trouble.way.begins
    begun, resumed = Starts(), Starts()

    async def main() -> tuple[str, Any]:
        error = await _run_into_it(case, trouble, first, begun)
        case.saver.faults.clear()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left or trouble.way.begins == "langgraph", f"{trouble}: tasks left: {left}"
        for task in left:  # plain LangGraph's: a save that hangs does so for ever
            task.cancel()
        if left:
            await asyncio.wait(left)
        case.saver.used_by = trouble.way.resumes
        return error, await carry_on(second, case.shape, trouble.durability, [resumed])

    with no_collector():
        error, state = run_until(main, seed=trouble.seed).result
    struck = case.saver.ledger.faults.total() > 0
    assert struck or not error, f"{trouble}: {error} without a fault"
    spoilt = is_spoilt(case.saver, trouble)
    assert spoilt or state == wanted.state, f"{trouble}: the state is not that of an undisturbed run: {state}"
    check_bound(trouble, wanted, begun.counts + resumed.counts, int(struck))
    return Told(struck, error)


async def _run_into_it(case: Case, trouble: Trouble, app: App, starts: Starts) -> str:
    """The name of the error that the caller gets; of one who waits too long, `TimeoutError`."""
    running = asyncio.ensure_future(carry_on(app, case.shape, trouble.durability, [starts]))
    await asyncio.wait([running], timeout=PATIENCE_S)
    if not running.done():
        running.cancel()  # waits for the saves that are under way
        await asyncio.wait([running], timeout=PATIENCE_S)
        running.cancel()  # and this does not
        await asyncio.wait([running])
        return "TimeoutError" if running.cancelled() else type(running.exception()).__name__
    error = running.exception()
    if error is not None and not isinstance(error, SaveFailed | DatabaseLocked):
        raise AssertionError(f"{trouble}: the caller was told of another error") from error
    return "" if error is None else type(error).__name__
