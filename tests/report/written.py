"""Results files as `alto-lg compare` writes them, with numbers that a test can foresee."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from alto_lg.apps.base import Span
from alto_lg.comparisons.arms import Arm, NotRun
from alto_lg.comparisons.measure import EarlyWork, Measurement
from alto_lg.comparisons.results import ResultsFile
from alto_lg.comparisons.summary import summarise

ARMS = (
    Arm("langgraph-flat", "flat", "langgraph"),
    Arm("langgraph-subgraph", "subgraph", "langgraph"),
    Arm("alto-flat", "flat", "alto"),
)
TOOK_S = {"langgraph-flat": 4.0, "langgraph-subgraph": 3.0, "alto-flat": 2.0}

HEADER: dict[str, Any] = {
    "created": "2026-01-02T03:04:05+00:00",
    "command": "alto-lg compare --app tiny --requests 5",
    "versions": {"python": "3.11.7", "langgraph": "1.2.22"},
    "machine": {"cpus": 2, "processor": "AMD EPYC", "system": "Linux"},
    "application": "tiny",
    "arms": [arm.name for arm in ARMS],
    "engines": {arm.name: arm.engine for arm in ARMS},
    "requests": 5,
    "warm_up": 1,
    "rate": 0.0,
    "items": None,
    "profile": "h100-8b",
    "slots": None,
    "seed": 0,
    "model": "h100-8b",
    "base_url": None,
}

_MEASURED = Measurement(
    arm="",
    position=0,
    request="r0",
    latency_s=0.0,
    first_result_s=0.5,
    cpu_s=0.0123456789,
    limit_s=1.5,
    first_limit_s=0.4,
    answer={"text": "a long answer"},
    early=None,
    spans=(),
)


def measured(arm: Arm, position: int, factor: float = 1.0) -> Measurement:
    """One request: two stages, the second of three pieces side by side."""
    took_s = (TOOK_S[arm.name] + position / 10) * factor
    half = took_s / 2
    pieces = tuple(Span("work", (item,), half, took_s - item / 100) for item in range(3))
    early = EarlyWork(4, 3, 0, 0.5) if arm.accelerated else None
    spans = (Span("plan", (), 0.0, half), *pieces)
    return replace(
        _MEASURED, arm=arm.name, position=position, request=f"r{position}", latency_s=took_s, early=early, spans=spans
    )


def write(
    path: Path,
    *,
    factor: float = 1.0,
    summary: dict[str, Any] | None = None,
    not_run: tuple[NotRun, ...] = (),
    **header: Any,
) -> Path:
    """A whole file, of five requests unless told; `summary` in place of the one that the measurements give."""
    block = 0 if header.get("rate") else None
    by_arm = {
        arm.name: [
            replace(measured(arm, position, factor), block=block, lead_in=position < header.get("lead_in", 0))
            for position in range(header.get("requests", 5))
        ]
        for arm in ARMS
    }
    with ResultsFile(path) as file:
        file.header({**HEADER, **header})
        for one in (one for arm in by_arm.values() for one in arm):
            file.measurement(one)
        for absent in not_run:
            file.not_run(absent)
        arms = [one.fields() for one in summarise(ARMS, by_arm, seed=0)]
        file.summary({"equal": True, "arms": arms, "scores": {}} if summary is None else summary)
    return path


def cut_short(path: Path) -> Path:
    """A file of a run that was interrupted."""
    lines = write(path).read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    return path


def matrix(folder: Path) -> Path:
    """A folder with two applications alone, and one of them with eight slots, alone and under three rates."""
    for application in ("tiny", "other"):
        write(folder / f"{application}.jsonl", application=application, command=f"alto-lg compare --app {application}")
    for rate in (0.0, 0.5, 1.0, 2.0):
        command = f"alto-lg compare --app tiny --slots 8 --rate {rate}"
        write(folder / f"tiny-{rate}.jsonl", factor=1 + rate, rate=rate, slots=8, command=command)
    return folder
