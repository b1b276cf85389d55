"""`kill -9`, for real: processes that run a graph are killed at random moments until the graph is done.

    python -m crashes.kill --saver sqlite --mode sync --kills 200

Run it in the folder `tests`. Owns the killing and its judgement. Always true:
  each run has a database and an effects file of its own, and is killed at most twice, the second time in recovery;
  half of all restarts are plain LangGraph's, in either direction;
  a kill counts only if the process was still at work, and a run is judged only when it has ended.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from dropin.watch import Durability

from crashes.child import Api, Job, Saver, live
from crashes.effects import History, read
from crashes.record import Work
from crashes.servers import postgres

SHAPES: dict[Api, tuple[str, ...]] = {
    "async": (
        "four_hops",
        "ladders",
        "rounds_beside_a_slow_node",
        "merged_in_order",
        "asks_far_ahead",
        "early_packets_to_subgraph",
    ),
    "threads": ("hops_on_threads", "ladders_on_threads"),
}
KILLS_A_RUN_MAX = 2
RESTARTS_MAX = KILLS_A_RUN_MAX + 1
PATIENCE_S = 120.0
"""How long a process may take."""
POLL_S = 0.0005
THEN_S_MAX = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to whom."""

    saver: Saver
    api: Api
    mode: Durability
    kills: int
    seed: int


