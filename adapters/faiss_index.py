"""Vectors and their documents in one FAISS index, searched by inner product.

Owns the pairing of row and document. Always true: every vector has one dimension, fixed at the start; a search
answers with documents of this index only (FAISS's row -1 for "nothing" never becomes one); what is stored is JSON,
so that loading an index runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import ArrayLike, NDArray

_FORMAT = "alto-lg vectors 1"


class IndexFault(ValueError):
    """The index cannot do what was asked; the message says what to change."""


class WrongDimension(IndexFault):
    """The vectors have another length than the index was made for."""

    def __init__(self, expected: int, got: int) -> None:
        self.expected, self.got = expected, got
        super().__init__(
            f"the index holds vectors of dimension {expected}, got dimension {got}; "
            "use the embedder that the index was built with"
        )


class EmptyIndex(IndexFault):
    """The index has no document to find."""

    def __init__(self) -> None:
        super().__init__("the index is empty; call add() with documents and their vectors before searching")


class UnreadableIndex(IndexFault):
    """The file is not an index that this module has written."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} is not a stored index: {reason}; build the index again and save it")


@dataclass(frozen=True, slots=True)
class Hit:
    """One found document: its row, its text and the inner product with the query."""

    row: int
    document: str
    score: float


class FaissIndex:
    """An exact inner-product index; with unit vectors the score is the cosine."""

    def __init__(self, dimension: int) -> None:
        if dimension < 1:
            raise IndexFault(f"a dimension is at least 1, got {dimension}")
        self.dimension = dimension
        self._documents: list[str] = []
        self._vectors: Any = faiss.IndexFlatIP(dimension)

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, documents: Sequence[str], vectors: ArrayLike) -> None:
        """Append documents with one vector each."""
        rows = self._checked(vectors)
        if len(rows) != len(documents):
            raise IndexFault(f"{len(documents)} documents came with {len(rows)} vectors; give one vector each")
        self._vectors.add(rows)
        self._documents.extend(documents)

    def search(self, vector: ArrayLike, k: int, among: Sequence[int] | None = None) -> list[Hit]:
        """At most k documents, best first, ties by row; only rows in `among` where it is given."""
        if not self._documents:
            raise EmptyIndex()
        if among is not None and not among:
            return []
        query = self._checked(np.atleast_2d(np.asarray(vector, dtype=np.float32)))
        found = min(k, len(self) if among is None else len(set(among)))
        if found < 1:
            return []
        scores, rows = self._vectors.search(query, found, params=_only(among))
        hits = sorted((-float(score), int(row)) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0)
        return [Hit(row, self._documents[row], -less) for less, row in hits]

    def save(self, path: Path) -> None:
        """Write the documents and vectors as JSON."""
        rows = self._vectors.reconstruct_n(0, len(self)).tolist() if self._documents else []
        stored = {"format": _FORMAT, "dimension": self.dimension, "documents": self._documents, "vectors": rows}
        path.write_text(json.dumps(stored), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> FaissIndex:
        """Read what `save` wrote."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as fault:
            raise UnreadableIndex(path, f"no JSON ({fault})") from fault
        if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
            raise UnreadableIndex(path, f"its format is not {_FORMAT!r}")
        try:
            index = cls(int(stored["dimension"]))
            if stored["documents"]:
                index.add([str(document) for document in stored["documents"]], stored["vectors"])
        except (KeyError, TypeError, ValueError) as fault:
            raise UnreadableIndex(path, str(fault)) from fault
        return index

    def _checked(self, vectors: ArrayLike) -> NDArray[np.float32]:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.dimension:
            raise WrongDimension(self.dimension, int(rows.shape[-1]) if rows.ndim else 0)
        if not np.isfinite(rows).all():
            raise IndexFault("a vector holds NaN or infinity; FAISS would answer with any document")
        return rows


def _only(among: Sequence[int] | None) -> Any:
    if among is None:
        return None
    # The keyword exists at run time only: FAISS adds it to the generated class when it is imported.
    selected: Any = faiss.SearchParameters
    return selected(sel=faiss.IDSelectorBatch(np.asarray(among, dtype=np.int64)))
