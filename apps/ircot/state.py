"""What flows through the graph: plain strings and lists, so that every checkpointer can store it."""

from __future__ import annotations

from typing import TypedDict

from alto_lg.apps.corpus import Passage


class Question(TypedDict):
    """The input of the graph."""

    question: str


class Chain(Question):
    """The state of the graph.

    passages: all that was found so far, in the order of finding. thoughts: a sentence for each step.
    """

    passages: list[Passage]
    thoughts: list[str]
    answer: str
