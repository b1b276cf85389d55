"""Lines: text up to a line feed.

Always true: the items are those of `re.split("\\r?\\n", text)`, without the last one where it is empty. Models write
`\\n`, and some servers `\\r\\n`; the other separators of `str.splitlines` (a form feed, U+2028) stay in the line.
"""

from __future__ import annotations

from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split.errors import ItemTooLong


class Lines(Splitter[str]):
    """skip_blank: leave out lines of nothing but white space."""

    def __init__(self, *, skip_blank: bool = False, max_item_chars: int = MAX_ITEM_CHARS) -> None:
        self.skip_blank = skip_blank
        super().__init__(max_item_chars=max_item_chars)

    def _begin(self) -> None:
        self._pieces: list[str] = []
        self._held = 0

    def _take(self, delta: str) -> list[str]:
        held = self._held + len(delta)
        if "\n" not in delta:
            self._pieces.append(delta)
            self._held = held
            return [] if held <= self.max_item_chars else self._broken(self._too_long(), [])
        lines = delta.split("\n")
        if self._pieces:
            self._pieces.append(lines[0])
            lines[0] = "".join(self._pieces)
        if held > self.max_item_chars and any(len(line) > self.max_item_chars for line in lines):
            return self._until_too_long(lines)
        rest = lines.pop()
        self._pieces = [rest] if rest else []
        self._held = len(rest)
        return self._without_endings(lines)

    def _finish(self) -> list[str]:
        rest = "".join(self._pieces)
        return [rest] if rest and not (self.skip_blank and rest.isspace()) else []

    def _without_endings(self, lines: list[str]) -> list[str]:
        items = [line[:-1] if line.endswith("\r") else line for line in lines]
        return [line for line in items if line and not line.isspace()] if self.skip_blank else items

    def _until_too_long(self, lines: list[str]) -> list[str]:
        at = next(at for at, line in enumerate(lines) if len(line) > self.max_item_chars)
        return self._broken(self._too_long(), self._without_endings(lines[:at]))

    def _too_long(self) -> ItemTooLong:
        return ItemTooLong("line", self.max_item_chars)
