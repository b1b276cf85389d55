"""What flows through the graphs: plain strings and numbers, so that every checkpointer can store it.

Numbers are written one after the other, "5, 6, 6", and steps one a line, "10 - 4 = 6 (left: 5, 6, 6)": a string in a
packet can be changed by nobody, a list would have to be proven to be unshared.
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

    steps: all steps so far, one a line; each says which numbers it leaves, and the last one is the answer.
    """

    step: int
    place: int
    line: int
    steps: str
    value: float


class Expansion(TypedDict, total=False):
    """A thought that was kept, to be gone on from. run: under which its run shares its calls."""

    run: str
    numbers: str
    step: int
    place: int
    steps: str


class Valuing(Expansion, total=False):
    """A thought to be valued: the steps that were kept, and the next one; an empty one where nothing was proposed."""

    line: int
    proposed: str


class Search(Puzzle, total=False):
    """The whole state of a graph. step: how many are done. kept: the best thoughts of the last of them, best first."""

    run: str
    numbers: str
    step: int
    kept: list[Thought]
    thoughts: Annotated[list[Thought], operator.add]
    answer: str
    solved: bool
