"""Vectors with documents: searching, storing, and every way to use the index wrongly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alto_lg.adapters.faiss_index import EmptyIndex, FaissIndex, IndexFault, UnreadableIndex, WrongDimension


def _index() -> FaissIndex:
    index = FaissIndex(2)
    index.add(["east", "north", "northeast"], [[1, 0], [0, 1], [0.6, 0.8]])
    return index


def test_the_closest_document_comes_first() -> None:
    assert [hit.document for hit in _index().search([0, 1], 2)] == ["north", "northeast"]


def test_more_than_there_are_gives_what_there_is() -> None:
    assert [hit.row for hit in _index().search([1, 0], 10)] == [0, 2, 1]


def test_only_the_chosen_rows_are_searched() -> None:
    assert [hit.row for hit in _index().search([1, 0], 10, among=[1, 2, 2])] == [2, 1]
    assert _index().search([1, 0], 10, among=[]) == []


def test_a_row_that_does_not_exist_becomes_no_document() -> None:
    assert [hit.row for hit in _index().search([1, 0], 3, among=[0, 77])] == [0]


def test_asking_for_none_gives_none() -> None:
    assert _index().search([1, 0], 0) == []


def test_equal_scores_are_ordered_by_row() -> None:
    index = FaissIndex(1)
    index.add(["a", "b", "c"], [[1], [1], [1]])
    assert [hit.document for hit in index.search([1], 3)] == ["a", "b", "c"]


def test_a_vector_of_another_dimension_is_refused() -> None:
    with pytest.raises(WrongDimension, match="dimension 2, got dimension 3"):
        _index().search([1, 0, 0], 1)
    with pytest.raises(WrongDimension):
        _index().add(["x"], [[1.0]])


def test_an_empty_index_cannot_be_searched() -> None:
    with pytest.raises(EmptyIndex, match="call add"):
        FaissIndex(2).search([1, 0], 1)


def test_a_document_without_a_vector_is_refused() -> None:
    with pytest.raises(IndexFault, match="2 documents came with 1 vectors"):
        FaissIndex(2).add(["a", "b"], [[1, 0]])


def test_a_vector_that_is_no_number_is_refused() -> None:
    with pytest.raises(IndexFault, match="NaN or infinity"):
        _index().search([np.nan, 0], 1)


def test_what_is_stored_is_found_again(tmp_path: Path) -> None:
    _index().save(tmp_path / "index.json")
    assert FaissIndex.load(tmp_path / "index.json").search([0.5, 0.5], 3) == _index().search([0.5, 0.5], 3)


def test_an_empty_index_can_be_stored(tmp_path: Path) -> None:
    FaissIndex(5).save(tmp_path / "index.json")
    stored = FaissIndex.load(tmp_path / "index.json")
    assert (len(stored), stored.dimension) == (0, 5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not json", "no JSON"),
        ("[]", "its format"),
        ('{"format": "other"}', "its format"),
        ('{"format": "alto-lg vectors 1"}', "dimension"),
        ('{"format": "alto-lg vectors 1", "dimension": 2, "documents": ["a"], "vectors": [[1]]}', "dimension 2"),
    ],
)
def test_a_file_that_is_no_index_is_refused_with_its_name(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "index.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableIndex, match=reason) as refused:
        FaissIndex.load(path)
    assert str(path) in str(refused.value)
