"""From the text of a model's answer to queries, facts, an order of passages, and points.

Always true: no text makes a function here raise. What can be told of the beginning of a text is the beginning of what
the whole text says: `queries_so_far`, `facts_so_far` and `ranking_so_far` never take back what they gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from alto_lg.apps.wikichat.prompts import CLOSING, OPENING

QUERIES_MAX = 3
FACTS_MAX = 12

_MARK = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,3}[.)])\s+")
_LISTED = re.compile(rf"{re.escape(OPENING)}(.*?)(?:{re.escape(CLOSING)}|\Z)", re.DOTALL)
_NOTHING = frozenset({"none", "n/a", "null", "nil", "nothing", ""})
_NONE = re.compile(r"\W*none\b(?!\s+\w)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_NUMBER_ENDED = re.compile(r"\d+(?=\D)")


def queries(text: str) -> list[str]:
    """The queries between the marks, a line each; without marks, the lines of the whole text."""
    listed = _LISTED.findall(text) if OPENING in text else [text]
    lines = (line for part in listed for line in part.splitlines())
    return _different(_plain(line).strip("\"'") for line in lines)[:QUERIES_MAX]


def queries_so_far(text: str) -> list[str]:
    """The queries that are whole in the beginning of a text; none before the first mark."""
    closed = text.rfind(CLOSING)
    ended = text[: max(text.rfind("\n") + 1, closed + len(CLOSING) if closed >= 0 else 0)]
    return queries(ended) if OPENING in ended else []


def facts(text: str) -> list[str]:
    """The entries of a list; without list marks, the lines of the whole text."""
    lines = text.splitlines()
    marked = [line for line in lines if _MARK.match(line)]
    return _different(_plain(line) for line in marked or lines)[:FACTS_MAX]


def facts_so_far(text: str) -> list[str]:
    """The facts that are whole in the beginning of a text: marked lines that have ended."""
    lines = text[: text.rfind("\n") + 1].splitlines()
    return _different(_plain(line) for line in lines if _MARK.match(line))[:FACTS_MAX]


def ranking(text: str, count: int, kept: int) -> list[int]:
    """The places of the best of `count` passages, from 0; those that the text leaves out follow in their own order."""
    named = _places(_NUMBER, text[max(text.find("["), 0) :], count)
    return list(dict.fromkeys([*named, *range(count)]))[:kept]


def ranking_so_far(text: str, count: int) -> list[int]:
    """The places that the beginning of a text has named for good; none before its list begins."""
    start = text.find("[")
    return _places(_NUMBER_ENDED, text[start:], count) if start >= 0 else []


def points(text: str) -> list[str]:
    """The statements of a list, in order; none where the model found none, whatever it adds to that."""
    if _NONE.match(text):
        return []
    return _different(_plain(line) for line in text.splitlines())


def _places(number: re.Pattern[str], text: str, count: int) -> list[int]:
    # A long row of digits is no number of a passage, and would be slow to read as one.
    found = (int(digits) - 1 for digits in number.findall(text) if len(digits) <= len(str(count)))
    return list(dict.fromkeys(place for place in found if 0 <= place < count))


def _plain(line: str) -> str:
    """A line without its list mark; nothing for a heading, a fence, or a word for nothing."""
    plain = " ".join(_MARK.sub("", line).split())
    is_bare = plain.endswith(":") or plain.startswith("```") or plain.lower().rstrip(".!") in _NOTHING
    return "" if is_bare else plain


def _different(entries: Iterable[str]) -> list[str]:
    return [entry for entry in dict.fromkeys(entries) if entry]
