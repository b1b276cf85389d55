"""`python -m alto_lg.comparisons.server_processes`: requests a second of one server, with one process and with several.

A graph runs on one event loop, and that on one core. The server here is uvicorn with `--workers N`: N processes that
share a port, each with an event loop and an accelerated graph of its own. A request fans out to a hundred nodes that do
nothing, so that the engine's own work is what a core is busy with. Always true: every answer is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import operator
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import alto_lg
from alto_lg.comparisons.machine import made_with, usable_cpus

_WIDTH = 100
_READY_WITHIN_S = 60.0


class State(TypedDict, total=False):
    """Of the graph that is served."""

    found: Annotated[list[int], operator.add]
    width: int
    number: int


async def _work(state: State) -> dict[str, list[int]]:
    return {"found": [state["number"]]}


def _fan_out(state: State) -> list[Send]:
    return [Send("work", {"number": number}) for number in range(state["width"])]


builder = StateGraph(State)
builder.add_node("begin", lambda state: {})
builder.add_node("work", _work)
builder.add_edge(START, "begin")
builder.add_conditional_edges("begin", _fan_out, ["work"])
graph = alto_lg.accelerate(builder.compile())


async def _answer(request: Request) -> JSONResponse:
    return JSONResponse((await graph.ainvoke({"found": [], "width": _WIDTH}))["found"])


app = Starlette(routes=[Route("/", _answer)])


@contextlib.contextmanager
def served(processes: int) -> Iterator[int]:
    """The port of a server with so many processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "alto_lg.comparisons.server_processes:app", "--port", str(port)]
    server = subprocess.Popen([*command, "--workers", str(processes), "--log-level", "warning"])
    try:
        yield port
    finally:
        server.terminate()
        server.wait()


async def requests_a_second(port: int, clients: int, seconds: float) -> float:
    """What so many clients get that ask again as soon as they are answered."""
    done = 0

    async def client(until: float) -> None:
        nonlocal done
        while time.monotonic() < until:
            found = await _get(port)
            assert found == list(range(_WIDTH)), "another answer"
            done += 1

    await _ready(port)
    await asyncio.gather(*(client(time.monotonic() + 1) for _ in range(clients)))
    done, began = 0, time.monotonic()
    await asyncio.gather(*(client(began + seconds) for _ in range(clients)))
    return done / (time.monotonic() - began)


async def _get(port: int) -> list[int]:
    """One request on a connection of its own: a kept one would stay with one process."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    assert head.startswith(b"HTTP/1.1 200"), head
    found: list[int] = json.loads(body)
    return found


async def _ready(port: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            await _get(port)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def main() -> None:
    """Measure, and print a line for each number of processes."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.server_processes", description=__doc__)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, usable_cpus()])
    parser.add_argument("--rounds", type=int, default=3, help="the numbers of processes take turns")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=16)
    asked = parser.parse_args()
    rates: dict[int, list[float]] = {processes: [] for processes in asked.processes}
    for _ in range(asked.rounds):
        for processes in asked.processes:
            with served(processes) as port:
                rates[processes].append(asyncio.run(requests_a_second(port, asked.clients, asked.seconds)))
    for processes, found in rates.items():
        middle = sorted(found)[len(found) // 2]
        print(f"{processes} processes: {middle:.1f} requests a second {[round(one, 1) for one in found]}")
    print(made_with())


if __name__ == "__main__":
    main()
