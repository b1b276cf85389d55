"""Passages for a query: keyword candidates, their order by meaning, and the fusion of several queries.

Always true: the answer depends on the corpus and the queries only; ties are broken by position in the corpus.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from alto_lg.adapters.bm25 import BM25Index
from alto_lg.adapters.embedders import Embedder, LatentSemantic
from alto_lg.adapters.faiss_index import FaissIndex
from alto_lg.apps.corpus import Passage

Found = tuple[Sequence[Sequence[int]], Sequence[Sequence[float]]]
"""Of several queries: the candidates of each, and its vector."""

CANDIDATES_MAX = 200
EVIDENCE_MAX = 3


class Retriever:
    """A corpus that can be searched by words and by meaning.

    is_quick: encoding a query, and reranking for it, takes a fraction of a millisecond.
    """

    def __init__(self, passages: Sequence[Passage], embedder: Embedder | None = None) -> None:
        self._passages = list(passages)
        self._positions = {passage["id"]: position for position, passage in enumerate(passages)}
        texts = [f"{passage['title']}. {passage['text']}" for passage in passages]
        self._words = BM25Index(texts)
        self.is_quick = embedder is None
        self._embedder = embedder or LatentSemantic(texts)
        self._meanings = FaissIndex(self._embedder.dimension)
        self._meanings.add([passage["id"] for passage in passages], self._embedder.embed(texts))

    def candidates(self, query: str) -> list[int]:
        """Positions of the passages that share words with a query, best first."""
        return self._words.search(query, CANDIDATES_MAX)

    def closest(self, query: str, count: int, among: Iterable[str] | None = None) -> list[Passage]:
        """The passages closest in meaning to a query, best first; only those with these ids where they are given."""
        vector = self._embedder.embed([query])[0]
        rows = None if among is None else [self._positions[identity] for identity in among]
        return self.evidence(hit.row for hit in self._meanings.search(vector, count, among=rows))

    def documents(self) -> list[list[Passage]]:
        """The passages of each document, in order: those whose ids differ in the last part only."""
        documents: defaultdict[str, list[Passage]] = defaultdict(list)
        for passage in self._passages:
            documents[passage["id"].rpartition("-")[0] or passage["id"]].append(passage)
        return list(documents.values())

    def encode(self, asked: Sequence[Sequence[str]]) -> list[list[list[float]]]:
        """One vector a query, for the queries of each who asks; the embedder is called once for all."""
        rows = iter(self._embedder.embed([query for queries in asked for query in queries]))
        return [[[float(entry) for entry in next(rows)] for _ in queries] for queries in asked]

    def rerank(self, candidates: Sequence[int], vector: Sequence[float]) -> list[int]:
        """The same positions, in order of closeness to the vector."""
        return [hit.row for hit in self._meanings.search(vector, len(candidates), among=candidates)]

    def best(self, asked: Sequence[Found]) -> list[list[Passage]]:
        """For each who asks, the passages that fit the queries best."""
        rankings = [[self.rerank(*pair) for pair in zip(*found, strict=True)] for found in asked]
        return [self.evidence(fuse(ranking)) for ranking in rankings]

    def evidence(self, positions: Iterable[int]) -> list[Passage]:
        """The passages at these positions."""
        return [self._passages[position] for position in positions]


def fuse(rankings: Sequence[Sequence[int]], kept: int = EVIDENCE_MAX) -> list[int]:
    """The best positions over several rankings, by the sum of their reciprocal ranks."""
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, position in enumerate(ranking, 1):
            scores[position] += 1 / rank
    return sorted(scores, key=lambda position: (-scores[position], position))[:kept]
