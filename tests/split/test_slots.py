"""A consumer that stops early frees the slot of a real model server behind a real connection.

The server's time runs forty times slower than the clock: 50 ms of it are two seconds here, so that a machine which is
busy for a moment is no failure.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import openai
import pytest

from alto_lg import split
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.serving import SimServer

TEXT = "One.\n" + "and so on " * 2_000
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
TIME_SCALE = 40.0
FREE_WITHIN_S = 0.050
LOOKS_MAX = 100_000


def _say(messages: Sequence[Mapping[str, Any]], seed: int) -> str:
    return TEXT


@pytest.fixture
def base_url() -> Iterator[str]:
    """A server with one slot."""
    addresses: queue.Queue[str] = queue.Queue()
    options = SimOptions(slots=1, jitter=0.0, time_scale=TIME_SCALE, model_name="sim")
    server = SimServer(options, (_say,), addresses.put)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield addresses.get(timeout=30)
    finally:
        server.should_exit = True
        thread.join()


def _statistics(base_url: str) -> dict[str, Any]:
    return dict(httpx.get(base_url.removesuffix("/v1") + "/sim/stats").json())


def _break(base_url: str) -> float:
    with openai.OpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
        stream = client.chat.completions.create(model="sim", messages=MESSAGES, stream=True)
        for item in split.lines(stream):
            assert item == "One."
            held_s = _statistics(base_url)["running_stream_s"]
            break
        assert stream.response.is_closed
    return float(held_s)


def _cancel(base_url: str) -> float:
    async def consume(has_first: asyncio.Event) -> None:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
            stream = await client.chat.completions.create(model="sim", messages=MESSAGES, stream=True)
            async for item in split.lines(stream):
                assert item == "One."
                has_first.set()

    async def program() -> float:
        has_first = asyncio.Event()
        task = asyncio.create_task(consume(has_first))
        await has_first.wait()
        held_s = float((await asyncio.to_thread(_statistics, base_url))["running_stream_s"])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return held_s

    return asyncio.run(program())


@pytest.mark.slow
@pytest.mark.parametrize("stop", [_break, _cancel])
def test_the_slot_is_free_within_50_ms_of_the_servers_time(stop: Callable[[str], float], base_url: str) -> None:
    held_s = stop(base_url)
    for _ in range(LOOKS_MAX):
        statistics = _statistics(base_url)
        if statistics["running"] == 0:
            break
    assert (statistics["running"], statistics["cancelled"], statistics["finished"]) == (0, 1, 0)
    assert statistics["running_stream_s"] - held_s < FREE_WITHIN_S
