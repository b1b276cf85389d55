"""Longer answers, made of those that are there: for measuring how a graph fares with many claims.

Always true: each answer is whole sentences of given answers, in their order, one sentence for each claim asked for; its
labels are those of its sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, cycle, islice
from typing import Any

from alto_lg.apps import text
from alto_lg.apps.base import Request

_Sentence = tuple[str, Mapping[str, Any] | None]


def lengthened(requests: Sequence[Request], claims: int) -> list[Request]:
    """As many requests, each of which joins the answers from its own on until there are so many sentences.

    Raises:
        ValueError: A request has no answer to join, or labels that do not stand for its sentences.
    """
    parts = [list(_sentences(request)) for request in requests]
    if not any(parts):
        raise ValueError("the answers hold no sentence, so there is nothing to make a longer one of")
    return [_joined(requests, parts, first, claims) for first in range(len(requests))]


def _sentences(request: Request) -> Iterator[_Sentence]:
    if "reference" not in request.input:
        raise ValueError(f"request {request.id!r} has no answer of its own to make a longer one of")
    sentences = text.sentences(request.input["reference"])
    labels = request.labels.get("claims") or [None] * len(sentences)
    if len(labels) != len(sentences):
        told = f"{len(labels)} labels for {len(sentences)} sentences"
        raise ValueError(f"request {request.id!r} has {told}: a longer answer needs one label a sentence, or none")
    yield from zip(sentences, labels, strict=True)


def _joined(requests: Sequence[Request], parts: Sequence[Sequence[_Sentence]], first: int, claims: int) -> Request:
    order = islice(cycle(range(len(requests))), first, None)
    numbered = chain.from_iterable(((place, one) for one in parts[place]) for place in order)
    taken = list(islice(numbered, claims))
    asked = list(dict.fromkeys(place for place, _ in taken))
    labels = [label for _, (_, label) in taken]
    return Request(
        "+".join(requests[place].id for place in asked),
        {
            "question": " ".join(str(requests[place].input["question"]) for place in asked),
            "reference": " ".join(sentence for _, (sentence, _) in taken),
        },
        {"claims": labels} if labels and None not in labels else {},
    )
