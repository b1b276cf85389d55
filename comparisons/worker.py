"""One arm in a process of its own: reads commands as JSON lines, answers with JSON lines.

Commands, in order: `build` once; then any number of `run` (one request now, alone) and `trace` (requests at
given arrival times, overlapping); the end of the input finishes. Each command is answered by zero or more
`measurement` lines and then one `done` line, or by one `failed` line, after which the process ends.

With `--virtual` the process has its event loop on a virtual clock and the simulated server on it; `done` then tells
what that server did, and nobody knows what the arm's part of processor time and memory was.

Always true: only these lines are written to standard output; whatever the application prints goes to
standard error. The model server's key comes from the environment and is in no message.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from alto_lg.apps.base import Application, ModelEndpoint, Request
from alto_lg.comparisons import memory
from alto_lg.comparisons.applications import load_application, load_requests
from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.cost import MemoryUse
from alto_lg.comparisons.endpoint import api_key
from alto_lg.comparisons.inner_server import InnerServers, inner_servers
from alto_lg.comparisons.measure import Measurement, Runner, measure
from alto_lg.comparisons.prediction import predicted_s
from alto_lg.comparisons.replicas.pools import inner_endpoint
from alto_lg.comparisons.results import measurement_fields
from alto_lg.comparisons.runners import build_runner
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.virtual_time import VIRTUAL, VirtualTimeLoop


@dataclass(frozen=True, slots=True)
class Built:
    """What a worker holds once it has been told which arm it is."""

    arm: Arm
    application: Application
    requests: Sequence[Request]
    runner: Runner
    timeout_s: float
    resident_bytes: int | None
    """After building; None where memory is not known."""
    server: InnerServers | None
    """None where the model is served by another process."""


class Worker:
    """Obeys the commands of one comparison."""

    def __init__(self, replies: TextIO) -> None:
        self._replies = replies
        self._built: Built | None = None
        self._held = AsyncExitStack()

    async def serve(self, commands: TextIO) -> int:
        """Answer commands until the input ends; 1 after a failure."""
        async with self._held:
            while line := await asyncio.to_thread(commands.readline):
                try:
                    with _patience():
                        await self._obey(json.loads(line))
                except Exception as error:
                    self._reply("failed", error=reason_of(error))
                    raise
        return 0

    async def _obey(self, command: Mapping[str, Any]) -> None:
        match command["do"]:
            case "build":
                self._built = build(command, await self._served(command))
                self._reply("done", requests=len(self._built.requests))
            case "run":
                built = self._ready()
                await begin_turn(built)
                measured = await run_one(built, command["index"], command["position"])
                used = await end_turn(built, measured.cpu_s)
                self._reply("measurement", **measurement_fields(measured))
                self._reply("done", **used)
            case "trace":
                await self._trace(command)
            case unknown:
                raise ValueError(f"unknown command {unknown!r}: build, run or trace")

    async def _trace(self, command: Mapping[str, Any]) -> None:
        built, arrivals = self._ready(), command["arrivals"]
        await begin_turn(built)
        cpu_before, started = time.process_time(), asyncio.get_running_loop().time()
        gathered = [
            self._arrive(built, arrival["index"], arrival["position"], started + arrival["at_s"])
            for arrival in arrivals
        ]
        async with asyncio.TaskGroup() as group:
            for request in gathered:
                group.create_task(request)
        cpu_s = (time.process_time() - cpu_before) / len(arrivals)
        self._reply("done", **await end_turn(built, cpu_s))

    async def _arrive(self, built: Built, index: int, position: int, due: float) -> None:
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        measured = await run_one(built, index, position, due=due)
        self._reply("measurement", **measurement_fields(measured))

    async def _served(self, command: Mapping[str, Any]) -> InnerServers | None:
        if command["simulated"] is None:
            return None
        servers = inner_servers(SimOptions(**command["simulated"]), command["replicas"])
        return await self._held.enter_async_context(servers)

    def _ready(self) -> Built:
        if self._built is None:
            raise ValueError("nothing is built yet: send `build` first")
        return self._built

    def _reply(self, event: str, **fields: Any) -> None:
        self._replies.write(json.dumps({"event": event, **fields}) + "\n")
        self._replies.flush()


def reason_of(error: Exception) -> str:
    """One line about an error; about the first of them when several requests failed together."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def build(command: Mapping[str, Any], server: InnerServers | None) -> Built:
    """Load the application, its workload and what this arm runs."""
    application = load_application(command["application"])
    arm = Arm(**command["arm"])
    corpus = Path(command["corpus"]) if command["corpus"] else None
    questions = Path(command["questions"]) if command["questions"] else None
    endpoint = ModelEndpoint(command["base_url"], command["model"], api_key())
    if server is not None:
        endpoint = inner_endpoint(server, arm)
    requests = load_requests(application, corpus, questions, command["items"])
    runner = build_runner(arm, application, endpoint, corpus=corpus, in_threads=command["sync"])
    gc.collect()
    return Built(
        arm=arm,
        application=application,
        requests=requests,
        runner=runner,
        timeout_s=command["timeout_s"],
        resident_bytes=memory.resident_bytes() if memory.start_peak_afresh() else None,
        server=server,
    )


async def begin_turn(built: Built) -> None:
    """What came before is no cost of the turn that begins."""
    gc.collect()
    memory.start_peak_afresh()
    if built.server is not None:
        await built.server.start()


async def end_turn(built: Built, cpu_s: float | None) -> dict[str, Any]:
    """What is known of the turn as a whole. cpu_s: of the process, which is the arm's where it runs no server."""
    if built.server is not None:
        return {"cpu_s": None, "memory": None, "server": asdict(await built.server.stop())}
    resident = built.resident_bytes
    peak = None if resident is None else MemoryUse(peak=memory.peak_bytes(), built=resident)
    return {"cpu_s": cpu_s, "memory": None if peak is None else asdict(peak), "server": None}


async def run_one(built: Built, index: int, position: int, *, due: float | None = None) -> Measurement:
    """One request; alone when it has no time at which it is due."""
    request = built.requests[index]
    try:
        async with asyncio.timeout(built.timeout_s):
            measured = await measure(
                built.runner,
                built.application,
                request,
                arm=built.arm.name,
                position=position,
                due=due,
            )
    except TimeoutError as error:
        raise TimeoutError(f"request {request.id} had not ended after {built.timeout_s:g} s; see --timeout") from error
    return replace(measured, predicted_s=predicted_s(built.application, built.arm, measured.spans))


def own_standard_output() -> TextIO:
    """The pipe to the parent; from now on anything else that is printed goes to standard error."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def main() -> int:
    """Serve the parent process on standard input and output."""
    on_loop = VirtualTimeLoop if VIRTUAL in sys.argv[1:] else None
    with own_standard_output() as replies, asyncio.Runner(loop_factory=on_loop) as runner:
        return runner.run(Worker(replies).serve(sys.stdin))


def _patience() -> AbstractContextManager[None]:
    """While a command is obeyed, time may not stand still for ever; between commands it does."""
    loop = asyncio.get_running_loop()
    return loop.patience() if isinstance(loop, VirtualTimeLoop) else nullcontext()


if __name__ == "__main__":
    sys.exit(main())
