"""What flows through the graphs: plain strings, numbers and lists, so that every checkpointer can store it.

A packet holds strings and numbers only: a string can be changed by nobody, a list would have to be proven unshared.
"""

from __future__ import annotations

import operator
from typing import Annotated, NotRequired, TypedDict

from alto_lg.apps.corpus import Passage

PERSPECTIVES_MAX = 3
TURNS_MAX = 3
QUERIES_MAX = 3
SECTIONS_MAX = 20


class Topic(TypedDict):
    """The input of a graph.

    perspectives_max: editors beside the one who covers the basic facts, 3 if not given. turns_max: questions of each
    editor, 3. queries_max: searches for each question, 3. sections_max: of the article, 20. polish: whether one more
    call takes repetitions out of the whole article; it does not if not given.
    """

    topic: str
    perspectives_max: NotRequired[int]
    turns_max: NotRequired[int]
    queries_max: NotRequired[int]
    sections_max: NotRequired[int]
    polish: NotRequired[bool]


class Finding(TypedDict):
    """What was found for one question. place: of the editor; turn: of the question; both count from 0."""

    place: int
    turn: int
    queries: list[str]
    passages: list[Passage]


class Said(TypedDict):
    """One question and its answer."""

    place: int
    turn: int
    question: str
    answer: str


class Planned(TypedDict):
    """A section of the outline. outline: its headings, a line each; evidence: numbered snippets, a line each."""

    place: int
    heading: str
    outline: str
    evidence: str


class Section(TypedDict):
    """A written section."""

    place: int
    heading: str
    text: str


class Reference(TypedDict):
    """What a number in the article stands for."""

    number: int
    id: str
    title: str
    text: str


class Settings(TypedDict):
    """How much of everything there may be."""

    perspectives_max: int
    turns_max: int
    queries_max: int
    sections_max: int
    polish: bool


class Article(Settings):
    """The whole state of a graph. personas: the editors, the one for the basic facts first."""

    topic: str
    drafted: str
    related: list[str]
    contents: list[str]
    personas: list[str]
    said: Annotated[list[Said], operator.add]
    found: Annotated[list[Finding], operator.add]
    plan: list[Planned]
    sections: Annotated[list[Section], operator.add]
    lead: str
    polished: str
    article: str
    references: list[Reference]


class Talk(TypedDict, total=False):
    """An interview on its way. history: what was said, queries: what to search for, evidence: what was found."""

    topic: str
    place: int
    persona: str
    turn: int
    turns_max: int
    queries_max: int
    history: str
    question: str
    queries: str
    evidence: str


class Rest(TypedDict):
    """An interview that is over. steps_left: how many more steps of the graph the longest one would take."""

    steps_left: int


class Writing(TypedDict):
    """A section on its way to be written."""

    topic: str
    place: int
    heading: str
    outline: str
    evidence: str
