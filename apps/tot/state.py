"""What flows through the graphs: plain strings and numbers, so that every checkpointer can store it.

Numbers are written one after the other, "5, 6, 6", and steps one a line: a string in a packet can be changed by nobody,
a list would have to be proven to be unshared.
"""

from __future__ import annotations

import operator
from typing import Annotated, NotRequired, TypedDict

STEPS = 4
BEAM = 5
SAMPLES = 3


class Puzzle(TypedDict):
    """The input of a graph: four numbers as text. beam: how many thoughts are kept at each step, 5 if not given."""

    puzzle: str
    beam: NotRequired[int]


class Thought(TypedDict):
    """One way to go on. step counts from 1; place: of the thought that it goes on from, among those kept; line: its
    place among the proposals for that one.

    steps: all steps so far, one a line. left: the numbers that are left; empty once there is an answer.
    """

    step: int
    place: int
    line: int
    steps: str
    left: str
    answer: str
    value: float


class Expansion(TypedDict, total=False):
    """A thought that was kept, to be gone on from. run: under which its run shares its calls."""

    run: str
    numbers: str
    step: int
    place: int
    steps: str
    left: str


class Valuing(Expansion, total=False):
    """A thought to be valued. With neither numbers left nor an answer it stands for "nothing was proposed", which
    is sent all the same where the step could not end without it."""

    line: int
    answer: str


class Search(Puzzle, total=False):
    """The whole state of a graph. step: how many are done. kept: the best thoughts of the last of them, best first."""

    run: str
    numbers: str
    step: int
    kept: list[Thought]
    thoughts: Annotated[list[Thought], operator.add]
    answer: str
    solved: bool
