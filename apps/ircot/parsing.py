"""From the text of a model's answer to one new sentence, and to the answer itself.

Always true: no text makes a function here raise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONCLUDES = re.compile(r"\banswer is\b[:\s]*", re.IGNORECASE)


def is_new(sentence: str, thoughts: Sequence[str]) -> bool:
    """Whether a sentence says something, and something else than the reasoning so far: models like to begin again."""
    return any(map(str.isalnum, sentence)) and sentence not in thoughts


def concludes(thought: str) -> bool:
    """Whether a sentence says what the answer is."""
    return _CONCLUDES.search(thought) is not None


def answer_of(text: str) -> str:
    """What stands behind the last "answer is"; the last line where nothing does."""
    lines = text.strip().splitlines() or [""]
    *_, last = _CONCLUDES.split(text)
    said = (last.strip().splitlines() or [""])[0] if concludes(text) else lines[-1]
    return said.strip().rstrip(".").strip("\"'* ").rstrip(".")
