"""Kills model servers under load, and counts what became of the requests.

    python -m alto_lg.comparisons.replicas.faults --kills 20

Servers are processes on a real clock, killed by SIGKILL while they write answers and started again at the same address;
requests go through an accelerated graph and a client pool. Always true: a kill counts only if the server had streams
under way; every request is held against the answer that an undisturbed server gave to it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import TracebackType
from typing import Any

from langgraph.types import RetryPolicy

from alto_lg import Pool, accelerate
from alto_lg.adapters.openai_chat import ModelServerError
from alto_lg.apps.base import Application, ModelEndpoint, Request
from alto_lg.comparisons.applications import load_application
from alto_lg.comparisons.errors import ComparisonError, UsageError
from alto_lg.comparisons.replicas.pools import client_of
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer

_HANGS_AFTER_S = 60.0
_LOOK_EVERY_S = 0.01
_REQUESTS = 10


@dataclass(slots=True)
class Counts:
    """What became of it all.

    kills: servers that were killed while they wrote. retried: calls that the pool sent once more.
    ended: requests with the right answer. lost: requests that raised. hung: that were not answered in a minute.
    twice: requests in whose state something stands twice. other: with another answer than without kills.
    reasons: of the lost.
    """

    kills: int = 0
    requests: int = 0
    retried: int = 0
    ended: int = 0
    lost: int = 0
    twice: int = 0
    other: int = 0
    hung: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = (
            f"{self.kills} kills, {self.requests} requests: {self.ended} ended, {self.lost} lost, {self.twice} with "
            f"something committed twice, {self.other} with another answer, {self.hung} hung; {self.retried} calls sent "
            "once more"
        )
        return "\n".join([told, *(f"  {count} × {reason}" for reason, count in self.reasons.items())])


class Servers:
    """Servers in processes of their own; a killed one comes back at its address."""

    def __init__(self, count: int, options: SimOptions) -> None:
        self._count, self._options = count, options
        self._running: list[SimulatedServer] = []

    def __enter__(self) -> Servers:
        try:
            for _ in range(self._count):
                self._running.append(SimulatedServer(self._options).__enter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def base_urls(self) -> list[str]:
        """Where they are."""
        return [server.base_url for server in self._running]

    @property
    def model(self) -> str:
        """What all of them serve."""
        return self._running[0].model

    async def kill_busy(self, random: Random) -> int:
        """Kill one that writes answers, once there is one; its number."""
        while True:
            number = random.randrange(len(self._running))
            if (await asyncio.to_thread(self._running[number].stats))["running"]:
                os.kill(self._running[number].process_id, signal.SIGKILL)
                return number
            await asyncio.sleep(_LOOK_EVERY_S)

    async def start_again(self, number: int) -> None:
        """The same server, with empty caches."""
        killed = self._running[number]
        port = int(killed.base_url.removesuffix("/v1").rpartition(":")[2])
        killed.__exit__(None, None, None)
        again = SimulatedServer(replace(killed.options, port=port))
        self._running[number] = await asyncio.to_thread(again.__enter__)

    def _end(self) -> None:
        for server in self._running:
            server.__exit__(None, None, None)


async def kill_under_load(
    application: Application,
    version: str,
    requests: Sequence[Request],
    *,
    kills: int,
    replicas: int = 4,
    at_once: int = 8,
    time_scale: float = 0.2,
    node_retries: bool = False,
    seed: int = 0,
) -> Counts:
    """Run requests over and over, so many at once, until so many servers were killed, and let those under way end.

    node_retries: nodes have LangGraph's own retry policy, for answers that break off when part of them was handed out:
    no client may send such a call again, because its reader has begun.
    """
    counts = Counts()
    with Servers(replicas, SimOptions(time_scale=time_scale, seed=seed)) as servers:
        first = servers.base_urls[0]
        pool = Pool(servers.base_urls, seed=seed)
        async with pool.client(client_of(first)) as client:
            endpoint = ModelEndpoint(first, servers.model, client=client)
            graph = _graph(application.build(version, endpoint, corpus=None), node_retries=node_retries)
            await _kill_under_load(application, graph, requests, servers, counts, kills, at_once, Random(seed))
        counts.retried = pool.stats().retries
    return counts


def _graph(graph: Any, *, node_retries: bool) -> Any:
    if node_retries:
        graph.retry_policy = [RetryPolicy(initial_interval=0.05, max_attempts=5, retry_on=ModelServerError)]
    return accelerate(graph)


async def _kill_under_load(
    application: Application,
    graph: Any,
    requests: Sequence[Request],
    servers: Servers,
    counts: Counts,
    kills: int,
    at_once: int,
    random: Random,
) -> None:
    over = asyncio.Event()
    right = [application.answer(await graph.ainvoke(dict(request.input))) for request in requests]

    async def user(number: int) -> None:
        while not over.is_set():
            at = number % len(requests)
            number += at_once
            await _ask(application, graph, requests[at], right[at], counts)

    async def killer() -> None:
        while counts.kills < kills:
            number = await servers.kill_busy(random)
            counts.kills += 1
            await servers.start_again(number)
        over.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(killer())
        for number in range(at_once):
            group.create_task(user(number))


async def _ask(application: Application, graph: Any, request: Request, right: Any, counts: Counts) -> None:
    counts.requests += 1
    try:
        async with asyncio.timeout(_HANGS_AFTER_S):
            state = await graph.ainvoke(dict(request.input))
    except TimeoutError:
        counts.hung += 1
    except Exception as error:  # whatever it is, it is a request without an answer
        counts.lost += 1
        counts.reasons[f"{type(error).__name__}: {(str(error).partition(': ')[2] or str(error))[:100]}"] += 1
    else:
        found = application.answer(state)
        if found == right:
            counts.ended += 1
        elif _longer(found, right):
            counts.twice += 1
        else:
            counts.other += 1


def _longer(found: Any, right: Any) -> bool:
    """Whether some list of an answer has more entries than it should."""
    if isinstance(found, dict) and isinstance(right, dict):
        return any(_longer(found[key], right.get(key)) for key in found)
    return isinstance(found, list) and isinstance(right, list) and len(found) > len(right)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts of each version. 1 when a request hung or had another answer, or was lost where none may be."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.replicas.faults", description=__doc__)
    parser.add_argument("--app", default="factool", help="as of `alto-lg compare` (default factool)")
    parser.add_argument("--versions", default="flat,streaming", help="comma-separated (default flat,streaming)")
    parser.add_argument("--kills", type=int, default=20, help="for each version (default 20)")
    parser.add_argument("--replicas", type=int, default=4, help="servers (default 4)")
    options = parser.parse_args(arguments)
    try:
        application, versions = _checked(options)
    except ComparisonError as refused:
        print(f"faults: {refused}", file=sys.stderr)
        return 2
    requests = application.workload(corpus=None, questions=None)[:_REQUESTS]
    failed = 0
    for version in versions:
        for node_retries in (False, True):
            run = kill_under_load(
                application,
                version,
                requests,
                kills=options.kills,
                replicas=options.replicas,
                node_retries=node_retries,
            )
            counts = asyncio.run(run)
            print(f"{version}{', nodes with a retry policy' if node_retries else ''}: {counts}", flush=True)
            failed += counts.twice + counts.other + counts.hung + (counts.lost if node_retries else 0)
    return 1 if failed else 0


def _checked(options: argparse.Namespace) -> tuple[Application, tuple[str, ...]]:
    application = load_application(options.app)
    if options.kills < 1:
        raise UsageError(f"--kills {options.kills} is out of range: give at least 1.")
    if options.replicas < 2:
        raise UsageError("--replicas at least 2: one has to be left while another is away.")
    versions = tuple(word.strip() for word in options.versions.split(","))
    for version in versions:
        if version not in application.versions:
            raise UsageError(f"--versions: {version!r} is none of {', '.join(application.versions)}.")
    return application, versions


if __name__ == "__main__":
    sys.exit(main())
