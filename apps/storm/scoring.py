"""How good the articles are: do sections cite what they were given, is it borne out, and are the headings kept?

A section has *valid references* if it cites at least one snippet and only those that it was given. A sentence is
*borne out* if most of its words, and all of its numbers, are in the snippets that it cites. A subject is *covered* if
a reference is about it, for topics that are labelled with subjects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from alto_lg.adapters.bm25 import terms
from alto_lg.apps import text
from alto_lg.apps.base import Request
from alto_lg.apps.storm.citing import named_in, numbers_of, without_citations

_BORNE_OUT_SHARE = 0.7
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def score(requests: Sequence[Request], answers: Sequence[Any]) -> dict[str, float]:
    """Shares over all sections, headings, sentences and labelled subjects, and how much there is of some of them."""
    sections = [(plan, section) for answer in answers for plan, section in _sections(answer)]
    kept = [is_kept for answer in answers for is_kept in _headings(answer)]
    sentences = [is_borne_out for answer in answers for is_borne_out in _sentences(answer)]
    subjects = [
        any(str(reference["id"]).rpartition("-")[0] == subject for reference in answer["references"])
        for request, answer in zip(requests, answers, strict=True)
        for subject in request.labels.get("subjects", [])
    ]
    return {
        "sections_with_valid_references": _share([_is_valid(plan, section) for plan, section in sections]),
        "headings_kept": _share(kept),
        "sentences_borne_out": _share(sentences),
        "subjects_covered": _share(subjects),
        "sections": float(len(sections)),
        "references": float(sum(len(answer["references"]) for answer in answers)),
    }


def _sections(answer: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    written = {section["place"]: section for section in answer["sections"]}
    return [(planned, written[planned["place"]]) for planned in answer["plan"]]


def _is_valid(planned: Mapping[str, Any], section: Mapping[str, Any]) -> bool:
    named = named_in(section["text"])
    return bool(named) and set(named) <= numbers_of(planned["evidence"])


def _headings(answer: Mapping[str, Any]) -> list[bool]:
    """Whether each heading of the outline stands in the article."""
    standing = set(_HEADING.findall(answer["article"]))
    return [heading in standing for planned in answer["plan"] for heading in _HEADING.findall(planned["outline"])]


def _sentences(answer: Mapping[str, Any]) -> list[bool]:
    """Whether each sentence of the article that cites something is borne out by it."""
    texts = {reference["number"]: f"{reference['title']}. {reference['text']}" for reference in answer["references"]}
    body = answer["article"].partition("\n## References\n")[0]
    lines = [line for line in body.splitlines() if not line.startswith("#")]
    cited = [sentence for line in lines for sentence in text.sentences(line) if named_in(sentence)]
    return [_is_borne_out(sentence, " ".join(texts[number] for number in named_in(sentence))) for sentence in cited]


def _is_borne_out(sentence: str, evidence: str) -> bool:
    plain = without_citations(sentence)
    said, stated = set(terms(plain)), set(terms(evidence))
    if not set(text.numbers(plain)) <= set(text.numbers(evidence)):
        return False
    return len(said & stated) >= _BORNE_OUT_SHARE * len(said)


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0