@dataclass(slots=True)
class Summary:
    """What all runs showed."""

    runs: int = 0
    kills: int = 0
    in_recovery: int = 0
    """Kills of a process that had taken up what a killed one left."""
    to_langgraph: int = 0
    to_alto: int = 0
    """Kills after which the other implementation went on."""
    tasks: int = 0
    starts: int = 0
    ran_again: int = 0
    """Tasks whose writes were promised before a kill and that were started again. Never in `sync`."""
    early: int = 0
    """Early starts of one undisturbed run of each graph; none in `sync`."""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = (f"{name} {getattr(self, name)}" for name in self.__dataclass_fields__ if name != "wrong")
        return ", ".join((*counts, f"wrong {len(self.wrong)}"))


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: so long after the process has written so many lines of its record.

    Not so long after it began: on a busy machine most kills would come before its first node.
    """

    lines: int
    then_s: float


@dataclass(frozen=True, slots=True)
class Control:
    """A run that nobody killed: its state, the length of its record, and how often each task ran and was promised."""

    state: str
    lines: int
    starts: Counter[Work]
    promises: Counter[Work]
    early: int


def main(arguments: list[str] | None = None) -> int:
    plan = _parse(arguments)
    folder = Path(tempfile.mkdtemp(prefix="kill-"))
    with _database(plan) as server:
        summary = kill(plan, server, folder)
    print(f"{plan.saver} {plan.api} {plan.mode}: {summary}", flush=True)
    for found in summary.wrong:
        print(found)
    if summary.wrong:
        print(f"The databases and effects files are in {folder}.")
    else:
        shutil.rmtree(folder)
    return 1 if summary.wrong else 0


def _parse(arguments: list[str] | None) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m crashes.kill", description=__doc__.split("\n")[0])
    parser.add_argument("--saver", choices=get_args(Saver), default="sqlite")
    parser.add_argument("--api", choices=get_args(Api), default="async")
    parser.add_argument("--mode", choices=get_args(Durability), default="sync")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    found = parser.parse_args(arguments)
    if found.saver == "postgres" and found.api == "threads":
        parser.error("--api threads is run on SQLite only")
    return Plan(found.saver, found.api, found.mode, found.kills, found.seed)


@contextmanager
def _database(plan: Plan) -> Iterator[str | None]:
    """The address of a server, for savers that need one."""
    if plan.saver == "sqlite":
        yield None
        return
    with postgres() as address:
        yield address


def kill(plan: Plan, server: str | None, folder: Path) -> Summary:
    """Run and kill until there were enough kills."""
    draw = random.Random(f"{plan}")
    summary = Summary()
    controls: dict[str, Control] = {}
    while summary.kills < plan.kills:
        shape = SHAPES[plan.api][summary.runs % len(SHAPES[plan.api])]
        job = _job(plan, server, folder, shape, f"run{summary.runs}")
        if shape not in controls:
            controls[shape], early = _control(job, folder)
            summary.early += early
        _one_run(job, controls[shape], draw, summary)
        if summary.runs % 20 == 0:
            print(f"{plan.saver} {plan.api} {plan.mode}: {summary}", file=sys.stderr, flush=True)
    return summary


def _job(plan: Plan, server: str | None, folder: Path, shape: str, name: str) -> Job:
    database = server or str(folder / f"{name}.sqlite")
    return Job(shape, plan.saver, plan.api, plan.mode, "langgraph", name, database, folder / f"{name}.effects")


def _control(job: Job, folder: Path) -> tuple[Control, int]:
    """Both implementations without a kill: the same state, and each task started as often; how many started early."""
    plain = _unharmed(replace(job, implementation="langgraph", mode="sync"), folder)  # here each task has its promise
    alto = _unharmed(replace(job, implementation="alto"), folder)
    if (plain.state, plain.starts) != (alto.state, alto.starts):
        raise RuntimeError(f"{job.shape}: runs without a kill differ: {plain} and {alto}")
    return replace(plain, lines=alto.lines), alto.early


def _unharmed(job: Job, folder: Path) -> Control:
    name = f"control-{job.shape}-{job.implementation}"
    database = job.database if job.saver == "postgres" else str(folder / f"{name}.sqlite")
    own = replace(job, thread=name, database=database, effects=folder / f"{name}.effects")
    killed = _process(own, None)
    history = read(own.effects)
    if killed or history.error or history.state is None:
        raise RuntimeError(f"{own}: the run without a kill failed: {history.error}")
    lines = _lines(own.effects)
    return Control(history.state, lines, history.total("starts"), history.total("promises"), history.early)


def _one_run(job: Job, control: Control, draw: random.Random, summary: Summary) -> None:
    """Kill, restart, kill perhaps once more, and let it end."""
    summary.runs += 1
    kills_left = draw.randint(1, KILLS_A_RUN_MAX)
    kills = 0
    before = ""
    for _ in range(RESTARTS_MAX):  # the last one is left to end
        implementation = draw.choice(("alto", "langgraph"))
        summary.to_langgraph += (before, implementation) == ("alto", "langgraph")
        summary.to_alto += (before, implementation) == ("langgraph", "alto")
        moment = Moment(draw.randint(1, control.lines), draw.uniform(0, THEN_S_MAX)) if kills_left else None
        killed = _process(replace(job, implementation=implementation), moment)
        summary.in_recovery += killed and kills > 0
        kills += killed
        kills_left -= killed
        before = implementation if killed else ""
        if not killed:
            break
    summary.kills += kills
    judge(job, control, read(job.effects), kills, summary)


def _process(job: Job, moment: Moment | None) -> bool:
    """Let a process do the job; whether it was killed before it was done."""
    before = _lines(job.effects)
    child = os.fork()
    if child == 0:
        live(job)
    deadline = time.monotonic() + PATIENCE_S
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if moment is not None and _lines(job.effects) - before >= moment.lines:
            time.sleep(moment.then_s)
            break
        if time.monotonic() > deadline:
            break  # it hangs: its record will have no end
        time.sleep(POLL_S)
    os.kill(child, signal.SIGKILL)  # a process that has ended by itself is not reaped yet: this does it no harm
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _lines(effects: Path) -> int:
    return effects.read_bytes().count(b"\n") if effects.exists() else 0


def judge(job: Job, control: Control, history: History, kills: int, summary: Summary) -> None:
    """D2 to D4: the state of an undisturbed run, nothing lost, nothing run too often, promises kept in `sync`."""
    label = f"{job.shape} {job.thread} ({kills} kills)"
    summary.tasks += control.promises.total()
    starts = history.total("starts")
    summary.starts += starts.total()
    if len(history.lives) != kills + 1:
        summary.wrong.append(f"{label}: {len(history.lives)} processes left a record")
    if history.state != control.state:
        summary.wrong.append(f"{label}: state {history.state}, wanted {control.state}; {history.error}")
    for work in control.starts - history.total("effects") - _questions(control):
        summary.wrong.append(f"{label}: the effect of {work} is lost")
    for work, count in starts.items():
        if count > control.starts[work] + kills * max(control.promises[work], 1):
            summary.wrong.append(f"{label}: {work} ran {count} times")
    for number, life in enumerate(history.lives):
        later: Counter[Work] = Counter()
        for following in history.lives[number + 1 :]:
            later += following.starts
        again = _promised_and_again(control, life.promises, later)
        summary.ran_again += again.total()
        if job.mode == "sync" and again:
            summary.wrong.append(f"{label}: promised and run again: {list(map(str, again))}")


def _questions(control: Control) -> Counter[Work]:
    """Starts that end with a question and not with an effect."""
    return control.starts - control.promises


def _promised_and_again(control: Control, promises: Counter[Work], later: Counter[Work]) -> Counter[Work]:
    """Starts beyond those that the tasks which were not promised may need."""
    again: Counter[Work] = Counter()
    for work, count in promises.items():
        tasks = max(control.promises[work], 1)
        left = control.starts[work] // tasks * (tasks - count) if tasks > count else 0
        again[work] = max(0, later[work] - left)
    return +again


if __name__ == "__main__":
    sys.exit(main())
