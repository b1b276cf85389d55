"""The file of stored ratios: complete, readable, and refused by name when it is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from alto_lg.comparisons.statistics import Interval
from bench import stored
from bench.cases import CASES
from bench.stored import BadFile, Stored


def test_what_is_stored_are_all_figures_of_cases_that_there_are() -> None:
    """The other way round is for `make bench`: a case with nothing stored fails there."""
    figures = {case.name: set(case.figures) for case in CASES}
    kept = {name: set(one.ratios) for name, one in stored.read().items()}
    assert kept
    assert kept == {name: figures.get(name) for name in kept}


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "stored.json"
    kept = {"b": Stored({"cpu": Interval(1.25, 1.2, 1.3)}, "python"), "a": Stored({"calls": Interval(1, 1, 1)}, "→")}
    stored.write(kept, path)
    assert stored.read(path) == kept
    assert [line.split(":")[0].strip() for line in path.read_text().splitlines()[1:-1]] == ['"a"', '"b"']


def test_where_there_is_no_file_nothing_is_stored(tmp_path: Path) -> None:
    assert stored.read(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[]",
        '{"a": {"ratios": {"cpu": [1.2, 1.1, 1.3]}}}',
        '{"a": {"ratios": {}, "made_with": ""}}',
        '{"a": {"ratios": {"cpu": [1.2, 1.3]}, "made_with": ""}}',
        '{"a": {"ratios": {"cpu": [1.2, 1.3, 1.4]}, "made_with": ""}}',
        '{"a": {"ratios": {"cpu": [0, 0, 0]}, "made_with": ""}}',
    ],
)
def test_a_file_that_is_none_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "stored.json"
    path.write_text(text)
    with pytest.raises(BadFile, match=r"stored\.json: .*make bench-store"):
        stored.read(path)
