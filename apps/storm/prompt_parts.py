"""How the model made of rules finds the parts of a prompt again."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBERED = re.compile(r"\[(\d+)\] (.*?): (.*)$")


def after(user: str, mark: str) -> str:
    """What stands behind a mark."""
    return user.partition(mark)[2].strip()


def between(user: str, mark: str, end: str) -> str:
    """What stands behind a mark and before the next one."""
    return user.partition(mark)[2].partition(end)[0].strip()


def numbered_lines(evidence: str) -> Iterator[tuple[int, str, str]]:
    """Number, title and text of each piece of evidence."""
    for line in evidence.splitlines():
        found = _NUMBERED.match(line)
        if found:
            yield int(found.group(1)), found.group(2), found.group(3)
