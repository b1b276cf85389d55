"""What early tools could save with other tools: the arithmetic, and files that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alto_lg.apps.agent.limit import Turn
from alto_lg.apps.agent.prompts import LOOK_UP, SEARCH
from alto_lg.comparisons.agent_bounds import bounds_s, main
from alto_lg.comparisons.results import ResultsFile

TURNS = [Turn(1.0, (SEARCH, LOOK_UP), (9.0, 9.0), (0.4, 1.0)), Turn(0.5, (), (), ())]


def test_the_times_of_the_tools_are_drawn_anew_and_the_calls_stay() -> None:
    in_steps, best = bounds_s([TURNS], {SEARCH: (900, 900), LOOK_UP: (100, 100)}, draws=3, seed=0)
    assert (in_steps, best) == (pytest.approx(1.0 + 0.9 + 0.5), pytest.approx(0.4 + 0.9 + 0.5))


def test_where_the_last_call_takes_longest_nothing_can_be_saved() -> None:
    in_steps, best = bounds_s([TURNS], {SEARCH: (100, 100), LOOK_UP: (900, 900)}, draws=3, seed=0)
    assert in_steps == pytest.approx(best)


def test_a_file_without_the_agents_requests_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ResultsFile(tmp_path / "results.jsonl") as file:
        file.header({"application": "factool"})
    monkeypatch.setattr(sys, "argv", ["agent_bounds", str(file.path)])
    assert main() == 2
    assert "no request of the arm 'asyncio' called a tool" in capsys.readouterr().err
