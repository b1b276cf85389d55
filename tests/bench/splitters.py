"""How many characters a second each splitter reads, on one core, driver included: `python -m bench.splitters`.

Absolute figures, for docs/splitting.md; as ratios they are cases of `make bench`. Each text is read in deltas of 4
characters, as tokens are, and of 1,000; best of five, processor time. Always true: before a figure is printed, the
items are compared with those of the whole text at once. The last lines read one item of a million characters, one
character at a time.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import AsyncIterator

from bench.split_cases import TOKEN_CHARS, Text, cut, one_long_item, texts

REPEATS = 5
CHARS = 1_000_000
CHUNK_CHARS = 1_000


def _rate(text: Text, size: int, repeats: int) -> float:
    """Characters a second of processor time."""
    deltas = cut(text.text, size)
    assert list(text.splitter(deltas)) == list(text.splitter(text.text)), f"{text.name} depends on how text is cut"
    best_s = float("inf")
    for _ in range(repeats):
        start_s = time.process_time()
        for _ in text.splitter(deltas):
            pass
        best_s = min(best_s, time.process_time() - start_s)
    return len(text.text) / best_s


async def _give(deltas: list[str]) -> AsyncIterator[str]:
    for delta in deltas:
        yield delta


async def _async_rate(text: Text, size: int) -> float:
    """The same, from an async generator."""
    deltas = cut(text.text, size)
    best_s = float("inf")
    for _ in range(REPEATS):
        start_s = time.process_time()
        async for _ in text.splitter(_give(deltas)):
            pass
        best_s = min(best_s, time.process_time() - start_s)
    return len(text.text) / best_s


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}; million characters a second")
    print(f"{'':20}{TOKEN_CHARS:>10}{CHUNK_CHARS:>10,}{f'async, {TOKEN_CHARS}':>10}{'least':>10}")
    for text in texts(CHARS):
        rates = [_rate(text, size, REPEATS) for size in (TOKEN_CHARS, CHUNK_CHARS)]
        rates.append(asyncio.run(_async_rate(text, TOKEN_CHARS)))
        least = "" if text.least is None else f"{text.least / 1e6:.1f}"
        print(f"{text.name:20}{rates[0] / 1e6:10.2f}{rates[1] / 1e6:10.2f}{rates[2] / 1e6:10.2f}{least:>10}")
        assert text.least is None or min(rates) >= text.least, f"{text.name} is too slow"
    print(f"\n{'one long item':20}{1:>10}")
    for text in one_long_item(CHARS):
        print(f"{text.name:20}{_rate(text, 1, 1) / 1e6:10.2f}")


if __name__ == "__main__":
    main()
