"""The parent's side of a worker: starts the process of one arm, sends it commands, reads its measurements.

Always true: a process that was started is ended when its block is left, however that happens.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.cost import MemoryUse, ServerUse
from alto_lg.comparisons.errors import WorkerError
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.results import measurement_of
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.virtual_time import VIRTUAL

_ENDS_WITHIN_S = 10.0
_LINES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Task:
    """What every worker of a comparison is told alike; the key travels in the environment instead."""

    application: str
    endpoint: ModelEndpoint
    corpus: Path | None
    questions: Path | None
    timeout_s: float
    items: int | None = None
    sync: bool = False
    simulated: SimOptions | None = None
    """Servers that each worker has to itself, on a virtual clock; the endpoint has no address then."""
    replicas: int = 1
    """How many of them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of a trace: which one, its place in the sequence, and when it is due."""

    index: int
    position: int
    at_s: float


class WorkerProcess:
    """One arm's process. virtual: whether its clock is."""

    def __init__(self, arm: Arm, *, virtual: bool = False) -> None:
        self.arm = arm
        # A file and not a pipe: nobody reads it while the arm runs, and a full pipe would stop the arm.
        self._written = tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, *_start(arm), *([VIRTUAL] if virtual else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._written,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self.end()

    def end(self) -> None:
        """Let the process end, now that nothing more is asked of it; a second time does nothing."""
        if self._written.closed:
            return
        try:
            self._process.communicate(timeout=_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._written.close()

    def build(self, task: Task) -> None:
        """Load the application and build the graph."""
        command = {
            "do": "build",
            "application": task.application,
            "arm": asdict(self.arm),
            "base_url": task.endpoint.base_url,
            "model": task.endpoint.model,
            "corpus": None if task.corpus is None else str(task.corpus),
            "questions": None if task.questions is None else str(task.questions),
            "timeout_s": task.timeout_s,
            "items": task.items,
            "sync": task.sync,
            "simulated": None if task.simulated is None else asdict(task.simulated),
            "replicas": task.replicas,
        }
        for _ in self._ask(command, "building the graph"):
            pass

    def run(self, index: int, position: int) -> Measurement:
        """Run one request, alone, and wait for it."""
        command = {"do": "run", "index": index, "position": position}
        told, done = self._ask(command, f"request {index}")
        return _shared([_measurement(told)], done)[0]

    def trace(self, arrivals: Sequence[Arrival]) -> tuple[Measurement, ...]:
        """Run requests at the times they are due; each is given an equal share of the processor time."""
        command = {"do": "trace", "arrivals": [asdict(arrival) for arrival in arrivals]}
        *told, done = self._ask(command, f"requests {arrivals[0].position} to {arrivals[-1].position}")
        measured = sorted(map(_measurement, told), key=lambda measurement: measurement.position)
        return _shared(measured, done)

    def _ask(self, command: Mapping[str, Any], doing: str) -> Iterator[dict[str, Any]]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed(doing, "its process had ended") from None
        for line in self._process.stdout:
            reply = json.loads(line)
            if reply["event"] == "failed":
                raise self._failed(doing, reply["error"])
            yield reply
            if reply["event"] == "done":
                return
        raise self._failed(doing, "its process ended without an answer")

    def _failed(self, doing: str, reason: str) -> WorkerError:
        try:
            code = self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            code = None
        self._written.seek(0)
        lines = self._written.read().splitlines()[-_LINES_SHOWN:]
        return WorkerError(self.arm.name, doing, f"{reason} (exit status {code})", "\n".join(lines))


def _start(arm: Arm) -> list[str]:
    """The arguments of Python; a peer may have to come before LangGraph, and must not print among the answers."""
    if arm.peer is None or not arm.peer.before:
        return ["-m", "alto_lg.comparisons.worker"]
    first = f"import contextlib, sys\nwith contextlib.redirect_stdout(sys.stderr):\n    {arm.peer.before}\n"
    return ["-c", f"{first}from alto_lg.comparisons.worker import main\nsys.exit(main())"]


def _shared(measured: Sequence[Measurement], done: Mapping[str, Any]) -> tuple[Measurement, ...]:
    """Each with its share of what is known of the turn as a whole."""
    memory = None if done["memory"] is None else MemoryUse(**done["memory"])
    server = None if done["server"] is None else ServerUse(**done["server"]).share(len(measured))
    return tuple(replace(one, cpu_s=done["cpu_s"], memory=memory, server=server) for one in measured)


def _measurement(reply: Mapping[str, Any]) -> Measurement:
    return measurement_of({name: value for name, value in reply.items() if name != "event"})
