"""Keyword search over documents: BM25 as the library bm25s computes it, with an order that never depends on luck.

Owns how text becomes terms. Always true: equal scores are ordered by position in the corpus, and a document that
shares no term with the query is not returned.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import bm25s
import numpy as np

_WORD = re.compile(r"[a-z0-9]+")
_STOP_WORDS_TEXT = (
    "a an and are as at be been but by did do does for from had has have he her his how in is it its of on or "
    "she that the their they this to was were what when where which who whose why will with"
)
_STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))
_SHORTEST_STEM = 3


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word without a common English ending; crude on purpose, the same for queries and documents."""
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM and not word.endswith("ss"):
            shortened = word[: len(word) - len(ending)] + replacement
            return shortened[:-1] if shortened.endswith("e") else shortened
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word


def terms(text: str) -> list[str]:
    """The words of a text that count, in order: no accents, no case, no stop words, stemmed."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return [stem(word) for word in _WORD.findall(plain) if word not in _STOP_WORDS]


class BM25Index:
    """An index of texts that answers with positions in the order they were given."""

    def __init__(self, texts: Sequence[str]) -> None:
        if not texts:
            raise ValueError("a BM25 index needs at least one text; the corpus is empty")
        self._index = bm25s.BM25()
        self._index.index([terms(text) or [""] for text in texts], show_progress=False)

    def search(self, query: str, k: int) -> list[int]:
        """At most k positions, best first."""
        query_terms = terms(query)
        if not query_terms or k < 1:
            return []
        scores = self._index.get_scores(query_terms)
        order = np.argsort(-scores, kind="stable")[:k]
        return [int(position) for position in order if scores[position] > 0]
