"""How many characters a second each splitter reads, on one core, driver included.

    python tests/split/bench_split.py

Each text is read in deltas of 4 characters, as tokens are, and of 1,000; best of five, CPU time. Before a figure is
printed, the items are compared with those of the whole text at once. The last lines read one item of a million
characters, one character at a time: a splitter that looked at its buffer again would take minutes.
"""

from __future__ import annotations

import asyncio
import json
import platform
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from alto_lg import split

REPEATS = 5
CHARS = 1_000_000
CLAIM = "The Eiffel Tower was completed in 1889, after two years, two months and five days of work."
QUERY = {"query": "When was the Eiffel Tower finished?", "why": 'It says "1889" [sic].', "weights": [1, 2.5, None]}


@dataclass(frozen=True, slots=True)
class Case:
    """A splitter and a text for it. least: characters a second that it must read, or None."""

    name: str
    splitter: split.Splitter[Any]
    text: str
    least: float | None = None


def _by_line(text: str, at_end: bool) -> tuple[Iterable[str], int]:
    read = len(text) if at_end else text.rfind("\n") + 1
    return text[:read].splitlines(), read


def _cases() -> list[Case]:
    prose = (CLAIM + "\n") * (CHARS // len(CLAIM))
    array = json.dumps([QUERY] * (CHARS // len(json.dumps(QUERY))))
    paragraph = " ".join([CLAIM] * 5) + "\n\n"
    return [
        Case("lines", split.lines(), prose, 2e6),
        Case("words", split.words(), prose, 2e6),
        Case("json_items", split.json_items(), array, 0.5e6),
        Case("json_items, path", split.json_items(path="a.b"), f'{{"z": {array}, "a": {{"b": {array}}}}}', 0.5e6),
        Case("sentences", split.sentences(), paragraph * (CHARS // len(paragraph))),
        Case("bullets", split.bullets(), "".join(f"{at % 100}. {CLAIM}\n" for at in range(CHARS // len(CLAIM)))),
        Case("regex", split.regex(pattern=r"\n\n+"), paragraph * (CHARS // len(paragraph))),
        Case("by", split.by(function=_by_line), prose),
    ]


def _long() -> list[Case]:
    return [
        Case("lines", split.lines(max_item_chars=CHARS + 9), "a" * CHARS),
        Case("words", split.words(max_item_chars=CHARS + 9), "a" * CHARS),
        Case("json_items", split.json_items(max_item_chars=CHARS + 9), f'["{"a" * CHARS}"]'),
        Case("sentences", split.sentences(max_item_chars=CHARS + 9), "ab, " * (CHARS // 4)),
        Case("bullets", split.bullets(max_item_chars=CHARS + 9), "- " + "a" * CHARS),
        Case("regex", split.regex(pattern=r"\n\n+", max_item_chars=CHARS + 9), "a" * CHARS),
    ]


def _rate(case: Case, size: int, repeats: int) -> float:
    """Characters a second of CPU time."""
    deltas = [case.text[at : at + size] for at in range(0, len(case.text), size)]
    assert list(case.splitter(deltas)) == list(case.splitter(case.text)), f"{case.name} depends on how text is cut"
    best_s = float("inf")
    for _ in range(repeats):
        start_s = time.process_time()
        for _ in case.splitter(deltas):
            pass
        best_s = min(best_s, time.process_time() - start_s)
    return len(case.text) / best_s


async def _give(deltas: list[str]) -> AsyncIterator[str]:
    for delta in deltas:
        yield delta


def _async_rate(case: Case, size: int) -> float:
    """The same, from an async generator on an event loop."""

    async def read() -> float:
        deltas = [case.text[at : at + size] for at in range(0, len(case.text), size)]
        best_s = float("inf")
        for _ in range(REPEATS):
            start_s = time.process_time()
            async for _ in case.splitter(_give(deltas)):
                pass
            best_s = min(best_s, time.process_time() - start_s)
        return len(case.text) / best_s

    return asyncio.run(read())


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}; million characters a second")
    print(f"{'':20}{'4':>10}{'1,000':>10}{'async, 4':>10}{'least':>10}")
    for case in _cases():
        rates = [_rate(case, size, REPEATS) for size in (4, 1_000)]
        rates.append(_async_rate(case, 4))
        least = "" if case.least is None else f"{case.least / 1e6:.1f}"
        print(f"{case.name:20}{rates[0] / 1e6:10.2f}{rates[1] / 1e6:10.2f}{rates[2] / 1e6:10.2f}{least:>10}")
        assert case.least is None or min(rates) >= case.least, f"{case.name} is too slow"
    print(f"\n{'one long item':20}{'1':>10}")
    for case in _long():
        print(f"{case.name:20}{_rate(case, 1, 1) / 1e6:10.2f}")


if __name__ == "__main__":
    main()
