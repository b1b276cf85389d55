"""The pool's policies, and a kept router, before the same servers: `python -m alto_lg.comparisons.routers`.

Owns one load: calls of many kinds, each kind with a long prefix of its own, in a Poisson process that does not wait for
answers, over simulated servers in processes of their own with prefix caches. Each way of routing is given the same
calls at the same times, on servers that have forgotten the way before; its answers must be those that the servers give.

A kept router is a program that listens in front of the servers; `--router` gives the command that starts it, with
{port} and {urls} where its port and the servers' addresses go:
    python -m alto_lg.comparisons.routers \\
        --router 'sglang-router launch --policy cache_aware --host 127.0.0.1 --port {port} --worker-urls {urls}'
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shlex
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import openai

import alto_lg
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.routing import POLICIES

_KEY = "not-needed"
_READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """kinds: of prompts. prefix_words: that all prompts of a kind begin with. per_s: calls a second, on average."""

    calls: int = 300
    kinds: int = 40
    prefix_words: int = 900
    per_s: float = 12.0
    seed: int = 0

    def arrivals(self) -> list[tuple[float, list[dict[str, str]]]]:
        """When each call comes, in seconds, and its messages. The answer repeats what the user says."""
        random = Random(self.seed)
        now, found = 0.0, []
        for number in range(self.calls):
            now += random.expovariate(self.per_s)
            kind = random.randrange(self.kinds)
            system = f"Kind {kind}: " + f"rule{kind} " * self.prefix_words
            words = 40 + 40 * (kind % 4)  # kinds differ in how long their answers are
            user = f"Call {number}." + " word" * words
            found.append((now, [{"role": "system", "content": system}, {"role": "user", "content": user}]))
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """hit_rate: share of prompt tokens found in a cache. imbalance: of tokens to write and prompts to read, in seconds
    of a stream, the busiest server's over the mean. Times in seconds."""

    hit_rate: float
    imbalance: float
    first_token_p50: float
    p50: float
    p99: float


async def run(client: openai.AsyncOpenAI, load: Load, servers: Sequence[SimulatedServer]) -> Outcome:
    """Send the load through one client."""
    for server in servers:
        server.reset()
    firsts: list[float] = []
    totals: list[float] = []
    begun = time.perf_counter()

    async def call(at: float, messages: list[dict[str, str]]) -> None:
        await asyncio.sleep(begun + at - time.perf_counter())
        sent = time.perf_counter()
        text = ""
        request: Any = {"model": servers[0].model, "messages": messages, "stream": True}
        async for chunk in await client.chat.completions.create(**request):
            piece = chunk.choices[0].delta.content if chunk.choices else None
            if piece and not text:
                firsts.append(time.perf_counter() - sent)
            text += piece or ""
        totals.append(time.perf_counter() - sent)
        assert text == messages[-1]["content"], "the answer is not the server's"

    await asyncio.gather(*(call(at, messages) for at, messages in load.arrivals()))
    stats = [server.stats() for server in servers]
    busy = [one["running_stream_s"] for one in stats]
    cuts = statistics.quantiles(totals, n=100)
    return Outcome(
        hit_rate=sum(one["cached_tokens"] for one in stats) / sum(one["prompt_tokens"] for one in stats),
        imbalance=max(busy) / statistics.mean(busy),
        first_token_p50=statistics.median(firsts),
        p50=cuts[49],
        p99=cuts[98],
    )


async def run_pool(policy: str, load: Load, servers: Sequence[SimulatedServer]) -> Outcome:
    """Send it through a pool."""
    pool = alto_lg.Pool([server.base_url for server in servers], policy=policy)  # type: ignore[arg-type]
    async with openai.AsyncOpenAI(base_url=servers[0].base_url, api_key=_KEY) as plain:
        return await run(pool.client(plain), load, servers)


async def run_router(command: str, load: Load, servers: Sequence[SimulatedServer]) -> Outcome:
    """Send it through a router that is started for it."""
    urls = [server.base_url.removesuffix("/v1") for server in servers]
    with _started(command, urls) as address:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=_KEY, max_retries=0) as client:
            return await run(client, load, servers)


@contextlib.contextmanager
def _started(command: str, urls: Sequence[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        word.replace("{port}", str(port))
        for given in shlex.split(command)
        for word in (urls if given == "{urls}" else [given])
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, address, command)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, command: str) -> None:
    """Until it has servers: a router may listen before it knows of any."""
    until = time.monotonic() + _READY_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/v1/models", timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"The router did not get ready: {command}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each way of routing."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.routers", description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, default=4)
    parser.add_argument("--profile", default="h100-8b")
    parser.add_argument("--router", action="append", default=[], metavar="COMMAND")
    usual = Load()
    for name in ("calls", "kinds", "per_s", "seed"):
        default = getattr(usual, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = parser.parse_args(arguments)
    load = Load(calls=options.calls, kinds=options.kinds, per_s=options.per_s, seed=options.seed)
    settings = SimOptions(profile=options.profile, model_name="sim")
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(SimulatedServer(settings)) for _ in range(options.servers)]
        print("| routed by | cache hits | busiest / mean | first token, median (s) | median (s) | p99 (s) |")
        print("| --- | --- | --- | --- | --- | --- |")
        for policy in POLICIES:
            _print(f"pool, {policy}", asyncio.run(run_pool(policy, load, servers)))
        for command in options.router:
            _print(shlex.split(command)[0].rpartition("/")[2], asyncio.run(run_router(command, load, servers)))


def _print(name: str, outcome: Outcome) -> None:
    rates = f"{outcome.hit_rate:.1%} | {outcome.imbalance:.2f}"
    print(f"| {name} | {rates} | {outcome.first_token_p50:.3f} | {outcome.p50:.3f} | {outcome.p99:.3f} |", flush=True)


if __name__ == "__main__":
    main()
