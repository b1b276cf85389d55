"""Cuts: where a text that is being written may be cut, so that its whole items remain, and what closes it there.

Deciding only. Always true:
  the cuts of a text are the same however it is divided into deltas;
  text up to a cut, and its closing, hold the items that were whole by then, and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from alto_lg.split._json_items import JsonItems
from alto_lg.split._splitter import Splitter

_LOOKBACK_CHARS = 200
"""How far behind the place where an item is known to be whole its end is sought: one mark of a list, or one blank."""
_FENCE = "```"
_OPENS = {"[": "]", "{": "}"}
_SPACE = frozenset(" \t\r\n")
_PLAIN = (str, list, dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """Keep the first `length` characters of the text, and write `closing` behind them."""

    length: int
    closing: str = ""


class Cuts(Protocol):
    """Reads one text."""

    def feed(self, delta: str) -> Cut | None:
        """The last place in this delta behind which an item is whole; None if there is none."""


MakeCuts = Callable[[], Cuts]


class JsonListCuts:
    """Items of the outermost lists of a JSON value, wherever in it they are: structured output.

    The value may stand in prose or in a Markdown fence: it begins with the first bracket that is first in its line.
    """

    def __init__(self) -> None:
        self._length = 0
        self._closers: list[str] = []
        self._list_depth = 0
        """How many brackets are open inside the outermost list, itself included; 0 outside of it."""
        self._in_string = self._is_escaped = self._in_scalar = False
        self._line_is_blank = True
        self._ticks = 0
        self._in_fence = False

    def feed(self, delta: str) -> Cut | None:
        cut: Cut | None = None
        for char in delta:
            ended = self._step(char)
            self._length += 1
            if ended is not None:
                closing = "".join(reversed(self._closers)) + (f"\n{_FENCE}" if self._in_fence else "")
                cut = Cut(self._length - ended, closing)
                if ended and char in "]}":
                    self._close()
        return cut

    def _step(self, char: str) -> int | None:
        """How many characters before this one's end an item ended, if one did."""
        if self._in_string:
            return self._step_in_string(char)
        if not self._closers:
            self._seek(char)
            return None
        if char == '"':
            self._in_string = True
        elif char in _OPENS:
            self._closers.append(_OPENS[char])
            if not self._list_depth and char == "[":
                self._list_depth = len(self._closers)
        elif char in "]}":
            if self._is_item_open():
                self._in_scalar = False
                return 1
            self._close()
            return 0 if self._list_depth and len(self._closers) == self._list_depth else None
        elif char == "," or char in _SPACE:
            if self._is_item_open():
                self._in_scalar = False
                return 1
        elif len(self._closers) == self._list_depth:
            self._in_scalar = True
        return None

    def _step_in_string(self, char: str) -> int | None:
        if self._is_escaped:
            self._is_escaped = False
        elif char == "\\":
            self._is_escaped = True
        elif char == '"':
            self._in_string = False
            return 0 if len(self._closers) == self._list_depth else None
        return None

    def _is_item_open(self) -> bool:
        return self._in_scalar and len(self._closers) == self._list_depth

    def _close(self) -> None:
        self._closers.pop()
        if len(self._closers) < self._list_depth:
            self._list_depth = 0

    def _seek(self, char: str) -> None:
        self._ticks = self._ticks + 1 if char == "`" else 0
        if self._ticks == len(_FENCE):
            self._in_fence = not self._in_fence
        if char in _OPENS and self._line_is_blank:
            self._closers.append(_OPENS[char])
            self._list_depth = 1 if char == "[" else 0
        elif char == "\n":
            self._line_is_blank = True
        elif char not in _SPACE:
            self._line_is_blank = False


class JsonPathCuts:
    """Items of the one list that a path leads to."""

    def __init__(self, splitter: JsonItems) -> None:
        self._splitter = JsonItems(path=splitter.path, max_item_chars=splitter.max_item_chars)
        self._length = 0
        self._before = ""
        self._closing = "]" + "}" * len(splitter.path)

    def feed(self, delta: str) -> Cut | None:
        cut: Cut | None = None
        for char in delta:
            items = _items(self._splitter, char)
            self._length += 1
            if len(self._before) < _LOOKBACK_CHARS:
                self._before += char
            if items:
                # The end of a number or a word is known by the character behind it.
                length = self._length if isinstance(items[-1], _PLAIN) else self._length - 1
                cut = Cut(length, self._closing + (f"\n{_FENCE}" if _FENCE in self._before else ""))
        return cut


class SplitterCuts:
    """Items of any other splitter: the text is cut where, read to its end, it has these items and no other."""

    def __init__(self, splitter: Splitter[Any]) -> None:
        self._splitter = splitter.fresh()
        self._text = ""
        self._given: list[Any] = []
        self._known = 0

    def feed(self, delta: str) -> Cut | None:
        cut: Cut | None = None
        before, self._text = self._text, self._text + delta
        for at, char in enumerate(delta, len(before) + 1):
            items = _items(self._splitter, char)
            if items:
                self._given += items
                cut = self._cut(self._text[:at]) or cut
        return cut

    def _cut(self, text: str) -> Cut | None:
        for length in range(len(text), max(self._known, len(text) - _LOOKBACK_CHARS), -1):
            if self._items_of(text[:length]) == self._given:
                self._known = length
                return Cut(length)
        return None

    def _items_of(self, text: str) -> list[Any] | None:
        again = self._splitter.fresh()
        try:
            return again.feed(text) + again.end()
        except Exception:  # no text of that kind, or a function of the user's that does not take it
            return None


def _items(splitter: Splitter[Any], char: str) -> list[Any]:
    """None where the text is not of the splitter's kind: another call of the node may give one that is."""
    if splitter.fault is not None:
        return []
    try:
        return splitter.feed(char)
    except Exception as error:
        splitter.fault = error
        return []


def cuts_by(splitter: Splitter[Any] | None) -> MakeCuts:
    """What finds the cuts of one text, by a splitter; None for structured output."""
    if splitter is None or (isinstance(splitter, JsonItems) and not splitter.path):
        return JsonListCuts
    if isinstance(splitter, JsonItems):
        return lambda: JsonPathCuts(splitter)
    return lambda: SplitterCuts(splitter)
