"""The measurement of batching: it measures nothing that is not the same, and says what is missing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pytest

from alto_lg.adapters.embedders import Embedder, LatentSemantic, Vectors
from alto_lg.comparisons.batching import arms, run

_CORPUS = ["The heart drives blood through the body.", "The violin has four strings.", "Volcanoes erupt lava."]


def _options(**changed: int) -> argparse.Namespace:
    return argparse.Namespace(**{"runs": 3, "texts": 9, "repeats": 2, "idle_repeats": 2, **changed})


def _latent_semantic() -> Embedder:
    return LatentSemantic(_CORPUS)


class Tilted:
    """Gives a text another vector when it is not alone."""

    dimension = 2

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), 2), float(len(texts)), dtype=np.float32)


@pytest.mark.slow
def test_every_way_is_in_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_options(), _latent_semantic) == 0
    printed = capsys.readouterr().out
    for arm in arms(_latent_semantic().embed):
        assert arm.name in printed
    assert "The embedder alone, 2 calls of each size" in printed
    assert "One run at a time, 2 of each" in printed


def test_other_vectors_are_no_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_options(), Tilted) == 1
    told = capsys.readouterr()
    assert told.err == "batched, LangGraph: a vector is 2 off that of its text alone; no time is printed\n"
    assert told.out == ""


def test_a_missing_extra_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> Embedder:
        raise ImportError("install the extra")

    assert run(_options(), missing) == 1
    assert capsys.readouterr().err == "install the extra\n"


@pytest.mark.parametrize("name", ["runs", "texts", "repeats", "idle_repeats"])
def test_a_count_below_one_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_options(**{name: 0}), _latent_semantic) == 2
    assert capsys.readouterr().err == f"--{name.replace('_', '-')} must be at least 1\n"
