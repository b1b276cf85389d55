"""What decides a file's figures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alto_lg.comparisons import provenance
from alto_lg.comparisons.plan import make_plan
from alto_lg.comparisons.provenance import changed, settings_of

Options = Callable[..., argparse.Namespace]


def settings(options: argparse.Namespace) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(settings_of(make_plan(options))))
    return found


def test_the_same_command_has_the_same_settings_and_another_says_what_differs(options: Options) -> None:
    before = settings(options("--requests", "2"))
    assert changed(before, settings(options("--requests", "2"))) == []
    (told,) = changed(before, settings(options("--requests", "4")))
    assert told == "requests was 2 and is 4"


def test_the_contents_of_an_input_file_count_and_not_its_name(options: Options, tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text("a")
    other.write_text("a")
    assert changed(settings(options("--questions", str(one))), settings(options("--questions", str(other)))) == []
    before = settings(options("--questions", str(one)))
    one.write_text("b")
    assert len(changed(before, settings(options("--questions", str(one))))) == 1


def test_the_code_that_makes_figures_counts_and_that_which_shows_them_does_not() -> None:
    names = set(provenance._sources())
    assert {"alto_lg/engine/machine.py", "alto_lg/adapters/langgraph/run.py", "alto_lg/apps/spans.py"} <= names
    assert "alto_lg/comparisons/measure.py" in names and "alto_lg/comparisons/sim/batching.py" in names
    assert "alto_lg/comparisons/table.py" not in names


def test_a_key_is_in_no_settings(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    assert "sk-of-nobody" not in json.dumps(settings(options()))
