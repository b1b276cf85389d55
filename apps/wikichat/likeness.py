"""Which passages say the same: by the words that they share.

Always true: of passages that are alike the first one stays, so what stays depends on the order only.
"""

from __future__ import annotations

from alto_lg.apps.corpus import Passage
from alto_lg.apps.text import words

ALIKE_SHARE = 0.8


class Different:
    """Passages one by one: is this one unlike all that stayed before it?"""

    def __init__(self) -> None:
        self._kept: list[frozenset[str]] = []

    def is_new(self, passage: Passage) -> bool:
        """Whether the passage stays."""
        mine = frozenset(word.lower() for word in words(passage["text"]))
        if any(_share(mine, other) > ALIKE_SHARE for other in self._kept):
            return False
        self._kept.append(mine)
        return True


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index; two passages without words are alike."""
    together = one | other
    return len(one & other) / len(together) if together else 1.0
