"""How long a model made of rules writes: lengths that vary as those of real models do.

Always true: a length depends on the seed and the prompt only.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from alto_lg.apps import text


@dataclass(frozen=True, slots=True)
class Lengths:
    """A log-normal distribution of token counts: its mean, its coefficient of variation, and its ends."""

    mean: float
    variation: float
    least: int
    most: int

    def drawn(self, prompt: str, seed: int) -> int:
        """The length of the answer to a prompt."""
        digest = hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()
        draw = NormalDist().inv_cdf(min(max(random.Random(digest).random(), 1e-9), 1 - 1e-9))
        sigma = math.sqrt(math.log(1 + self.variation**2))
        tokens = self.mean * math.exp(sigma * draw - sigma**2 / 2)
        return round(min(max(tokens, self.least), self.most))


def fitting(pieces: Iterable[str], room: int) -> list[str]:
    """As many pieces as come closest to the room, in order, leaving out what is too long; the first one always."""
    chosen: list[str] = []
    used = 0
    for piece in pieces:
        size = text.token_count(piece)
        if not chosen or used + size / 2 <= room:
            chosen.append(piece)
            used += size
    return chosen
