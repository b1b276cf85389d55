"""What flows through the graphs: plain strings, numbers and lists, so that every checkpointer can store it."""

from __future__ import annotations

import operator
from typing import Annotated, NotRequired, TypedDict

from alto_lg.apps.corpus import Passage


class Turn(TypedDict):
    """What was said in one turn of a conversation that is over."""

    user: str
    agent: str


class Found(TypedDict):
    """A passage with its place: which branch (0: queries, 1: facts), which item of it, which rank there."""

    place: list[int]
    passage: Passage


class Note(TypedDict):
    """What of a passage bears on the conversation; no points where nothing does."""

    place: list[int]
    passage: Passage
    points: list[str]


class Reference(TypedDict):
    """What a number in the answer stands for."""

    number: int
    id: str
    title: str
    text: str


class Question(TypedDict):
    """The input of a graph: the user's turn, and what was said before if no checkpointer knows it."""

    question: str
    history: NotRequired[list[Turn]]


class Conversation(TypedDict):
    """The state of a graph. All but `history` is of the last turn."""

    question: str
    history: Annotated[list[Turn], operator.add]
    dialogue: str
    queries: list[str]
    facts: list[str]
    by_query: Annotated[list[Found], operator.add]
    by_fact: Annotated[list[Found], operator.add]
    passages: list[Found]
    notes: Annotated[list[Note], operator.add]
    drafted: str
    refined: str
    answer: str
    references: list[Reference]


class SearchWork(TypedDict, total=False):
    """One query or one fact on its way; without `text`, a branch that has none."""

    place: int
    text: str
    passages: list[Passage]


class FilterWork(TypedDict):
    """One passage on its way."""

    place: list[int]
    passage: Passage
    dialogue: str
