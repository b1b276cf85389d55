"""How requests arrive: one at a time, at so many a second, or at a share of what the server can bear. Pure.

Always true: a load is named by the text that asks for it, so that a file's name says how it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.comparisons.errors import UsageError

_ALONE = "alone"
_SHARE_MAX = 95
"""Over this the queue has not settled before the trace ends, and its figures say how long the trace was."""


@dataclass(frozen=True, slots=True)
class Load:
    """rate: requests a second. share: of saturation, in percent. Neither: one at a time. Never both."""

    rate: float | None = None
    share: float | None = None

    @property
    def is_alone(self) -> bool:
        """One request at a time."""
        return self.rate is None and self.share is None

    def __str__(self) -> str:
        if self.share is not None:
            return f"{self.share:g}%"
        return _ALONE if self.rate is None else f"{self.rate:g}"

    def rate_at(self, saturation_rate: float | None) -> float:
        """Requests a second; 0 for one at a time."""
        if self.share is None:
            return self.rate or 0.0
        if saturation_rate is None:
            raise UsageError(f"{self} of saturation cannot be known on a server of your own: give requests a second.")
        return saturation_rate * self.share / 100


ALONE = Load()


def loads_of(text: str) -> tuple[Load, ...]:
    """The loads of a comma-separated list, lightest kind first: `alone`, then requests a second, then shares."""
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise UsageError("--rates: the list is empty; give rates such as 0.2,0.4 or shares such as 50%,70%.")
    return tuple(sorted(map(_load, words), key=_order))


def _load(word: str) -> Load:
    if word == _ALONE:
        return ALONE
    number = _number(word.removesuffix("%"))
    if word.endswith("%"):
        if number is None or not 0 < number <= _SHARE_MAX:
            raise UsageError(f"--rates: {word!r} is not a share of saturation above 0 % and up to {_SHARE_MAX} %.")
        return Load(share=number)
    if number is None or not 0 < number < float("inf"):
        raise UsageError(
            f"--rates: {word!r} is neither `alone`, nor requests a second, nor a share of saturation such as 70%."
        )
    return Load(rate=number)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _order(load: Load) -> tuple[bool, bool, float]:
    return not load.is_alone, load.share is not None, load.share or load.rate or 0.0


def lists_shares(loads: Sequence[Load]) -> bool:
    """Whether saturation has to be known."""
    return any(load.share is not None for load in loads)
