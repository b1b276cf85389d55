"""A thread whose every step is run by the other implementation is the thread that one of them would have made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from dropin import compare
from dropin.shapes.base import Shape
from dropin.watch import Durability, config_of
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from crashes.carry_on import FINISHED, carry_on, final, next_input
from crashes.points import MODES, Case, undisturbed
from crashes.record import Starts
from crashes.shapes import CASES
from crashes.stopping import no_collector, run_until

SEED = 4
HANDS_MAX = 80


class DrainsAtOnce(Starts):
    """Asks a run, as soon as one of its nodes has ended, to stop before its next step."""

    def __init__(self, control: RunControl) -> None:
        super().__init__()
        self._control = control

    async def on_chain_end(self, *args: Any, **settings: Any) -> None:
        await super().on_chain_end(*args, **settings)
        if self.done:
            self._control.request_drain()


async def _from_hand_to_hand(case: Case, begins: str, durability: Durability) -> tuple[Any, Any, int]:
    """Final state, history and number of hands."""
    hands = (begins, "langgraph" if begins == "alto" else "alto")
    shape = case.shape
    for number in range(HANDS_MAX):
        app = case.apps[hands[number % 2]]
        state = await app.aget_state(config_of(shape))
        given = next_input(shape, state)
        if given is FINISHED:
            return final(state), await _history(case), number
        control = RunControl()
        config = {**config_of(shape), "callbacks": [DrainsAtOnce(control)]}
        try:
            await app.ainvoke(given, config, durability=durability, context=shape.context, control=control)
        except GraphDrained:
            continue
    raise AssertionError(f"{shape} is not done after {HANDS_MAX} hands")


async def _history(case: Case) -> Any:
    found = [item async for item in case.apps["langgraph"].aget_state_history(config_of(case.shape))]
    return compare.history(found)


def _has_subgraphs(shape: Shape) -> bool:
    return any(node.subgraphs for node in shape.build(asyncio.sleep).compile().nodes.values())


def _hands() -> Iterator[Any]:
    """Every shape, mode and beginner, but for one combination.

    In `exit` a subgraph of LangGraph 1.2.22 that is drained saves nothing, so it would begin anew for ever.
    """
    for shape in CASES:
        for durability in MODES:
            if durability == "exit" and _has_subgraphs(shape):
                continue
            for begins in ("alto", "langgraph"):
                yield pytest.param(shape, durability, begins, id=f"{shape}-{durability}-{begins}")


@pytest.mark.parametrize(("shape", "durability", "begins"), list(_hands()))
def test_each_step_by_the_other_makes_the_same_thread(
    shape: Shape, durability: Durability, begins: str, release: bool
) -> None:
    if not release and (durability, begins) in {("sync", "langgraph"), ("exit", "langgraph")}:
        pytest.skip("one order is enough for every change; both are run with --release")
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    case.app("alto")
    case.saver.reset(SEED)

    async def whole() -> tuple[Any, Any]:
        state = await carry_on(case.apps["langgraph"], shape, durability, [])
        return state, await _history(case)

    with no_collector():
        state, history = run_until(whole, seed=SEED).result
        case.saver.reset(SEED)
        shared_state, shared_history, hands = run_until(
            lambda: _from_hand_to_hand(case, begins, durability), seed=SEED
        ).result
    assert state == shared_state == wanted.state
    assert hands >= 2, "it must change hands"
    if durability != "exit":  # there each hand leaves a checkpoint of its own
        assert shared_history == history
