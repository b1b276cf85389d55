"""From a query to passages."""

from __future__ import annotations

from alto_lg.apps.corpus import Passage, shipped_corpus
from alto_lg.apps.retrieval import CANDIDATES_MAX, EVIDENCE_MAX, Retriever, fuse


def _passages(count: int) -> list[Passage]:
    return [{"id": f"p{i}", "title": f"Stone {i}", "text": f"Stone number {i} is grey."} for i in range(count)]


def test_a_passage_found_by_both_queries_wins() -> None:
    assert fuse([[5, 7], [9, 7]], kept=1) == [5]
    assert fuse([[7, 5], [7, 9]]) == [7, 5, 9]


def test_equal_passages_are_ordered_by_position() -> None:
    assert fuse([[4], [2]]) == [2, 4]


def test_no_rankings_give_no_evidence() -> None:
    assert fuse([]) == fuse([[], []]) == []


def test_no_more_than_three_passages_are_kept() -> None:
    assert len(fuse([list(range(50)), list(range(50, 0, -1))])) == EVIDENCE_MAX


def test_no_more_than_two_hundred_candidates_are_taken() -> None:
    assert len(Retriever(_passages(CANDIDATES_MAX + 10)).candidates("grey stone")) == CANDIDATES_MAX


def test_reranking_keeps_the_candidates() -> None:
    retriever = Retriever(_passages(20))
    candidates = retriever.candidates("stone 7")
    assert sorted(retriever.rerank(candidates, retriever.encode([["stone 7"]])[0][0])) == sorted(candidates)


def test_a_query_of_nothing_finds_nothing_and_fails_nowhere() -> None:
    retriever = Retriever(_passages(3))
    assert retriever.candidates("") == []
    assert retriever.rerank([], retriever.encode([[""]])[0][0]) == []
    assert retriever.evidence([]) == []


def test_the_shipped_corpus_answers_a_question_on_it() -> None:
    retriever = Retriever(shipped_corpus())
    queries = ["Marie Curie Nobel Prize", "Which prize did Marie Curie win in 1911?"]
    pairs = zip(queries, *retriever.encode([queries]), strict=True)
    best = fuse([retriever.rerank(retriever.candidates(query), vector) for query, vector in pairs])
    assert "marie-curie-3" in [passage["id"] for passage in retriever.evidence(best)]
