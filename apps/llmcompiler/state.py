"""What flows through the graphs: plain strings, numbers and lists, so that every checkpointer can store it.

A packet holds strings and numbers only: nobody can change what a task needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict


class Task(TypedDict):
    """A line of the plan: the tool, and its argument as it is written, with $1 for the result of task 1."""

    number: int
    tool: str
    argument: str


class Result(TypedDict):
    """What a task came to. argument: with results in the place of their numbers."""

    number: int
    tool: str
    argument: str
    result: str


def by_number(some: Sequence[Result], others: Sequence[Result]) -> list[Result]:
    """Results of several tasks in the order of their numbers, whichever ended first."""
    return sorted([*some, *others], key=lambda result: result["number"])


class Asked(TypedDict):
    """The input of a graph."""

    question: str


class Compiled(Asked):
    """The state of a graph.

    run: a name for what the tasks of this run have in common. round: 1 for the first plan, 2 for the second.
    plan: the tasks of all rounds. missing: what the joiner says that there should be another plan for; "" for nothing.
    """

    run: str
    round: int
    plan: list[Task]
    results: Annotated[list[Result], by_number]
    missing: str
    answer: str


class Call(TypedDict):
    """A task whose results are there: its tool can be called. The packet of the flat graph."""

    round: int
    number: int
    tool: str
    argument: str


class Line(TypedDict):
    """A task of which nobody waits to know whether its results are there. The packet of the streaming graph.

    plan: the lines of the plan up to this one.
    """

    run: str
    round: int
    number: int
    plan: str
