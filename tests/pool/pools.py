"""Pools over simulated servers, and both colours of the openai client with the same face."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
from sim.model_server import running

import alto_lg
from alto_lg.comparisons.sim.options import SimOptions

LONG = [{"role": "user", "content": "One two three four five six seven eight nine ten."}]
FOREVER = "stall-first=1e9"
LOOKS_MAX = 10_000


def server_stats(base_url: str) -> dict[str, Any]:
    return dict(httpx.get(base_url.removesuffix("/v1") + "/sim/stats").json())


def wait_until_server(base_url: str, name: str, value: int) -> None:
    """Look until a counter has a value; each look is a round trip, so this is bounded without a clock."""
    for _ in range(LOOKS_MAX):
        if (stats := server_stats(base_url))[name] == value:
            return
    raise AssertionError(f"{name} did not become {value}: {stats}")


def running_in(pool: alto_lg.Pool) -> int:
    return sum(one.running for one in pool.stats().endpoints)


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers a thousand times as fast as the real ones; gives the base URL."""
    with ExitStack() as stack:

        def start(**settings: Any) -> str:
            options = SimOptions(**{"time_scale": 0.001, "model_name": "sim", **settings})
            return stack.enter_context(running(options, ()))

        yield start


@dataclass(frozen=True)
class Colour:
    """The sync or the async client, asked in the same words from a test that is a plain function."""

    name: str

    def ask(self, pool: alto_lg.Pool, base_url: str = "http://unused/v1", **more: Any) -> Any:
        return self.run(pool, base_url, lambda client: client.chat.completions.create(**_request(more)))

    def stream(self, pool: alto_lg.Pool, pieces: int | None = None, **more: Any) -> list[str]:
        """The pieces of a streamed answer, and a close after so many of them."""
        return self.run(pool, "http://unused/v1", lambda client: _read(client, pieces, _request(more)))

    def run(self, pool: alto_lg.Pool, base_url: str, use: Callable[[Any], Any]) -> Any:
        if self.name == "sync":
            with openai.OpenAI(base_url=base_url, api_key="any") as plain:
                return use(pool.client(plain))

        async def inner() -> Any:
            async with openai.AsyncOpenAI(base_url=base_url, api_key="any") as plain:
                return await use(pool.client(plain))

        return asyncio.run(inner())


def _request(more: dict[str, Any]) -> dict[str, Any]:
    fault = more.pop("fault", None)
    headers = {"x-sim-fault": fault} if fault else {}
    return {"model": "sim", "messages": LONG, "extra_headers": headers, **more}


def _read(client: Any, pieces: int | None, request: dict[str, Any]) -> Any:
    if isinstance(client, openai.OpenAI):
        read: list[str] = []
        with client.chat.completions.create(stream=True, **request) as stream:
            for chunk in stream:
                if len(read) == pieces:
                    break
                read.append(_text(chunk))
        return read

    async def read_async() -> list[str]:
        read: list[str] = []
        async with await client.chat.completions.create(stream=True, **request) as stream:
            async for chunk in stream:
                if len(read) == pieces:
                    break
                read.append(_text(chunk))
        return read

    return read_async()


def _text(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)
