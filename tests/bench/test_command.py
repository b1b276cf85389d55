"""`python -m bench`: stores, compares, reports; real runs in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.cases import CASES

TESTS = Path(__file__).parent.parent
CASE = "one async node"


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "--only", CASE, "--seconds", "0.1", *arguments]
    # The workers of pytest-xdist say so in the environment, and nothing is timed among them.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.slow
def test_a_ratio_is_stored_and_compared_with_and_one_that_was_much_lower_fails_the_run(tmp_path: Path) -> None:
    path, summary, output = tmp_path / "stored.json", tmp_path / "summary.md", tmp_path / "all.json"
    storing = _bench("--stored", str(path), "--store")
    assert storing.returncode == 0, storing.stdout + storing.stderr
    comparing = _bench("--stored", str(path), "--summary", str(summary), "--output", str(output))
    assert comparing.returncode == 0, comparing.stdout + comparing.stderr
    assert f"| {CASE} | calls |" in summary.read_text()
    (noted,) = json.loads(output.read_text())["benchmarks"]
    assert noted["extra_info"]["figures"][0]["case"] == CASE
    kept = json.loads(path.read_text())
    kept[CASE]["ratios"]["calls"] = [0.5, 0.5, 0.5]
    path.write_text(json.dumps(kept))
    failing = _bench("--stored", str(path))
    assert failing.returncode == 1
    assert f"WorseThanStored: {CASE}: calls is " in failing.stdout
    assert "LOSS" in failing.stdout


@pytest.mark.slow
def test_a_case_with_nothing_stored_fails_and_says_how_to_store_it(tmp_path: Path) -> None:
    ended = _bench("--stored", str(tmp_path / "none.json"))
    assert ended.returncode == 1
    assert f"NotStored: {CASE}: no stored ratio of cpu, calls." in ended.stdout
    assert f"make bench-store ARGS='--only \"{CASE}\"'" in ended.stdout


def test_the_names_of_all_cases_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [case.name for case in CASES]


@pytest.mark.parametrize(
    ("option", "said"), [("--only=no such case", "no case has 'no such case'"), ("--seconds=0", "0;")]
)
def test_an_option_that_cannot_be_is_refused(option: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 2
    assert said in capsys.readouterr().err


def test_a_file_of_stored_ratios_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stored.json"
    path.write_text("none")
    assert main(["--only", CASE, "--stored", str(path)]) == 2
    assert "it is no file of stored ratios" in capsys.readouterr().err
