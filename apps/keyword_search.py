"""A corpus that is searched by words alone.

Always true: the answer depends on the corpus and the query only; ties are broken by position in the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alto_lg.adapters.bm25 import BM25Index
from alto_lg.apps.corpus import Passage
from alto_lg.apps.questions import read_passages


class KeywordSearch:
    """Passages by BM25 over their titles and texts."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = list(passages)
        self._index = BM25Index([f"{passage['title']}. {passage['text']}" for passage in passages])

    def best(self, query: str, count: int) -> list[Passage]:
        """At most so many passages, best first; none that shares no word with the query."""
        return [self._passages[place] for place in self._index.search(query, count)]


def search_over(corpus: Path | None) -> KeywordSearch:
    """Over the user's corpus, or over the package's own; `InputError` for one that cannot be used."""
    return _own_search() if corpus is None else KeywordSearch(read_passages(corpus))


@cache
def _own_search() -> KeywordSearch:
    """Searching changes nothing in it, so graphs may share it."""
    return KeywordSearch(read_passages(None))
