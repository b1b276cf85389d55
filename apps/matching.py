"""Whether a short answer is the right one: by the same words, and by the words that are shared.

The measures are those that are usual for short answers: case, punctuation and articles count for nothing.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = frozenset(("a", "an", "the"))
_PUNCTUATION = str.maketrans("", "", string.punctuation + "–—’“”")


def plain_words(text: str) -> list[str]:
    """The words of an answer that count."""
    return [word for word in re.split(r"\s+", text.lower().translate(_PUNCTUATION)) if word and word not in _ARTICLES]


def is_same(given: str, right: str) -> bool:
    """Whether two answers have the same words in the same order."""
    return plain_words(given) == plain_words(right)


def shared(given: str, right: str) -> float:
    """The harmonic mean of the shares of words that each has of the other."""
    one, other = Counter(plain_words(given)), Counter(plain_words(right))
    common = (one & other).total()
    return 2 * common / (one.total() + other.total()) if common else 0.0


def score(pairs: Sequence[tuple[Sequence[str], str]]) -> dict[str, float]:
    """Means over pairs of right answers and a given one; of several right answers the closest counts."""
    count = len(pairs) or 1
    return {
        "exact": sum(any(is_same(given, one) for one in right) for right, given in pairs) / count,
        "words_shared": sum(max(shared(given, one) for one in right) for right, given in pairs) / count,
        "labelled": float(len(pairs)),
    }
