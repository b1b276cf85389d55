"""What was measured of the outputs of real models, to be compared with those of the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

StageOf = Callable[[Sequence[Mapping[str, str]], str], str]
"""Messages and the answer to them, to the stage that asked."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outputs of one stage. variation: coefficient of variation; None where nobody has measured it.

    source: of what, and how the figure was got.
    """

    tokens: float
    variation: float | None
    source: str
