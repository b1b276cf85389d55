"""How good the answers are: is each sentence borne out by the passages that it cites, and are those the right ones?

A sentence is *borne out* if most of its words, and all of its numbers, are in the passages that it cites. A reference
is *on the subject* if its passage is about one of the subjects with which the request is labelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alto_lg.adapters.bm25 import terms
from alto_lg.apps import text
from alto_lg.apps.base import Request
from alto_lg.apps.wikichat.citing import CITATION

_BORNE_OUT_SHARE = 0.7


def score(requests: Sequence[Request], answers: Sequence[Any]) -> dict[str, float]:
    """Shares over all sentences, references and labelled subjects, and how many turns have an answer at all."""
    pairs = list(zip(requests, answers, strict=True))
    labelled = [(request.labels["subjects"], answer) for request, answer in pairs if request.labels.get("subjects")]
    sentences = [is_borne_out for answer in answers for is_borne_out in _sentences(answer)]
    references = [
        any(_is_on(reference, subject) for subject in subjects)
        for subjects, answer in labelled
        for reference in answer["references"]
    ]
    subjects_met = [
        any(_is_on(reference, subject) for reference in answer["references"])
        for subjects, answer in labelled
        for subject in subjects
    ]
    return {
        "sentences_borne_out": _share(sentences),
        "references_on_subject": _share(references),
        "subjects_covered": _share(subjects_met),
        "turns_answered": _share([bool(answer["references"]) for answer in answers]),
        "sentences": float(len(sentences)),
        "references": float(len(references)),
    }


def _sentences(answer: Mapping[str, Any]) -> list[bool]:
    """Whether each sentence is borne out by what it cites; a run of sentences may share the number behind its last."""
    texts = {reference["number"]: reference["text"] for reference in answer["references"]}
    found: list[bool] = []
    numbers: list[int] = []
    for line in reversed(text.sentences(answer["answer"])):
        own = [int(one.group(1)) for one in CITATION.finditer(line)]
        numbers = own or numbers
        found.append(_is_borne_out(CITATION.sub("", line), " ".join(texts[number] for number in numbers)))
    return found


def _is_borne_out(sentence: str, evidence: str) -> bool:
    said, stated = set(terms(sentence)), set(terms(evidence))
    if not set(text.numbers(sentence)) <= set(text.numbers(evidence)):
        return False
    return len(said & stated) >= _BORNE_OUT_SHARE * len(said)


def _is_on(reference: Mapping[str, Any], subject: str) -> bool:
    return str(reference["id"]).rpartition("-")[0] == subject


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0
