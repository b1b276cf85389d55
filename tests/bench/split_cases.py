"""Split cases: how each splitter reads, beside a loop over the same text, and a long item beside four short ones.

Always true: the items of a text in pieces are those of the whole text at once. A loop of Python over the characters,
with one call for each delta, is the yardstick because no other splitter takes text in pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from alto_lg import split
from bench.case import Sides
from bench.function_case import FunctionCase
from bench.verdict import UNLIKE_WORSE_MAX

CHARS = 20_000
TOKEN_CHARS = 4
SHORT_ITEMS = 4
CLAIM = "The Eiffel Tower was completed in 1889, after two years, two months and five days of work."
QUERY = {"query": "When was the Eiffel Tower finished?", "why": 'It says "1889" [sic].', "weights": [1, 2.5, None]}


@dataclass(frozen=True, slots=True)
class Text:
    """A splitter and a text for it. least: characters a second of CPU time that it must read, where one is set."""

    name: str
    splitter: split.Splitter[Any]
    text: str
    least: float | None = None


def by_line(text: str, at_end: bool) -> tuple[Iterable[str], int]:
    """A function of a user's own."""
    read = len(text) if at_end else text.rfind("\n") + 1
    return text[:read].splitlines(), read


def texts(chars: int) -> tuple[Text, ...]:
    """Each splitter with about so many characters that it is made for."""
    prose = (CLAIM + "\n") * (chars // len(CLAIM))
    array = json.dumps([QUERY] * (chars // len(json.dumps(QUERY))))
    paragraph = " ".join([CLAIM] * 5) + "\n\n"
    return (
        Text("lines", split.lines(), prose, 2e6),
        Text("words", split.words(), prose, 2e6),
        Text("json_items", split.json_items(), array, 0.5e6),
        Text("json_items, path", split.json_items(path="a.b"), f'{{"z": {array}, "a": {{"b": {array}}}}}', 0.5e6),
        Text("sentences", split.sentences(), paragraph * (chars // len(paragraph))),
        Text("bullets", split.bullets(), "".join(f"{at % 100}. {CLAIM}\n" for at in range(chars // len(CLAIM)))),
        Text("regex", split.regex(pattern=r"\n\n+"), paragraph * (chars // len(paragraph))),
        Text("by", split.by(function=by_line), prose),
    )


def one_long_item(chars: int) -> tuple[Text, ...]:
    """A single item: a splitter that looked at all of its buffer again at each delta would take minutes."""
    most = chars + 9
    return (
        Text("lines", split.lines(max_item_chars=most), "a" * chars),
        Text("words", split.words(max_item_chars=most), "a" * chars),
        Text("json_items", split.json_items(max_item_chars=most), f'["{"a" * chars}"]'),
        Text("sentences", split.sentences(max_item_chars=most), "ab, " * (chars // 4)),
        Text("bullets", split.bullets(max_item_chars=most), "- " + "a" * chars),
        Text("regex", split.regex(pattern=r"\n\n+", max_item_chars=most), "a" * chars),
    )


def cut(text: str, size: int) -> list[str]:
    """The deltas in which a model would give it."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def _beside_a_loop(text: Text) -> Sides:
    deltas, whole = cut(text.text, TOKEN_CHARS), list(text.splitter(text.text))

    def read_in_a_loop() -> Sequence[Any]:
        read = 0
        for delta in deltas:
            read += len(delta)
            for character in delta:
                read += character == "\0"
        assert read == len(text.text)
        return whole

    return Sides(read_in_a_loop, lambda: list(text.splitter(deltas)))


def _beside_short_items(long: Text, short: Text) -> Sides:
    """A splitter that looks at all of its buffer again takes four times as long for the long item."""
    deltas, short_deltas, whole = cut(long.text, 1), cut(short.text, 1), list(long.splitter(long.text))

    def read_short_items() -> Sequence[Any]:
        for _ in range(SHORT_ITEMS):
            for _ in short.splitter(short_deltas):
                pass
        return whole

    return Sides(read_short_items, lambda: list(long.splitter(deltas)))


SPLIT_CASES = (
    *(
        FunctionCase(
            f"splitter: {text.name}",
            partial(_beside_a_loop, text),
            figures=("cpu", "calls"),
            cpu_worse_max=UNLIKE_WORSE_MAX,
        )
        for text in texts(CHARS)
    ),
    *(
        FunctionCase(f"splitter, long item: {long.name}", partial(_beside_short_items, long, short))
        for long, short in zip(one_long_item(CHARS), one_long_item(CHARS // SHORT_ITEMS), strict=True)
    ),
)
