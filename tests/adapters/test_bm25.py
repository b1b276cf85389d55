"""Keyword search: what is found, what is not, and in which order."""

from __future__ import annotations

import pytest

from alto_lg.adapters.bm25 import BM25Index, terms

_TEXTS = ["The Nile flows north.", "The Amazon flows east.", "Bees make honey.", "The Nile flows north."]


def test_the_text_that_shares_most_words_comes_first() -> None:
    assert BM25Index(_TEXTS).search("Where does the Amazon flow?", 4)[0] == 1


def test_a_text_without_a_common_word_is_not_found() -> None:
    assert BM25Index(_TEXTS).search("bees", 4) == [2]


def test_equal_texts_are_ordered_by_position() -> None:
    assert BM25Index(_TEXTS).search("Nile", 4) == [0, 3]


@pytest.mark.parametrize("query", ["", "the of and", "quetzal", "¿¡"])
def test_a_query_without_a_known_word_finds_nothing(query: str) -> None:
    assert BM25Index(_TEXTS).search(query, 4) == []


@pytest.mark.parametrize(("k", "found"), [(0, 0), (1, 1), (2, 2), (200, 3)])
def test_no_more_than_k_and_no_more_than_there_are(k: int, found: int) -> None:
    assert len(BM25Index(_TEXTS).search("flows", k)) == found


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(ValueError, match="the corpus is empty"):
        BM25Index([])


def test_accents_case_and_common_endings_do_not_separate_words() -> None:
    assert terms("Émile moved cities") == terms("emile moves city")
    assert terms("The glass") == ["glass"]
