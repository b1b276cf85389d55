"""The event loop on a virtual clock, and a comparison that is run on it."""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from alto_lg.comparisons.compare import run
from alto_lg.comparisons.results import Results, read_results
from alto_lg.comparisons.virtual_time import TimeStandsStill, VirtualTimeLoop

Options = Callable[..., argparse.Namespace]
Result = TypeVar("Result")


def on_virtual_time(program: Callable[[], Coroutine[Any, Any, Result]], patience_s: float = 60) -> Result:
    """What a program gives on a loop of its own."""

    async def patient() -> Result:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        with loop.patience(patience_s):
            return await program()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(patient())


def now() -> float:
    return asyncio.get_running_loop().time()


def test_waiting_takes_as_long_as_asked_for_and_no_real_time() -> None:
    async def program() -> list[tuple[float, str]]:
        told: list[tuple[float, str]] = []

        async def wait(name: str, *seconds: float) -> None:
            for one in seconds:
                await asyncio.sleep(one)
                told.append((now(), name))

        await asyncio.gather(wait("a", 3600.0, 1800.0), wait("b", 4000.0))
        return told

    began = time.monotonic()
    assert on_virtual_time(program) == [(3600.0, "a"), (4000.0, "b"), (5400.0, "a")]
    assert time.monotonic() - began < 60


def test_time_stands_still_while_a_thread_is_at_work() -> None:
    async def program() -> tuple[float, bool]:
        timer = asyncio.create_task(asyncio.sleep(1.0))
        await asyncio.to_thread(time.sleep, 0.05)
        at, is_due = now(), timer.done()
        await timer
        return at, is_due

    assert on_virtual_time(program) == (0.0, False)


def test_a_client_and_a_server_on_the_loop_take_the_time_that_they_wait() -> None:
    async def program() -> list[tuple[float, bytes]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                await asyncio.sleep(0.25)
                writer.write(line.upper())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        heard = []
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            for line in (b"one\n", b"two\n"):
                writer.write(line)
                heard.append((await reader.readline(), now()))
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(1.0)
        return [(at, line) for line, at in heard]

    assert on_virtual_time(program) == [(0.25, b"ONE\n"), (0.5, b"TWO\n")]


def test_a_thread_that_waits_for_the_loop_is_told_of_and_not_waited_for() -> None:
    async def program() -> None:
        given_up = threading.Event()
        try:
            waiting = asyncio.run_coroutine_threadsafe(asyncio.sleep(1.0), asyncio.get_running_loop())
            working = asyncio.ensure_future(asyncio.to_thread(given_up.wait, 30))
            waiting.add_done_callback(lambda _: given_up.set())
            await working
        finally:
            given_up.set()

    with pytest.raises(TimeStandsStill, match=r"1 thread\(s\) have not come back.*--clock real"):
        on_virtual_time(program, patience_s=0.01)


def test_what_never_comes_is_told_of() -> None:
    async def program() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeStandsStill, match="no timer is set and no socket has news"):
        on_virtual_time(program, patience_s=0.01)


def _compared(options: Options, name: str, *arguments: str) -> Results:
    chosen = options("--clock", "virtual", "--warmup", "0", *arguments)
    # The tiny server of the other tests is not the one that is compared with.
    chosen.base_url, chosen.output = None, chosen.output.with_name(name)
    assert run(chosen) == 0
    return read_results(chosen.output)


@pytest.mark.slow
def test_a_comparison_is_the_same_each_time_and_takes_what_its_dependencies_take(options: Options) -> None:
    arguments = ("--app", "factool", "--requests", "2", "--arms", "langgraph-flat,alto-streaming,asyncio")
    first, again = (_compared(options, name, *arguments) for name in ("first.jsonl", "again.jsonl"))

    assert first.header["clock"] == "virtual"
    for one, other in zip(first.measurements, again.measurements, strict=True):
        assert (one.arm, one.request, one.answer) == (other.arm, other.request, other.answer)
        assert one.latency_s == pytest.approx(other.latency_s, abs=1e-3)
        assert one.server is not None and one.server.completion_tokens > 0
        assert (one.cpu_s, one.memory) == (None, None)
        assert one.predicted_s == pytest.approx(one.latency_s, rel=1e-3)
        if one.arm != "langgraph-flat":
            assert one.limit_s == pytest.approx(one.latency_s, rel=1e-3)


def test_requests_wait_for_a_full_server(options: Options) -> None:
    """Two calls of 0.1 s each on one slot: what comes while it is taken comes later by as much."""
    asking = ("--app", "tiny_app:ASKING", "--slots", "1", "--arms", "langgraph-flat")
    alone = _compared(options, "alone.jsonl", *asking, "--requests", "1").measurements[0].latency_s
    loaded = _compared(options, "loaded.jsonl", *asking, "--requests", "20", "--rate", "1000").measurements

    assert alone == pytest.approx(0.2, rel=0.1)
    for block in (0, 1):
        took_s = sorted(one.latency_s for one in loaded if one.block == block)
        assert took_s == pytest.approx([(place + 1) * alone for place in range(10)], rel=0.2)
