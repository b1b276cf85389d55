"""Items by a function of the user's.

Always true: the function is asked once for each delta, and once at the end, with all text that it has not read yet; it
decides alone what an item is, so it alone makes the items independent of how the text is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split.errors import ItemTooLong, UnreadText

Item = TypeVar("Item")
Split: TypeAlias = Callable[[str, bool], tuple[Iterable[Item], int]]
"""(the text not read yet, whether it is the end) -> (items, how many characters of the text are read now)."""


class ByFunction(Splitter[Item]):
    """What is not read stays, and is given again with the next delta before the text that is new."""

    def __init__(self, function: Split[Item], *, max_item_chars: int = MAX_ITEM_CHARS) -> None:
        self._function = function
        super().__init__(max_item_chars=max_item_chars)

    def _begin(self) -> None:
        self._text = ""

    def _take(self, delta: str) -> list[Item]:
        text, self._text = self._text, ""
        text += delta  # in place, as it has no other name
        items, read = self._asked(text, at_end=False)
        self._text = text[read:] if read else text
        if len(self._text) > self.max_item_chars:
            return self._broken(
                ItemTooLong("piece of text that the function does not read", self.max_item_chars), items
            )
        return items

    def _finish(self) -> list[Item]:
        items, read = self._asked(self._text, at_end=True)
        unread = len(self._text) - read
        return self._broken(UnreadText(unread), items) if unread else items

    def _asked(self, text: str, *, at_end: bool) -> tuple[list[Item], int]:
        items, read = self._function(text, at_end)
        if not 0 <= read <= len(text):
            raise ValueError(f"The splitting function says that it read {read!r} of {len(text)} characters.")
        return list(items), read
