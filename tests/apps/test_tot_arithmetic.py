"""Exact arithmetic: what is an expression, what solves a puzzle, and what can be made of a few numbers."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg.apps.tot.arithmetic import (
    TARGET,
    expression_of,
    is_solution,
    moves,
    numbers_in,
    operands_of,
    read_number,
    value_of,
    way_to_target,
)


def _numbers(*values: int) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, values))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(10 - 4) * 5 - 6", Fraction(24)),
        ("8 / (3 - 8 / 3)", Fraction(24)),
        ("4 × 5 − 6 ÷ 2", Fraction(17)),
        ("6", Fraction(6)),
        ("1 / 0", None),
        ("2 ** 9", None),
        ("-6 + 30", None),
        ("4.5 * 2", None),
        ("True + 1", None),
        ("__import__('os')", None),
        ("4 +", None),
        ("", None),
        ("(" * 150 + "1" + ")" * 150, None),
        ("1 + " * 100 + "1", None),
    ],
)
def test_an_expression_is_worked_out_exactly_or_refused(expression: str, value: Fraction | None) -> None:
    assert value_of(expression) == value


@given(st.text(alphabet="0123456789+-*/(). ×_a'\x00\n", max_size=40))
def test_no_text_makes_reading_an_expression_fail(text: str) -> None:
    value_of(text)
    operands_of(text)
    numbers_in(text)


@pytest.mark.parametrize(
    ("expression", "numbers", "solves"),
    [
        ("(10 - 4) * 5 - 6", (4, 5, 6, 10), True),
        ("4 * 6", (4, 6, 1, 1), False),
        ("4 * 6 * 1 * 1", (1, 1, 4, 6), True),
        ("4 * 6 * 1 * 1 * 1", (1, 1, 4, 6), False),
        ("24", (4, 5, 6, 10), False),
        ("12 + 12", (1, 2, 1, 2), False),
    ],
)
def test_a_solution_uses_every_number_once_and_comes_to_24(
    expression: str, numbers: tuple[int, ...], solves: bool
) -> None:
    assert is_solution(expression, _numbers(*numbers)) is solves


@pytest.mark.parametrize(
    ("text", "number"),
    [("6", 6), ("-6", -6), ("8/3", Fraction(8, 3)), ("2.5", Fraction(5, 2)), ("1/0", None), ("x", None), ("²", None)],
)
def test_numbers_are_read_as_models_write_them(text: str, number: Fraction | int | None) -> None:
    assert read_number(text) == number


def test_a_number_of_many_digits_is_none() -> None:
    assert read_number("9" * 5_000) is None


def test_each_way_of_joining_two_numbers_is_found_once() -> None:
    found = [(str(move.one), move.sign, str(move.other), str(move.result)) for move in moves(_numbers(3, 8))]
    assert found == [
        ("3", "+", "8", "11"),
        ("8", "-", "3", "5"),
        ("3", "*", "8", "24"),
        ("8", "/", "3", "8/3"),
        ("3", "/", "8", "3/8"),
    ]
    assert len(moves(_numbers(9, 9, 9))) == 4, "equal numbers give equal moves"


def test_a_move_leaves_its_result_and_what_was_not_used() -> None:
    rests = {(move.sign, move.rest) for move in moves(_numbers(4, 5, 6)) if {move.one, move.other} == {4, 6}}
    assert ("-", _numbers(2, 5)) in rests
    assert ("*", _numbers(5, 24)) in rests


def _comes_to_24(numbers: tuple[Fraction, ...]) -> bool:
    """The same question, answered by trying all orders of all operations, with negative numbers as well."""
    if len(numbers) == 1:
        return numbers[0] == TARGET
    for first, second in itertools.permutations(range(len(numbers)), 2):
        rest = tuple(numbers[place] for place in range(len(numbers)) if place not in (first, second))
        one, other = numbers[first], numbers[second]
        results = [one + other, one - other, one * other, *([one / other] if other else [])]
        if any(_comes_to_24((*rest, result)) for result in results):
            return True
    return False


@given(st.lists(st.integers(1, 13), min_size=1, max_size=3))
def test_a_way_is_found_exactly_where_there_is_one(values: list[int]) -> None:
    assert (way_to_target(_numbers(*sorted(values))) is not None) == _comes_to_24(_numbers(*values))


@given(st.lists(st.integers(1, 13), min_size=4, max_size=4))
def test_a_way_written_as_an_expression_is_a_solution(values: list[int]) -> None:
    numbers = _numbers(*sorted(values))
    way = way_to_target(numbers)
    if way is not None:
        assert is_solution(expression_of(numbers, [move[:4] for move in way]) or "", numbers)


def test_steps_with_a_number_that_is_not_there_make_no_expression() -> None:
    step = (Fraction(7), "+", Fraction(2), Fraction(9))
    assert expression_of(_numbers(2, 3), [step]) is None
