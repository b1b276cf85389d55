"""Finding the first place where two answers part."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from alto_lg.comparisons.answers import differences, first_difference

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("expected", "found", "path"),
    [
        ({"a": [1, {"b": True}]}, {"a": [1, {"b": False}]}, "$.a[1].b"),
        ({"a": 1}, {"a": 1, "b": 2}, "$.b"),
        ({"a": 1, "b": 2}, {"a": 1}, "$.b"),
        ([1, 2], [1], "$[1]"),
        ([1], [1, 2], "$[1]"),
        ([], {}, "$"),
        (1, True, "$"),
        (None, 0, "$"),
    ],
)
def test_the_first_difference_is_named_by_its_path(expected: Any, found: Any, path: str) -> None:
    place = first_difference(expected, found)
    assert place is not None and place.path == path


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert first_difference(value, value) is None


@given(JSON, JSON)
def test_values_differ_exactly_when_their_json_differs(left: Any, right: Any) -> None:
    def told_apart(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: told_apart(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [told_apart(inner) for inner in value]
        return (type(value).__name__, value)

    assert (first_difference(left, right) is None) == (told_apart(left) == told_apart(right))


def test_every_arm_is_compared_with_the_first() -> None:
    answers = {"one": {"r0": 1, "r1": 2}, "two": {"r0": 1, "r1": 2}, "three": {"r0": 1, "r1": 3}}
    (found,) = differences(answers)
    assert (found.reference, found.arm, found.request) == ("one", "three", "r1")
    assert str(found) == "request r1, at $:\n  one    2\n  three  3"


def test_a_long_value_is_cut_with_its_length() -> None:
    place = first_difference("x" * 1000, "y")
    assert place is not None and "1002 characters" in place.expected
