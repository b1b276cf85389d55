"""Outlines: headings of the first level, each with what stands below it.

Always true: a section is given out once nothing that may come can belong to it, and the sections of a text are the same
whether it comes in pieces or at once. An outline under one heading with the name of the topic is read as if that were
its title.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r"^\s*(#{1,6})\s+(.*?)\s*#*\s*$")
_LEFT_OUT = re.compile(r"(?:introduction|conclusions?|summary|references?|see also|external links)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outlined:
    """A section of an outline. headings: those below its own, with their level counted from that."""

    heading: str
    headings: tuple[tuple[int, str], ...] = ()

    @property
    def text(self) -> str:
        """The outline of the section, a line each."""
        below = (f"{'#' * level} {heading}" for level, heading in self.headings)
        return "\n".join([f"# {self.heading}", *below])


class OutlineReader:
    """A function for `split.by`: the sections of an outline, each when the next one begins."""

    def __init__(self, topic: str) -> None:
        self._topic = topic.casefold()
        self._top = 1
        self._has_begun = False
        self._open: Outlined | None = None

    def __call__(self, text: str, at_end: bool) -> tuple[list[Outlined], int]:
        whole = len(text) if at_end else text.rfind("\n") + 1
        sections = [found for line in text[:whole].splitlines() if (found := self._line(line))]
        if at_end and self._open:
            sections.append(self._open)
        return sections, whole

    def _line(self, line: str) -> Outlined | None:
        """The section that a line ends."""
        found = _HEADING.match(line)
        if not found or not found.group(2):
            return None
        level, heading = len(found.group(1)), found.group(2)
        if not self._has_begun and heading.casefold() == self._topic:
            self._top = level + 1
            return None
        self._has_begun = True
        if level > self._top:
            if self._open:
                below = (level - self._top + 1, heading)
                self._open = Outlined(self._open.heading, (*self._open.headings, below))
            return None
        ended, self._open = self._open, None if _LEFT_OUT.match(heading) else Outlined(heading)
        return ended


def sections_of(text: str, topic: str) -> list[Outlined]:
    """The sections of a whole outline."""
    return OutlineReader(topic)(text, True)[0]
