"""Carry on: take up a thread, wherever it stands, until there is nothing more to do.

Owns what a careful user does after a crash. Always true:
  only the saved state is asked what to do next, never what this process remembers;
  a question is answered by its text, so the answer does not depend on when or how often it is asked;
  `state.next` alone is never trusted: it is empty when every task of a step has its writes but the step is not saved.
"""

from __future__ import annotations

from typing import Any

from dropin import compare
from dropin.shapes.base import Shape
from dropin.watch import App, Durability, config_of, input_of
from langgraph.runtime import RunControl
from langgraph.types import Command, StateSnapshot

ROUNDS_MAX = 12


class Finished:
    """There is nothing left to do."""


FINISHED = Finished()


def next_input(shape: Shape, state: StateSnapshot) -> Any:
    """What to give the graph next: the input, the answers, None to go on, or `FINISHED`."""
    if state.created_at is None:
        return input_of(shape)
    if not state.tasks and not state.next:
        return FINISHED
    questions = [question for task in state.tasks if task.result is None for question in task.interrupts]
    if questions:
        return Command(resume={question.id: f"re {question.value}" for question in questions})
    return None


async def carry_on(
    app: App,
    shape: Shape,
    durability: Durability,
    callbacks: list[Any],
    control: RunControl | None = None,
    thread: str = "1",
) -> Any:
    """Run to the end; the final state, or what holds it up."""
    config = {**config_of(shape, thread), "callbacks": callbacks}
    for _ in range(ROUNDS_MAX):
        state = await app.aget_state(config_of(shape, thread))
        given = next_input(shape, state)
        if given is FINISHED:
            return final(state)
        await app.ainvoke(given, config, durability=durability, context=shape.context, control=control)
    return never_done(state)


def final(state: StateSnapshot) -> Any:
    """What an undisturbed run and a run with crashes must agree on."""
    return {"values": compare.plain(state.values), "next": state.next, "step": (state.metadata or {}).get("step")}


def never_done(state: StateSnapshot) -> Any:
    """In place of a final state, where a thread was taken up `ROUNDS_MAX` times and is not done."""
    return {"not done": compare.snapshot(state), "rounds": ROUNDS_MAX}
