"""Processes that are killed with signal 9 leave a thread that the next process ends as if nothing had happened."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from dropin.watch import Durability

from crashes import servers
from crashes.child import Api, Job, Saver
from crashes.effects import EffectsFile, History, Life, read
from crashes.kill import Control, Summary, judge
from crashes.points import MODES
from crashes.record import Work
from crashes.report import report

TESTS = Path(__file__).parents[1]
KILLS: dict[tuple[Saver, Api], tuple[int, int]] = {
    ("sqlite", "async"): (4, 200),
    ("sqlite", "threads"): (3, 60),
    ("postgres", "async"): (0, 50),
}
"""How many kills a mode: on every change, and before a release."""


def _kill(saver: Saver, api: Api, mode: Durability, kills: int, capsys: pytest.CaptureFixture[str]) -> None:
    """In a process of its own, which forks: one with threads in it must not."""
    command = [sys.executable, "-m", "crashes.kill", "--saver", saver, "--api", api, "--mode", mode]
    done = subprocess.run(
        [*command, "--kills", str(kills)], cwd=TESTS, capture_output=True, text=True, check=False, timeout=1700
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", done.stdout)}
    assert counts["kills"] >= kills
    assert counts["wrong"] == 0
    assert (counts["early"] > 0) == (mode != "sync"), "something must be ahead when the process dies"
    report(capsys, f"{done.stdout.strip()}")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("api", ["async", "threads"])
def test_a_killed_process_loses_nothing_on_sqlite(
    mode: Durability, api: Api, release: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    _kill("sqlite", api, mode, KILLS["sqlite", api][release], capsys)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", MODES)
def test_a_killed_process_loses_nothing_on_postgres(
    mode: Durability, release: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if not release:
        pytest.skip("a server of its own takes too long for every change; run with --release")
    why = servers.missing()
    if why is not None:
        pytest.skip(why)
    _kill("postgres", "async", mode, KILLS["postgres", "async"][release], capsys)


A, B = Work((), "a", 1), Work((), "b", 2)
CONTROL = Control("{'done': 1}", 6, Counter({A: 1, B: 1}), Counter({A: 1, B: 1}), 0)


def _judged(mode: Durability, *lives: Life, state: str | None = CONTROL.state) -> list[str]:
    job = Job("shape", "sqlite", "async", mode, "alto", "run0", "", Path())
    summary = Summary()
    judge(job, CONTROL, History(list(lives), state), len(lives) - 1, summary)
    return summary.wrong


def test_a_run_that_a_kill_made_repeat_what_was_not_promised_is_right() -> None:
    killed = Life(starts=Counter({A: 1, B: 1}), effects=Counter({A: 1, B: 1}), promises=Counter({A: 1}))
    assert _judged("sync", killed, Life(starts=Counter({B: 1}), effects=Counter({B: 1}))) == []


def test_a_promise_that_is_broken_is_wrong_in_sync_alone() -> None:
    killed = Life(starts=Counter({A: 1}), effects=Counter({A: 1}), promises=Counter({A: 1}))
    again = Life(starts=Counter({A: 1, B: 1}), effects=Counter({A: 1, B: 1}))
    assert _judged("async", killed, again) == []
    assert "promised and run again" in _judged("sync", killed, again)[0]


def test_a_lost_effect_a_wrong_state_and_a_task_too_many_are_wrong() -> None:
    whole = Life(starts=Counter({A: 1, B: 1}), effects=Counter({A: 1, B: 1}))
    assert "effect of b of step 2 is lost" in _judged("async", Life(starts=Counter({A: 1}), effects=Counter({A: 1})))[0]
    assert "state None" in _judged("async", whole, state=None)[0]
    twice = Life(starts=Counter({A: 2, B: 1}), effects=Counter({A: 2, B: 1}))
    assert "ran 2 times" in _judged("async", twice)[0]


def test_a_line_that_a_kill_cut_short_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "effects"
    effects = EffectsFile(path)
    effects.append("begin")
    effects.work("start", A)
    with path.open("a") as file:
        file.write('{"what": "eff')
    assert read(path).lives == [Life(starts=Counter({A: 1}))]
