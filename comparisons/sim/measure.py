"""Two checks of the server itself: the CPU that many streams cost it, and how near its times are to the model's.

    python -m alto_lg.comparisons.sim.measure cpu
    python -m alto_lg.comparisons.sim.measure accuracy

The server runs in its own process and reports its own CPU time, so the client's is not counted. server.py holds the
CPU figures. Accuracy of one stream without jitter, on a shared machine of two cores, Python 3.11, `h100-8b`: HTTP and
the wake-up add about 2 ms to a request, whatever its length, and nothing accumulates over tokens:
     tokens  predicted ms  measured ms    error
         10          79.9         81.6   +2.06%
         50         381.1        382.2   +0.27%
        200        1510.6       1512.4   +0.11%
        800        6028.7       6030.6   +0.03%
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from alto_lg.comparisons.sim import tokens
from alto_lg.comparisons.sim.batching import BatchModel
from alto_lg.comparisons.sim.draws import make_job
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.comparisons.sim.profiles import PROFILES

_DONE = b"data: [DONE]"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the request to the first token and to the end."""

    first_s: float
    total_s: float


class StreamReader:
    """One streamed chat after another over one connection, with as little work as possible for each chunk."""

    def __init__(self, base_url: str, model: str) -> None:
        self._address = urlsplit(base_url)
        self._model = model

    async def read(self, prompt: str, tokens_max: int) -> Timing:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        started = time.monotonic()
        writer.write(self._request(prompt, tokens_max))
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"the server answered {status.decode().strip()!r} to a measured request")
        await reader.readuntil(b"\r\n\r\n")
        first_s, tail = 0.0, b""
        while _DONE not in tail:
            received = await reader.read(65_536)
            if not received:
                raise RuntimeError("the server closed the connection before the end of a measured stream")
            first_s = first_s or time.monotonic() - started
            tail = (tail + received)[-200:]
        total_s = time.monotonic() - started
        writer.close()
        await writer.wait_closed()
        return Timing(first_s, total_s)

    def _request(self, prompt: str, tokens_max: int) -> bytes:
        message = {"role": "user", "content": prompt}
        body = json.dumps(
            {"model": self._model, "messages": [message], "stream": True, "max_tokens": tokens_max}
        ).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {self._address.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def prompt_of(token_count: int, number: int) -> str:
    """A prompt of one sentence, different for each number, whose extract has `token_count` tokens."""
    return f"{number}" + " river" * (token_count - tokens.count(str(number)))


def predicted(profile: str, prompt: str, token_count: int) -> Timing:
    """What the time model says of one stream alone, without jitter."""
    model = BatchModel(PROFILES[profile])
    pieces = tokens.split(prompt)[:token_count]
    prompt_pieces = tokens.prompt_tokens([{"role": "user", "content": prompt}])
    model.submit(make_job(PROFILES[profile], prompt=prompt_pieces, output=pieces, jitter=0.0, key="0"), 0.0)
    first_s = model.due()
    last_s = first_s
    while (due := model.due()) is not None:
        model.advance(due)
        last_s = due
    assert first_s is not None and last_s is not None, "a submitted job has a due time"
    return Timing(first_s, last_s)


async def _accuracy(server: SimulatedServer, token_counts: Sequence[int], repeats: int) -> None:
    reader = StreamReader(server.base_url, server.model)
    await reader.read("Warm up.", 4)
    print(f"{'tokens':>7} {'predicted ms':>13} {'measured ms':>12} {'error':>8} {'first ms':>9} {'measured':>9}")
    for token_count in token_counts:
        for repeat in range(repeats):
            prompt = prompt_of(token_count, 1_000 * token_count + repeat)
            expected = predicted(server.options.profile, prompt, token_count)
            found = await reader.read(prompt, token_count)
            error = found.total_s / expected.total_s - 1
            print(
                f"{token_count:>7} {expected.total_s * 1e3:>13.1f} {found.total_s * 1e3:>12.1f} {error:>+8.2%} "
                f"{expected.first_s * 1e3:>9.1f} {found.first_s * 1e3:>9.1f}"
            )


async def _cpu(server: SimulatedServer, streams: int, seconds: float) -> None:
    reader = StreamReader(server.base_url, server.model)
    until = time.monotonic() + seconds

    async def keep_one_open(number: int) -> None:
        while time.monotonic() < until:
            await reader.read(prompt_of(400, number), 400)

    tasks = [asyncio.create_task(keep_one_open(number)) for number in range(streams)]
    # The prefills and connections of the start are not what the figure is about.
    await asyncio.sleep(seconds * 0.2)
    before, before_s = await asyncio.to_thread(server.stats), time.monotonic()
    await asyncio.sleep(seconds * 0.6)
    after, after_s = await asyncio.to_thread(server.stats), time.monotonic()
    await asyncio.gather(*tasks)
    wall_s = after_s - before_s
    cpu_s, count = after["cpu_s"] - before["cpu_s"], after["completion_tokens"] - before["completion_tokens"]
    mean = (after["running_stream_s"] - before["running_stream_s"]) / (after["busy_s"] - before["busy_s"])
    print(f"{mean:.0f} streams running on average, {count / wall_s:.0f} tokens/s, {wall_s:.1f} s of wall time")
    print(f"{cpu_s / wall_s:.2f} CPU seconds a second, {cpu_s / count * 1e6:.0f} us a token")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.sim.measure", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=("cpu", "accuracy"))
    parser.add_argument("--profile", choices=tuple(PROFILES), default="h100-8b")
    parser.add_argument("--streams", type=int, default=200, help="concurrent streams of `cpu` (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of `cpu` (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="rows a length of `accuracy` (default: %(default)s)")
    options = parser.parse_args(arguments)
    jitter = 0.0 if options.what == "accuracy" else SimOptions().jitter
    with SimulatedServer(SimOptions(profile=options.profile, jitter=jitter)) as server:
        print(f"profile {options.profile}, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs")
        if options.what == "cpu":
            asyncio.run(_cpu(server, options.streams, options.seconds))
        else:
            asyncio.run(_accuracy(server, (10, 50, 200, 800), options.repeats))
    return 0


if __name__ == "__main__":
    sys.exit(main())
