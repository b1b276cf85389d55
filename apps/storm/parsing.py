"""From the text of a model's answer to titles, editors, questions, queries, and the body of a section.

Always true: no text makes a function here raise. What is read line by line is read alike whether the lines come one by
one or all at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

RELATED_MAX = 10

_NUMBERED = re.compile(r"^\s*\**\(?\d{1,3}[.)]\**\s+")
_MARK = re.compile(r"^\s*(?:[-*•–]|\**\(?\d{1,3}[.)]\**)\s+")
_HEADING = re.compile(r"^\s*#{1,6}\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*```")
_NOTHING = frozenset({"none", "n/a", "null", "nothing", ""})
_THANKS = "thank you so much for your help"


def related(text: str) -> list[str]:
    """The entries of a list; without list marks, the lines of the whole text."""
    lines = text.splitlines()
    marked = [line for line in lines if _MARK.match(line)]
    return [title for title in dict.fromkeys(map(_plain, marked or lines)) if title][:RELATED_MAX]


def persona(line: str) -> str:
    """The editor whom a line of a numbered list describes; nothing for any other line."""
    return _plain(line).replace("**", "") if _NUMBERED.match(line) else ""


def question(text: str) -> str:
    """What an editor asks, on one line; nothing from one who has no more to ask."""
    asked = " ".join(text.split())
    return "" if _THANKS in asked.lower() else asked


class Queries:
    """The queries of a text, line by line: entries of a list, or, if it has none, its lines."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._listed: dict[str, None] = {}
        self._bare: dict[str, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether no further line counts."""
        return len(self._listed) >= self._most

    def read(self, line: str) -> str:
        """The query that a line adds for good; nothing if it adds none."""
        found = _plain(line).strip("\"'")
        if self.is_full or not found or found in self._listed:
            return ""
        if not _MARK.match(line):
            self._bare[found] = None
            return ""
        self._listed[found] = None
        return found

    def rest(self) -> list[str]:
        """What the end of the text adds."""
        return [] if self._listed else list(self._bare)[: self._most]


def queries(text: str, most: int) -> list[str]:
    """The queries of a whole text."""
    reader = Queries(most)
    listed = [found for found in map(reader.read, text.splitlines()) if found]
    return [*listed, *reader.rest()]


def body(text: str, heading: str) -> str:
    """A section without its own heading and without fences; the headings in it are of the third level."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        found = _HEADING.match(line)
        if found and found.group(1).casefold() == heading.casefold():
            continue
        if not _FENCE.match(line):
            lines.append(f"### {found.group(1)}" if found else line.rstrip())
    return _spaced(lines)


def prose(text: str) -> str:
    """A text without headings and fences."""
    return _spaced(line.rstrip() for line in text.splitlines() if not _HEADING.match(line) and not _FENCE.match(line))


def _spaced(lines: Iterable[str]) -> str:
    """Lines as Markdown: at most one blank line between two."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _plain(line: str) -> str:
    """A line without its list mark; nothing for a fence or a word for nothing."""
    plain = " ".join(_MARK.sub("", line).split())
    is_bare = bool(_FENCE.match(line)) or plain.lower().rstrip(".!") in _NOTHING
    return "" if is_bare else plain
