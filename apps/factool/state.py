"""What flows through the graphs: plain strings, numbers and lists, so that every checkpointer can store it."""

from __future__ import annotations

import operator
from typing import Annotated, NotRequired, TypedDict

from alto_lg.apps.corpus import Passage


class Verdict(TypedDict):
    """What is said of one claim. `factual` is None where the evidence cannot decide; that counts as true."""

    index: int
    claim: str
    factual: bool | None
    reasoning: str
    error: str | None
    correction: str | None
    evidence: list[str]


class Question(TypedDict):
    """The input of a graph. A `reference` is an answer of somebody else's that is to be checked."""

    question: str
    reference: NotRequired[str]


class Report(TypedDict):
    """The state of a graph."""

    question: str
    reference: NotRequired[str]
    answer: str
    claims: list[str]
    verdicts: Annotated[list[Verdict], operator.add]
    factual: bool


class ClaimWork(TypedDict, total=False):
    """One claim on its way. `candidates` and `vectors` have one entry a query."""

    index: int
    claim: str
    queries: list[str]
    candidates: list[list[int]]
    vectors: list[list[float]]
    evidence: list[Passage]
