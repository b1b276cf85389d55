"""Bullets: the items of a numbered or bulleted list.

Owns what a list looks like. Always true: an item is given at the first character that shows its end: the mark of the
next item with the white space behind it, text at the left margin behind a blank line, or the end of the text.

    - item     * item     + item     • item     1. item     1) item     (1) item     a) item     (a) item     (iv) item

A line that begins with no mark goes on with the item above it; behind a blank line it does so only if it is indented.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split.errors import ItemTooLong

_SIGN = "[-*+•‣◦▪●–]"
_MARK = rf"(?:{_SIGN}|\d{{1,3}}[.)]|\((?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{2,5}})\)|[a-zA-Z]\))"
_BULLET = re.compile(rf"(?P<indent>[ \t]{{0,80}})(?P<mark>{_MARK})(?:[ \t]|\r?\Z)").match
_MAY_BECOME_BULLET = re.compile(
    rf"[ \t]{{0,80}}(?:{_SIGN}?|\d{{1,3}}[.)]?|\([0-9a-zA-Z]{{0,5}}\)?|[a-zA-Z]\)?)\r?"
).fullmatch
_INDENT = re.compile(r"[ \t]*").match
_TAB = 4


@dataclass(frozen=True, slots=True)
class Bullet:
    """One item of a list. level: 0 for the outermost. mark: as written, or empty for the text before the list."""

    text: str
    level: int
    mark: str


class Bullets(Splitter[Any]):
    """nested: give each bullet of any level as a `Bullet`, else the text of the outer ones, inner ones in it by line.

    preamble: the text before the first bullet is an item, too.
    """

    def __init__(self, *, nested: bool = False, preamble: bool = False, max_item_chars: int = MAX_ITEM_CHARS) -> None:
        self.nested, self.preamble = nested, preamble
        super().__init__(max_item_chars=max_item_chars)

    def _begin(self) -> None:
        self._items: list[Any] = []
        # The line that is under way:
        self._pieces: list[str] = []
        self._is_known = False
        self._joint = ""
        # The item that is under way; its mark is empty for the preamble:
        self._is_open = self.preamble
        self._texts: list[str] = []
        self._held = 0
        self._mark, self._level = "", 0
        self._indents: list[int] = []
        self._has_blank = False

    def _take(self, delta: str) -> list[Any]:
        try:
            first, *others = delta.split("\n")
            self._read(first)
            for text in others:
                self._end_line()
                self._read(text)
        except ItemTooLong as error:
            return self._broken(error, self._given())
        return self._given() if self._items else []

    def _finish(self) -> list[Any]:
        try:
            self._end_line()
        except ItemTooLong as error:
            return self._broken(error, self._given())
        self._end_item()
        return self._given()

    def _given(self) -> list[Any]:
        items, self._items = self._items, []
        return items

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, text: str) -> None:
        """More of the line that is under way."""
        if self._is_known:
            if self._is_open:
                self._pieces.append(text)
                self._hold(len(text))
        elif text:
            start = "".join((*self._pieces, text))  # short, while it may still become the mark of a bullet
            self._pieces = [start]
            if not _MAY_BECOME_BULLET(start):
                self._begin_line(start)

    def _end_line(self) -> None:
        if not self._is_known:
            start = "".join(self._pieces)
            if start.strip():
                self._begin_line(start)
            else:
                self._has_blank = True
        if self._is_known and self._is_open and (text := "".join(self._pieces).strip()):
            self._texts.append(self._joint + text if self._texts else text)
        self._is_known, self._pieces = False, []

    def _begin_line(self, start: str) -> None:
        """It is known now whether the line that begins so is a bullet."""
        self._is_known = True
        bullet = _BULLET(start)
        indent_text = bullet["indent"] if bullet else _INDENT(start)[0]  # type: ignore[index]  # it always matches
        indent = len(indent_text.expandtabs(_TAB))
        self._joint = "\n" if self._has_blank else " "
        if bullet is not None:
            self._begin_bullet(start, bullet, indent)
        elif self._indents and self._has_blank and indent <= self._indents[-1]:
            self._end_item()
            self._indents.clear()
        else:
            self._pieces = [start]
        self._has_blank = False
        if self._is_open:
            self._hold(len(start))
        else:
            self._pieces = []

    def _begin_bullet(self, start: str, bullet: re.Match[str], indent: int) -> None:
        # One column more or less is not a level: models are not that careful.
        while self._indents and self._indents[-1] >= indent - 1:
            self._indents.pop()
        if self._indents and not self.nested:
            self._joint = "\n"
            self._indents.append(indent)
            return
        self._end_item()
        self._indents.append(indent)
        self._is_open, self._mark, self._level, self._held = True, bullet["mark"], len(self._indents) - 1, 0
        self._pieces = [start[bullet.end() :]]

    # ── items ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _end_item(self) -> None:
        text = "".join(self._texts)
        if self._is_open and (text or self._mark):
            self._items.append(Bullet(text, self._level, self._mark) if self.nested else text)
        self._is_open, self._texts = False, []

    def _hold(self, chars: int) -> None:
        self._held += chars
        if self._held > self.max_item_chars:
            raise ItemTooLong("list item", self.max_item_chars)
