"""The results file, written and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from alto_lg.apps.base import InputError, Span
from alto_lg.comparisons.measure import EarlyWork, Measurement
from alto_lg.comparisons.results import ResultsFile, read_results

MEASURED = Measurement(
    arm="alto-flat",
    position=3,
    request="q-3",
    latency_s=1.25,
    first_result_s=0.5,
    cpu_s=0.125,
    limit_s=1.0,
    first_limit_s=0.25,
    answer={"verdicts": [True, None, "é"]},
    early=EarlyWork(5, 2, 0, 0.25),
    spans=(Span("claims", (), 0.0, 0.5), Span("query", (2, 1), 0.5, 0.75)),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "made" / "on-the-way" / "results.jsonl") as file:
        file.header({"seed": 7})
        file.measurement(MEASURED)
        file.summary({"equal": True})

    results = read_results(file.path)

    assert results.header == {"seed": 7}
    assert results.measurements == (MEASURED,)
    assert results.summary == {"equal": True}


def test_a_run_that_was_cut_short_leaves_a_file_without_summary(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.jsonl")
    file.header({"seed": 7})
    file.measurement(MEASURED)
    assert read_results(file.path).measurements == (MEASURED,)
    assert read_results(file.path).summary is None
    with file:
        pass


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header line"),
        ('{"kind": "summary"}\n', ":1: the header must be the first line"),
        ('{"kind": "header"}\nnot json\n', ":2: not a line of a results file"),
        ('{"kind": "header"}\n[]\n', ":2: not a line of a results file"),
        ('{"kind": "header"}\n{"kind": "other"}\n', ":2: kind 'other' is not one of"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_results(path)
