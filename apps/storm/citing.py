"""Numbers in square brackets: from the numbers of snippets to references that begin at 1.

Always true: a number in the result stands for a reference of the list, the references are numbered in the order in
which the text names them, and a number that no snippet has is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from alto_lg.apps.corpus import Passage
from alto_lg.apps.storm.state import Reference

CITATION = re.compile(r"\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
_CITATION_BEHIND_SPACE = re.compile(rf" *{CITATION.pattern}")
_EVIDENCE_NUMBER = re.compile(r"^\[(\d+)\] ", re.MULTILINE)


def numbered(passages: Sequence[Passage], numbers: Sequence[int] | None = None) -> str:
    """Passages as evidence, a line each, numbered from 1 if no numbers are given."""
    # What looks like a citation in a passage would be taken for one of ours.
    lines = (f"{passage['title']}: {without_citations(passage['text'])}" for passage in passages)
    pairs = zip(numbers or range(1, len(passages) + 1), lines, strict=True)
    return "\n".join(f"[{number}] {line}" for number, line in pairs)


def numbers_of(evidence: str) -> frozenset[int]:
    """The numbers that pieces of evidence have."""
    return frozenset(map(int, _EVIDENCE_NUMBER.findall(evidence)))


def named_in(text: str) -> list[int]:
    """The numbers that a text names, in order."""
    return [int(digits) for found in CITATION.findall(text) for digits in found.split(",")]


def without_citations(text: str) -> str:
    """A text without its numbers."""
    return _CITATION_BEHIND_SPACE.sub("", text)


def restricted(text: str, known: frozenset[int]) -> str:
    """The text without the numbers that nothing known has."""

    def kept(found: re.Match[str]) -> str:
        return "".join(f"[{number}]" for number in dict.fromkeys(named_in(found.group())) if number in known)

    return re.sub(r" +(?=[.,;!?]|$)", "", CITATION.sub(kept, text), flags=re.MULTILINE)


def cited(text: str, snippets: Sequence[Passage]) -> tuple[str, list[Reference]]:
    """The text with its numbers shifted, and what they stand for."""
    known = restricted(text, frozenset(range(1, len(snippets) + 1)))
    order = {number: place for place, number in enumerate(dict.fromkeys(named_in(known)), 1)}
    shifted = CITATION.sub(lambda found: f"[{order[int(found.group(1))]}]", known)
    return shifted, [{"number": place, **snippets[number - 1]} for number, place in order.items()]
