"""Numbers in square brackets: from the numbers of notes to references that begin at 1.

Always true: a number in the result stands for a reference of the list, the references are numbered in the order in
which the text names them, and a number that no note has is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from alto_lg.apps.wikichat.state import Note, Reference

CITATION = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")


def cited(text: str, notes: Sequence[Note]) -> tuple[str, list[Reference]]:
    """The text with its numbers shifted, and what they stand for."""
    numbers: dict[int, int] = {}

    def shifted(found: re.Match[str]) -> str:
        named = [int(digits) for digits in found.group(1).split(",")]
        known = dict.fromkeys(number for number in named if 1 <= number <= len(notes))
        return "".join(f"[{numbers.setdefault(number, len(numbers) + 1)}]" for number in known)

    answer = re.sub(r" +(?=[.,;!?])", "", " ".join(CITATION.sub(shifted, text).split()))
    passages = [notes[number - 1]["passage"] for number in numbers]
    listed: list[Reference] = [{"number": place, **passage} for place, passage in enumerate(passages, 1)]
    return answer, listed
