"""Ways to cut a text, and what a splitter makes of the pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from alto_lg import split


@dataclass(frozen=True, slots=True)
class Outcome:
    """The items that came, and then the error, if any, as its type and message."""

    items: list[Any]
    error: tuple[type[Exception], str] | None


def outcome(splitter: split.Splitter[Any], deltas: Iterable[str]) -> Outcome:
    """What a source that gives these deltas is split into, through the driver."""
    items: list[Any] = []
    try:
        for item in splitter(iter(deltas)):
            items.append(item)  # what came before an error counts
    except Exception as error:
        return Outcome(items, (type(error), str(error)))
    return Outcome(items, None)


def pieces(text: str, size: int) -> list[str]:
    """The text in deltas of one size."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def cut(text: str, places: Sequence[int]) -> list[str]:
    """The text, cut at some places; two equal places give an empty delta."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(bounds)]


cuts = st.lists(st.integers(0, 10_000), max_size=12)


def assert_same_at_every_cut(splitter: split.Splitter[Any], text: str, places: Sequence[int] = ()) -> Outcome:
    """At once, one character at a time, in twos and threes, and at the given places: the same items and error."""
    whole = outcome(splitter, [text])
    for deltas in (pieces(text, 1), pieces(text, 2), pieces(text, 3), cut(text, places)):
        assert outcome(splitter, deltas) == whole, f"cut as {deltas!r}"
    return whole
