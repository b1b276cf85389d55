"""The same answers in every process, whatever order its sets have: each process may have a model of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def _answers(name: str, seed: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "apps.answers_of", name],
        cwd=TESTS,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["factool", "ircot", "llmcompiler", "storm", "tot", "wikichat"])
def test_answers_do_not_depend_on_the_process(name: str) -> None:
    with ThreadPoolExecutor() as pool:
        one, other, third = pool.map(lambda seed: _answers(name, seed), (1, 2, 3))
    assert one == other == third
    assert one
