"""Whether all arms gave the same answers, and where the first difference lies. Pure.

Answers are JSON values that have been through JSON once, so that a tuple and a list are not a difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class Place:
    """Where two answers part: a path such as `$.verdicts[2].factual`, and what stands there on each side."""

    path: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One request that one arm answered otherwise than the reference arm."""

    request: str
    reference: str
    arm: str
    place: Place

    def __str__(self) -> str:
        width = max(len(self.reference), len(self.arm))
        return (
            f"request {self.request}, at {self.place.path}:\n"
            f"  {self.reference:<{width}}  {self.place.expected}\n"
            f"  {self.arm:<{width}}  {self.place.found}"
        )


def differences(answers: Mapping[str, Mapping[str, Any]]) -> tuple[Difference, ...]:
    """Every answer that is not the first arm's; `answers` is arm → request → answer."""
    reference, *others = answers
    return tuple(
        Difference(request, reference, arm, place)
        for request, expected in answers[reference].items()
        for arm in others
        if (place := first_difference(expected, answers[arm][request])) is not None
    )


def first_difference(expected: Any, found: Any, path: str = "$") -> Place | None:
    """The first place, in reading order, where two JSON values differ; None when they are equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return _first(_dict_places(expected, found, path))
    if isinstance(expected, list) and isinstance(found, list):
        return _first(_list_places(expected, found, path))
    # In Python 1 == 1.0 == True; in JSON a number is not a truth value, so that much is told apart.
    if isinstance(expected, bool) == isinstance(found, bool) and expected == found:
        return None
    return Place(path, _shown(expected), _shown(found))


def _dict_places(expected: dict[str, Any], found: dict[str, Any], path: str) -> Iterator[Place | None]:
    for key in [*expected, *(key for key in found if key not in expected)]:
        inner = f"{path}.{key}"
        if key not in found:
            yield Place(inner, _shown(expected[key]), "(absent)")
        elif key not in expected:
            yield Place(inner, "(absent)", _shown(found[key]))
        else:
            yield first_difference(expected[key], found[key], inner)


def _list_places(expected: Sequence[Any], found: Sequence[Any], path: str) -> Iterator[Place | None]:
    for position, (left, right) in enumerate(zip(expected, found, strict=False)):
        yield first_difference(left, right, f"{path}[{position}]")
    shared = min(len(expected), len(found))
    for position, left in enumerate(expected[shared:], start=shared):
        yield Place(f"{path}[{position}]", _shown(left), "(absent)")
    for position, right in enumerate(found[shared:], start=shared):
        yield Place(f"{path}[{position}]", "(absent)", _shown(right))


def _first(places: Iterator[Place | None]) -> Place | None:
    return next((place for place in places if place is not None), None)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}… ({len(text)} characters)"
