"""Exact arithmetic on the numbers of a puzzle: reading numbers and expressions, and what may become of a few numbers.

Always true: numbers are fractions, so that 8 / 3 * 3 is 8; nothing here executes text: an expression is read by
Python's parser and only numbers, the four operations and brackets are accepted.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

TARGET = Fraction(24)
_EXPRESSION_CHARS_MAX = 200
_DIGITS_MAX = 9
_NUMBER = re.compile(r"-?\d+(?:\.\d+|/\d+)?")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_OPERATIONS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Move(NamedTuple):
    """Two numbers made one. rest: the numbers that are left, in order, the result among them."""

    one: Fraction
    sign: str
    other: Fraction
    result: Fraction
    rest: tuple[Fraction, ...]


def read_number(text: str) -> Fraction | None:
    """A whole number, a decimal or a fraction such as 8/3; None for anything else."""
    if not _NUMBER.fullmatch(text) or sum(map(str.isdigit, text)) > _DIGITS_MAX:
        return None
    try:
        return Fraction(text)
    except ZeroDivisionError:
        return None


def numbers_in(text: str) -> list[Fraction]:
    """All numbers of a text in order."""
    found = (read_number(one) for one in _NUMBER.findall(text))
    return [number for number in found if number is not None]


def value_of(expression: str) -> Fraction | None:
    """What an expression comes to; None where it is none, or divides by zero."""
    tree = _parsed(expression)
    if tree is None:
        return None
    worked_out: dict[ast.AST, Fraction] = {}
    for node in reversed(list(ast.walk(tree))):  # what a node joins comes behind it in the walk
        if isinstance(node, ast.operator):
            continue
        value = _value(node, worked_out)
        if value is None:
            return None
        worked_out[node] = value
    return worked_out[tree]


def operands_of(expression: str) -> list[Fraction]:
    """The numbers of an expression, smallest first; none where it is no expression."""
    tree = _parsed(expression)
    found = [] if tree is None else [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return sorted(Fraction(value) for value in found if isinstance(value, int) and not isinstance(value, bool))


def is_solution(expression: str, numbers: Sequence[Fraction]) -> bool:
    """Whether an expression uses each number exactly once and comes to 24."""
    return value_of(expression) == TARGET and operands_of(expression) == sorted(numbers)


def _parsed(expression: str) -> ast.expr | None:
    text = expression.translate(_SIGNS).strip()
    if not text or len(text) > _EXPRESSION_CHARS_MAX:
        return None
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _value(node: ast.AST, worked_out: Mapping[ast.AST, Fraction]) -> Fraction | None:
    """What a number is, or what an operation comes to; None for anything else."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATIONS:
        return None
    try:
        return _OPERATIONS[type(node.op)](worked_out[node.left], worked_out[node.right])
    except ZeroDivisionError:
        return None


@lru_cache(maxsize=50_000)
def moves(numbers: tuple[Fraction, ...]) -> tuple[Move, ...]:
    """Each way to make two of the numbers one, without negative numbers; equal ways once, in a fixed order."""
    return tuple({(move.one, move.sign, move.other): move for move in _moves(numbers)}.values())


def _moves(numbers: tuple[Fraction, ...]) -> Iterator[Move]:
    for place, first in enumerate(numbers):
        for other_place in range(place + 1, len(numbers)):
            large, small = max(first, numbers[other_place]), min(first, numbers[other_place])
            rest = numbers[:place] + numbers[place + 1 : other_place] + numbers[other_place + 1 :]
            for one, sign, other, result in _results(large, small):
                yield Move(one, sign, other, result, tuple(sorted((*rest, result))))


def _results(large: Fraction, small: Fraction) -> Iterator[tuple[Fraction, str, Fraction, Fraction]]:
    yield small, "+", large, small + large
    yield large, "-", small, large - small
    yield small, "*", large, small * large
    if small:
        yield large, "/", small, large / small
    if large and small != large:
        yield small, "/", large, small / large


@lru_cache(maxsize=200_000)
def way_to_target(numbers: tuple[Fraction, ...]) -> tuple[Move, ...] | None:
    """Moves that end in 24, none of them where that is all there is; None where nothing leads there."""
    if len(numbers) <= 1:
        return () if numbers == (TARGET,) else None
    for move in moves(tuple(sorted(numbers))):
        way = way_to_target(move.rest)
        if way is not None:
            return (move, *way)
    return None


def expression_of(numbers: Sequence[Fraction], way: Sequence[tuple[Fraction, str, Fraction, Fraction]]) -> str | None:
    """The moves written as one expression over the numbers; None where a move uses a number that is not there."""
    at_hand: list[tuple[Fraction, str]] = [(number, shown(number)) for number in numbers]
    text = ""
    for one, sign, other, result in way:
        taken = []
        for number in (one, other):
            place = next((at for at, (value, _) in enumerate(at_hand) if value == number), None)
            if place is None:
                return None
            taken.append(at_hand.pop(place)[1])
        text = f"{taken[0]} {sign} {taken[1]}"
        at_hand.append((result, f"({text})"))
    return text if len(at_hand) == 1 else None


def shown(number: Fraction) -> str:
    """A number as it is written: 6, or 8/3."""
    return str(number)
