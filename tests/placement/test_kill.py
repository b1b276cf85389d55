"""Workers that are killed while runs go on: nothing is lost, nothing is committed twice, nothing hangs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from crashes.report import report

TESTS = Path(__file__).parents[1]
KILLS = {"ray": (6, 100), "processes": (8, 100), "groups": (3, 100), "nodes": (2, 50)}
"""On every change, and before a release; enough that one of them meets a firing. A node takes ten seconds to be missed,
and its replicas to be back."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "repeatable"),
    [
        pytest.param(kind, repeatable, id=f"{kind} {'repeatable' if repeatable else 'once'}")
        for kind in KILLS
        for repeatable in (True, False)
        if (kind, repeatable) != ("groups", True)  # which may start anew, so that any count is right
    ],
)
def test_killed_workers_lose_nothing(
    kind: str, repeatable: bool, release: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = KILLS[kind][release]
    command = [sys.executable, "-m", "placement.kill", "--on", kind, "--kills", str(kills)]
    done = subprocess.run(
        [*command, *(["--repeatable"] if repeatable else [])],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
        timeout=1700,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (told,) = [line for line in done.stdout.splitlines() if line.startswith(f"{kind}, ")]  # Ray has its say there, too
    counts = {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", told)}
    assert counts["kills"] == kills
    assert counts["again" if repeatable else "failed"] > 0, "no kill met a firing"
    assert counts["lost"] == counts["twice"] == counts["wrong"] == counts["hangs"] == counts["left"] == 0
    report(capsys, told)
