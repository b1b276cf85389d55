"""Split cases: how fast each splitter reads, beside a loop of Python over the same characters.

Always true: the items of a text in pieces are those of the whole text at once. The loop is the yardstick because no
other splitter takes text in pieces; it tells how fast this Python is, and so makes a ratio that holds elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from alto_lg import split
from bench.case import Sides
from bench.function_case import FunctionCase

CHARS = 20_000
TOKEN_CHARS = 4
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


def _sides(text: Text, size: int) -> Sides:
    deltas, whole = cut(text.text, size), list(text.splitter(text.text))

    def read_in_a_loop() -> Sequence[Any]:
        read = 0
        for delta in deltas:
            for character in delta:
                read += character != "\0"
        assert read == len(text.text)
        return whole

    return Sides(read_in_a_loop, lambda: list(text.splitter(deltas)))


SPLIT_CASES = (
    *(
        FunctionCase(f"splitter: {text.name}", lambda text=text: _sides(text, TOKEN_CHARS))  # type: ignore[misc]
        for text in texts(CHARS)
    ),
    *(
        FunctionCase(f"splitter, one long item: {text.name}", lambda text=text: _sides(text, 1))  # type: ignore[misc]
        for text in one_long_item(CHARS)
    ),
)
