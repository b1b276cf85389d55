"""Items of a JSON array, each as soon as its last character is there.

Owns the walk through the text: what stands before the array, the way along the path, where an item begins and ends.
What is inside an item is read by `json.loads`, which has the last word on it. Always true: each character is looked at
once, and nothing but the unfinished item is held.

The array, or the object that holds it, may stand in prose or in a Markdown fence. Its first bracket is one that

    is the first in its line and is followed by the start of a value (or of a key), or
    stands anywhere and is followed by a quote, a brace or a bracket,

white space aside. So "[note]" and "as in [1]" are prose. Text behind the array is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split.errors import ItemTooLong, MalformedJson

_IN_COMPOUND = re.compile(r'["\[\]{}]').search
_IN_STRING = re.compile(r'["\\]').search
_END_OF_SCALAR = re.compile(r"[ \t\n\r,\]}]").search
_NOT_SPACE = re.compile(r"\S").search
_BRACKET_OR_LINE = re.compile(r"[\[{\n]").search
_SPACE = frozenset(" \t\n\r")
_STARTS_VALUE = frozenset('"{[-0123456789tfn')
_STARTS_PLAINLY = frozenset('"{[')
_ASK = "Ask the model for JSON alone, or allow it more tokens."


class JsonItems(Splitter[Any]):
    """path: the keys that lead from the object in the text to the array. validate: makes an item of its JSON text."""

    def __init__(
        self,
        *,
        path: str | Sequence[str] = (),
        validate: Callable[[str], Any] | None = None,
        max_item_chars: int = MAX_ITEM_CHARS,
    ) -> None:
        self.path = tuple(path.split(".")) if isinstance(path, str) else tuple(path)
        if "" in self.path:
            raise ValueError(f"path={path!r} has an empty key; write path='queries' or path='plan.queries'.")
        self._validate = validate
        super().__init__(max_item_chars=max_item_chars)

    def _begin(self) -> None:
        self._state: Callable[[str, int], int] = self._seek
        self._place = "before the array"
        self._base = 0  # characters before this delta
        self._items: list[Any] = []
        self._count = 0
        # While the array is sought:
        self._line_is_blank = True
        self._opener = ""
        self._has_line_after = False
        # On the way along the path:
        self._level = 0
        self._seen = [False] * len(self.path)
        # The value that is being read:
        self._pieces: list[str] = []
        self._held = 0
        self._start = 0
        self._depth = 0
        self._in_string = self._is_escaped = False
        self._keeps = True
        self._completed: Callable[[str], None] = self._complete_item

    def _take(self, delta: str) -> list[Any]:
        at, length = 0, len(delta)
        try:
            while at < length:
                at = self._state(delta, at)
        except Exception as error:
            return self._broken(error, self._given())
        self._base += length
        return self._given() if self._items else []

    def _finish(self) -> list[Any]:
        if self._state == self._done:
            return []
        if self._state in (self._seek, self._after_opener):
            self._fail(f"there is no JSON {'object' if self.path else 'array'} in the text", self._base)
        self._fail(f"the JSON ended {self._place}, after {self._count} whole items", self._base)

    def _given(self) -> list[Any]:
        items, self._items = self._items, []
        return items

    # ── before the array ────────────────────────────────────────────────────────────────────────────────────────

    def _seek(self, delta: str, at: int) -> int:
        found = _BRACKET_OR_LINE(delta, at)
        if found is None:
            self._line_is_blank = self._line_is_blank and _NOT_SPACE(delta, at) is None
            return len(delta)
        before = _NOT_SPACE(delta, at, found.start())
        self._line_is_blank = self._line_is_blank and before is None
        if found[0] == "\n":
            self._line_is_blank = True
        else:
            self._opener, self._start = found[0], self._base + found.start()
            self._state, self._has_line_after = self._after_opener, False
        return found.end()

    def _after_opener(self, delta: str, at: int) -> int:
        found = _NOT_SPACE(delta, at)
        if found is None:
            self._has_line_after = self._has_line_after or "\n" in delta[at:]
            return len(delta)
        if not self._opens(found[0]):
            self._state = self._seek
            self._line_is_blank = self._has_line_after or "\n" in delta[at : found.start()]
        elif self._opener == "[" and not self.path:
            self._state, self._place = self._first_or_close, "in the array"
        elif self._opener == "{" and self.path:
            self._state, self._place = self._key_or_close, "in the object"
        elif self.path:
            self._fail("the text is a JSON array, not an object", self._start, "Leave path out.")
        else:
            advice = "Name the array in it by path=, for example path='queries'."
            self._fail("the text is a JSON object, not an array", self._start, advice)
        return found.start()

    def _opens(self, following: str) -> bool:
        if self._opener == "{":
            return following == '"' or (self._line_is_blank and following == "}")
        if following in _STARTS_PLAINLY:
            return True
        return self._line_is_blank and not self.path and (following in _STARTS_VALUE or following == "]")

    # ── along the path ──────────────────────────────────────────────────────────────────────────────────────────

    def _key_or_close(self, delta: str, at: int) -> int:
        return self._close_object(at) if delta[at] == "}" else self._key(delta, at)

    def _key(self, delta: str, at: int) -> int:
        if delta[at] in _SPACE:
            return at + 1
        if delta[at] != '"':
            self._fail(f"expected a key in quotes, not {delta[at]!r}", self._base + at)
        self._begin_value(delta, at, keeps=True, completed=self._complete_key)
        return at + 1

    def _complete_key(self, text: str) -> None:
        key = self._loaded(text)
        self._is_on_path = key == self.path[self._level]
        if self._is_on_path and self._seen[self._level]:
            self._fail(f"the key {key!r} comes twice", self._start)
        self._state = self._colon

    def _colon(self, delta: str, at: int) -> int:
        if delta[at] in _SPACE:
            return at + 1
        if delta[at] != ":":
            self._fail(f"expected a colon, not {delta[at]!r}", self._base + at)
        self._state = self._value_on_path if self._is_on_path else self._value_beside
        return at + 1

    def _value_on_path(self, delta: str, at: int) -> int:
        if delta[at] in _SPACE:
            return at + 1
        is_last = self._level == len(self.path) - 1
        if delta[at] != ("[" if is_last else "{"):
            key, kind = ".".join(self.path[: self._level + 1]), "array" if is_last else "object"
            self._fail(f"expected an {kind} at {key!r}, not {delta[at]!r}", self._base + at)
        self._seen[self._level] = True
        if is_last:
            self._state, self._place = self._first_or_close, "in the array"
        else:
            self._level += 1
            self._seen[self._level] = False
            self._state = self._key_or_close_or_space
        return at + 1

    def _key_or_close_or_space(self, delta: str, at: int) -> int:
        return at + 1 if delta[at] in _SPACE else self._key_or_close(delta, at)

    def _value_beside(self, delta: str, at: int) -> int:
        if delta[at] in _SPACE:
            return at + 1
        keeps = delta[at] not in _STARTS_PLAINLY
        return self._value_at(delta, at, keeps=keeps, completed=self._complete_beside)

    def _complete_beside(self, text: str) -> None:
        if text:
            self._loaded(text)
        self._state = self._comma_or_close_object

    def _comma_or_close_object(self, delta: str, at: int) -> int:
        if delta[at] in _SPACE:
            return at + 1
        if delta[at] == "}":
            return self._close_object(at)
        if delta[at] != ",":
            self._fail(f"expected a comma or a brace, not {delta[at]!r}", self._base + at)
        self._state = self._key
        return at + 1

    def _close_object(self, at: int) -> int:
        if not self._seen[self._level]:
            key = ".".join(self.path[: self._level + 1])
            self._fail(f"the object ends without the key {key!r}", self._base + at, "Is path= right?")
        self._level -= 1
        self._state = self._done if self._level < 0 else self._comma_or_close_object
        return at + 1

    # ── the array ───────────────────────────────────────────────────────────────────────────────────────────────

    def _first_or_close(self, delta: str, at: int) -> int:
        if delta[at] == "]":
            return self._close_array(at)
        return self._item(delta, at)

    def _item(self, delta: str, at: int) -> int:
        if delta[at] in _SPACE:
            return at + 1
        return self._value_at(delta, at, keeps=True, completed=self._complete_item)

    def _complete_item(self, text: str) -> None:
        item = self._loaded(text)
        self._items.append(item if self._validate is None else self._validated(text))
        self._count += 1
        self._state = self._comma_or_close

    def _validated(self, text: str) -> Any:
        assert self._validate is not None
        try:
            return self._validate(text)
        except Exception as error:
            error.add_note(f"In item {self._count + 1} of the JSON array, at character {self._start} of the text.")
            raise

    def _comma_or_close(self, delta: str, at: int) -> int:
        if delta[at] == ",":
            self._state = self._item
        elif delta[at] == "]":
            return self._close_array(at)
        elif delta[at] not in _SPACE:
            self._fail(f"expected a comma or a bracket after item {self._count}, not {delta[at]!r}", self._base + at)
        return at + 1

    def _close_array(self, at: int) -> int:
        self._place = "behind the array"
        self._state = self._comma_or_close_object if self.path else self._done
        return at + 1

    def _done(self, delta: str, at: int) -> int:
        return len(delta)

    # ── one value ───────────────────────────────────────────────────────────────────────────────────────────────

    def _value_at(self, delta: str, at: int, *, keeps: bool, completed: Callable[[str], None]) -> int:
        self._begin_value(delta, at, keeps=keeps, completed=completed)
        if delta[at] in _STARTS_PLAINLY:
            return at + 1
        if delta[at] in ",]}:":
            self._fail(f"expected a value, not {delta[at]!r}", self._base + at)
        self._pieces, self._held = [], 0
        self._state = self._scalar
        return at

    def _begin_value(self, delta: str, at: int, *, keeps: bool, completed: Callable[[str], None]) -> None:
        self._start, self._keeps, self._completed = self._base + at, keeps, completed
        self._pieces, self._held = [delta[at]], 1
        self._in_string, self._depth = delta[at] == '"', int(delta[at] != '"')
        self._state = self._inside

    def _scalar(self, delta: str, at: int) -> int:
        found = _END_OF_SCALAR(delta, at)
        end = len(delta) if found is None else found.start()
        self._keep(delta, at, end)
        if found is not None:
            self._completed("".join(self._pieces))
        return end

    def _inside(self, delta: str, at: int) -> int:
        end = self._end_of_value(delta, at)
        if self._keeps:
            self._keep(delta, at, len(delta) if end < 0 else end)
        if end < 0:
            return len(delta)
        self._completed("".join(self._pieces) if self._keeps else "")
        return end

    def _end_of_value(self, delta: str, at: int) -> int:
        """Where the value ends in this delta, or -1."""
        if self._is_escaped:
            self._is_escaped = False
            at += 1
        while True:
            found = (_IN_STRING if self._in_string else _IN_COMPOUND)(delta, at)
            if found is None:
                return -1
            at = found.end()
            mark = found[0]
            if mark == "\\":
                if at == len(delta):
                    self._is_escaped = True
                    return -1
                at += 1
            elif mark == '"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if mark in "[{" else -1
            if self._depth == 0 and not self._in_string:
                return at

    def _keep(self, delta: str, start: int, end: int) -> None:
        self._pieces.append(delta[start:end])
        self._held += end - start
        if self._held > self.max_item_chars:
            raise ItemTooLong("JSON item", self.max_item_chars)

    def _loaded(self, text: str) -> Any:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            self._fail(f"{error.msg[0].lower()}{error.msg[1:]}", self._start + error.pos)
        except (ValueError, RecursionError) as error:
            self._fail(f"item {self._count + 1} cannot be read ({error})", self._start)

    def _fail(self, what: str, position: int, advice: str = _ASK) -> NoReturn:
        raise MalformedJson(what[0].upper() + what[1:], position, advice)
