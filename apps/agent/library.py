"""What the three tools know: passages by their words and ids, measures by their words, and sums of two numbers.

Always true: an answer depends on the corpus and the question only; what is not found is said, and raises nothing, so
that a model can read it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, DecimalException

from alto_lg.adapters.bm25 import BM25Index
from alto_lg.apps import text
from alto_lg.apps.corpus import Passage

_FOUND_MAX = 3
_SIGNIFICANT_DIGITS = 4
_MEASURE = re.compile(r"\d[\d,.]* (?:metres|kilometres|kilograms|tonnes|degrees)\b")
_NUMBER = r"(-?\d[\d,]*(?:\.\d+)?)"
_EXPRESSION = re.compile(rf"\s*{_NUMBER}\s*([-+*/])\s*{_NUMBER}\s*")
_OPERATIONS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


class Library:
    """A corpus that can be searched, read and asked for measures."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = list(passages)
        self._by_id = {passage["id"]: passage for passage in passages}
        self._index = BM25Index([f"{passage['title']}. {passage['text']}" for passage in passages])
        self._measures = [
            (passage["title"], sentence)
            for passage in passages
            for sentence in text.sentences(passage["text"])
            if _MEASURE.search(sentence)
        ]
        self._measure_index = BM25Index([f"{title}. {sentence}" for title, sentence in self._measures] or ["nothing"])

    def search(self, query: str) -> str:
        """The best passages, one a line, each with its id in brackets, its title and its first sentence."""
        found = [self._passages[position] for position in self._index.search(query, _FOUND_MAX)]
        lines = [f"[{one['id']}] {one['title']}: {text.sentences(one['text'])[0]}" for one in found]
        return "\n".join(lines) or f"No passage tells of {query!r}."

    def open(self, passage_id: str) -> str:
        """A passage with its id and title."""
        passage = self._by_id.get(passage_id)
        if passage is None:
            return f"There is no passage {passage_id!r}; search first."
        return f"[{passage['id']}] {passage['title']}\n{passage['text']}"

    def look_up(self, what: str) -> str:
        """The sentence that has the measure, or the value of an expression."""
        expression = _EXPRESSION.fullmatch(what)
        if expression:
            return _worked_out(*expression.groups())
        found = self._measure_index.search(what, 1) if self._measures else []
        return self._measures[found[0]][1] if found else f"No measure is known for {what!r}."


def _worked_out(left: str, sign: str, right: str) -> str:
    written = f"{left} {sign} {right}"
    try:
        value = _OPERATIONS[sign](Decimal(left.replace(",", "")), Decimal(right.replace(",", "")))
    except DecimalException:
        return f"{written} has no value."
    return f"{written} = {_shown(value)}"


def _shown(value: Decimal) -> str:
    """With all digits before the point, and no more than four where there are fewer."""
    whole = len(str(abs(int(value))).lstrip("0"))
    return f"{value:,.{max(0, _SIGNIFICANT_DIGITS - whole)}f}"
