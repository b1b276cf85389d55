"""Puzzles: those of the package, and those of a file, which is refused with its place if it is malformed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from alto_lg.apps.base import InputError
from alto_lg.apps.tot.arithmetic import numbers_in, way_to_target
from alto_lg.apps.tot.puzzles import PuzzleError, computed_puzzles, read_puzzle, read_puzzles


def test_the_package_has_about_a_hundred_puzzles_and_each_can_be_solved() -> None:
    assert 90 <= len(computed_puzzles()) == len(set(computed_puzzles())) <= 110
    assert all(way_to_target(tuple(numbers_in(numbers))) is not None for numbers in computed_puzzles())
    used = {number for numbers in computed_puzzles() for number in numbers_in(numbers)}
    assert used == set(map(Fraction, range(1, 14)))


def test_the_package_s_own_puzzles_are_read_as_requests() -> None:
    requests = read_puzzles(None)
    assert [read_puzzle(request.input["puzzle"]) for request in requests] == list(computed_puzzles())
    assert len({request.id for request in requests}) == len(requests)


@pytest.mark.parametrize("text", ["10 4 6 5", "4, 5, 6, 10", " 4,5 , 6 10\n"])
def test_the_numbers_of_a_puzzle_are_put_in_order(text: str) -> None:
    assert read_puzzle(text) == "4, 5, 6, 10"


@pytest.mark.parametrize(
    "text",
    ["", "4 5 6", "4 5 6 7 8", "4 5 6 x", "4 5 6 0", "4 5 6 100", "4 5 6 1/2", "4 5 6 -1", "4 5 6 2.0.1", "² 4 5 6"],
)
def test_what_is_no_puzzle_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PuzzleError, match=r"give four whole numbers from 1 to 99, as in '4 5 6 10'"):
        read_puzzle(text)


def test_a_text_file_has_a_puzzle_a_line(tmp_path: Path) -> None:
    path = tmp_path / "puzzles.txt"
    path.write_text("\ufeff4 5 6 10\n\n1, 1, 4, 6\n10 6 5 4\n", encoding="utf-8")
    assert [(one.id, one.input["puzzle"]) for one in read_puzzles(path)] == [
        ("4-5-6-10", "4 5 6 10"),
        ("1-1-4-6", "1, 1, 4, 6"),
    ]


def test_a_csv_file_has_a_column_of_puzzles(tmp_path: Path) -> None:
    path = tmp_path / "24.csv"
    path.write_text('Rank,Puzzles,Time\n1,1 1 4 6,4.4\n\n2,"1, 1, 11, 11",4.5\n', encoding="utf-8")
    assert [one.id for one in read_puzzles(path)] == ["1-1-4-6", "1-1-11-11"]


@pytest.mark.parametrize(
    ("name", "content", "place", "reason"),
    [
        ("a.txt", b"4 5 6 10\n4 5 6\n", ":2", "got '4 5 6' as puzzle"),
        ("a.txt", b"\n \n", "", "the file holds no puzzle"),
        ("a.txt", b"\xff\xfe", "", "not UTF-8 text"),
        ("a.csv", b"Rank,Time\n1,4\n", ":1", "no column 'Puzzles' in the header, which has rank, time"),
        ("a.csv", b"", ":1", "no column 'Puzzles' in the header, which has nothing"),
        ("a.csv", b"Rank,Puzzle\n1,4 5 6 10\n2\n", ":3", "the row has 1 cells"),
        ("a.csv", b"Rank,Puzzle\n1,4 5 6 10\n\n2,x\n", ":4", "got 'x' as puzzle"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(
    tmp_path: Path, name: str, content: bytes, place: str, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_puzzles(path)
    assert str(refused.value).startswith(f"{path}{place}: {reason}")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_puzzles(tmp_path / "none.txt")
