"""Puzzles: the package's own, which are computed, or the user's file, checked whole before anything runs.

Always true: a puzzle is four whole numbers from 1 to 99, and those of the package can be solved.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, islice
from pathlib import Path

from alto_lg.apps.base import InputError, Request
from alto_lg.apps.tot.arithmetic import read_number, shown, way_to_target

_COUNT = 4
_NUMBER_MAX = 99
_CARDS = range(1, 14)
# Every 14th of the 1,820 hands of four cards: easy and hard ones, about a hundred of which can be solved.
_EVERY = 14
_COLUMNS = ("puzzle", "puzzles")


class PuzzleError(ValueError):
    """A text that is no puzzle."""


def read_puzzle(text: str) -> str:
    """The four numbers of a text, smallest first, as "4, 5, 6, 10"."""
    numbers = [read_number(word) for word in text.replace(",", " ").split()]
    fit = [number for number in numbers if number and number.denominator == 1 and 1 <= number <= _NUMBER_MAX]
    if len(numbers) != _COUNT or len(fit) != _COUNT:
        raise PuzzleError(f"got {text!r} as puzzle; give four whole numbers from 1 to {_NUMBER_MAX}, as in '4 5 6 10'")
    return ", ".join(shown(number) for number in sorted(fit))


def read_puzzles(path: Path | None) -> list[Request]:
    """One request a line of a text file, or a row of a .csv file with a column "Puzzles"; the package's own without."""
    if path is None:
        return [_request(numbers.replace(",", ""), numbers) for numbers in computed_puzzles()]
    if not path.is_file():
        raise InputError(path, None, "no such file; give a text file with a puzzle a line, or a .csv file")
    found: dict[str, Request] = {}
    for line, text in _texts(path):
        try:
            numbers = read_puzzle(text)
        except PuzzleError as fault:
            raise InputError(path, line, str(fault)) from fault
        found.setdefault(numbers, _request(text, numbers))
    if not found:
        raise InputError(path, None, "the file holds no puzzle")
    return list(found.values())


@cache
def computed_puzzles() -> tuple[str, ...]:
    """Hands of four cards that can come to 24, from all over the deck."""
    hands = islice(combinations_with_replacement(_CARDS, _COUNT), 0, None, _EVERY)
    solvable = (hand for hand in hands if way_to_target(tuple(map(Fraction, hand))) is not None)
    return tuple(", ".join(map(str, hand)) for hand in solvable)


def _request(text: str, numbers: str) -> Request:
    return Request("-".join(numbers.split(", ")), {"puzzle": text})


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as fault:
        raise InputError(path, None, f"not UTF-8 text (byte {fault.start})") from fault
    if path.suffix.lower() == ".csv":
        yield from _rows(path, lines)
    else:
        yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _rows(path: Path, lines: list[str]) -> Iterator[tuple[int, str]]:
    rows = csv.reader(lines)
    header = [name.strip().lower() for name in next(rows, [])]
    column = next((place for place, name in enumerate(header) if name in _COLUMNS), None)
    if column is None:
        raise InputError(path, 1, f"no column 'Puzzles' in the header, which has {', '.join(header) or 'nothing'}")
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= column:
            raise InputError(path, rows.line_num, f"the row has {len(row)} cells, and no puzzle among them")
        yield rows.line_num, row[column]
