"""How long the texts of a model made of rules are: drawn as the lengths of recorded outputs are spread.

Always true: a draw depends on its key and on nothing else.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from alto_lg.apps.tokens import count as token_count

__all__ = ["Spread", "drawn", "fitting", "source_of", "token_count"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A log-normal length. variation: coefficient of variation; least and most: where it is cut off."""

    mean: float
    variation: float
    least: int
    most: int


def source_of(key: str) -> random.Random:
    """Random numbers that a text decides."""
    return random.Random(hashlib.sha256(key.encode()).digest())


def drawn(spread: Spread, source: random.Random) -> int:
    """One length."""
    draw = NormalDist().inv_cdf(min(max(source.random(), 1e-9), 1 - 1e-9))
    sigma = math.sqrt(math.log1p(spread.variation**2))
    length = spread.mean * math.exp(sigma * draw - sigma**2 / 2)
    return round(min(max(length, spread.least), spread.most))


def fitting(pieces: Iterable[str], room: int, between: int = 0) -> list[str]:
    """As many pieces as come closest to so many tokens, in order, leaving out long ones; the first one always.

    between: tokens of what will stand between two pieces: 1 for lines.
    """
    chosen: list[str] = []
    used = 0
    for piece in pieces:
        size = token_count(piece) + between
        if not chosen or used + size / 2 <= room:
            chosen.append(piece)
            used += size
    return chosen
