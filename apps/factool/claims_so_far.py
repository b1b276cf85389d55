"""The claims of a text that is still being written.

Owns what may be said of an unfinished text. Always true: at the end of the text the claims are those of
`parsing.claims`, whatever was said before. Before the end they are its first ones, unless a line of prose is followed
by a JSON list, or a list is not well formed: no beginning of a text tells that.

A line is a claim when its line feed is there, an entry of a JSON list when its last character is. A bracket that may
open a list waits for what follows it; a text that is neither lines nor a list waits for its end.
"""

from __future__ import annotations

import re

from alto_lg import split
from alto_lg.apps.factool import parsing

_OPENS_LIST = re.compile(r"\[\s*[\"{]")
_MAY_OPEN_LIST = re.compile(r"\[\s*\Z")
_EMPTY_LIST = re.compile(r"\[\s*\]")


class ClaimsSoFar:
    """A function for `split.by`: each item is the list of all claims so far, the last one that of the whole text."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._claims: list[str] = []
        self._is_given = False
        self._is_decidable = True
        self._pending = ""  # what belongs to no whole line yet
        self._entries: split.Splitter[object] | None = None

    def __call__(self, text: str, at_end: bool) -> tuple[list[list[str]], int]:
        self._text.append(text)
        if at_end:
            claims = parsing.claims("".join(self._text))
            return [] if self._is_given and claims == self._claims else [claims], len(text)
        found = self._found_in(text) if self._is_decidable else []
        if not found:
            return [], len(text)
        self._claims += found
        self._is_given = True
        return [list(self._claims)], len(text)

    def _found_in(self, text: str) -> list[str]:
        if self._entries is not None:
            return self._found_in_list(text)
        self._pending += text
        opening = _OPENS_LIST.search(self._pending)
        if opening is not None and not self._is_given:
            self._entries = split.json_items()
            return self._found_in_list(self._pending[opening.start() :])
        if opening is not None or _EMPTY_LIST.search(self._pending):
            self._is_decidable = False
            return []
        if _MAY_OPEN_LIST.search(self._pending):
            return []
        lines, line_feed, self._pending = self._pending.rpartition("\n")
        return parsing.claims_of_lines((lines + line_feed).splitlines())

    def _found_in_list(self, text: str) -> list[str]:
        assert self._entries is not None
        try:
            entries = self._entries.feed(text)
        except split.SplitError:
            self._is_decidable = False
            return []
        self._is_decidable = all(map(parsing.is_list_entry, entries))
        return parsing.claims_of_entries(entries) if self._is_decidable else []
