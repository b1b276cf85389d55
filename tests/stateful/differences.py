"""Differences: where two plain values part, in one line.

Owns the words of a failure. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = 300


class Differs(AssertionError):
    """Both sides lived the same life and one of them is not like the other."""


def same(what: str, langgraph: Any, alto: Any) -> None:
    """Raises:
    Differs: they are not equal; with the first place where they part.
    """
    if langgraph == alto:
        return
    place, left, right = first_difference(langgraph, alto)
    raise Differs(f"{what}{place}:\n  one side   {left!r:.{SHOWN}}\n  the other  {right!r:.{SHOWN}}")


def first_difference(left: Any, right: Any) -> tuple[str, Any, Any]:
    """Where they part, and what stands there in each."""
    if isinstance(left, Mapping) and isinstance(right, Mapping) and left.keys() == right.keys():
        parts = [(f"[{key!r}]", left[key], right[key]) for key in left]
    elif isinstance(left, Sequence) and type(left) is type(right) and len(left) == len(right) and left != "":
        parts = [(f"[{place}]", *pair) for place, pair in enumerate(zip(left, right, strict=True))]
    else:
        return "", left, right
    place, first, second = next(part for part in parts if part[1] != part[2])
    if isinstance(first, str):
        return place, first, second
    inner, first, second = first_difference(first, second)
    return place + inner, first, second
