"""The splitter: text goes in by pieces, whole items come out.

Owns what all kinds of splitters share. No I/O, no waiting. Always true:
  the same text gives the same items, and then the same error, however it is cut into deltas;
  no item is given before it is certain, and none is kept back once it is;
  no more than `max_item_chars` characters are held, apart from the delta that is being read.
A byte order mark at the start is no text. The two halves of a surrogate pair that come in two deltas are one character.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from alto_lg.adapters.deltas.endings import Take
from alto_lg.split._driver import AsyncItems, Items, items_of

if TYPE_CHECKING:
    from typing import Self

Item = TypeVar("Item")

MAX_ITEM_CHARS = 1_000_000
_BYTE_ORDER_MARK = "\ufeff"


class Splitter(ABC, Generic[Item]):
    """A way to split text, to be given to others or called with a source; `feed` and `end` are its push interface.

    Each text needs a splitter of its own: calling one with a source, and `fresh`, make a new one.
    """

    def __init__(self, *, max_item_chars: int = MAX_ITEM_CHARS) -> None:
        if max_item_chars < 1:
            raise ValueError(f"max_item_chars must be at least 1, not {max_item_chars}.")
        self.max_item_chars = max_item_chars
        self.fault: Exception | None = None
        """What is wrong with the text behind the items that were given last."""
        self._half = ""
        self._open()

    def feed(self, delta: str) -> list[Item]:
        """The items that are whole now that `delta` has come."""
        if self._is_plain and delta.isascii():
            return self._take(delta)
        return self._take_checked(delta)

    def end(self) -> list[Item]:
        """The items that only the end of the text makes whole."""
        self._require_open()
        self._is_plain, self._has_ended = False, True
        half, self._half = self._half, ""
        items = self._take(half) if half else []
        if self.fault is not None:
            return items
        try:
            return items + self._finish()
        except Exception as error:
            return self._broken(error, items)

    def fresh(self) -> Self:
        """One with the same settings, that has read nothing."""
        made = copy.copy(self)
        made._open()
        return made

    @overload
    def __call__(self, source: Iterable[Any], *, take: Take = ..., accept: Iterable[str] = ...) -> Items[Item]: ...
    @overload
    def __call__(
        self, source: AsyncIterable[Any], *, take: Take = ..., accept: Iterable[str] = ...
    ) -> AsyncItems[Item]: ...
    def __call__(
        self, source: Iterable[Any] | AsyncIterable[Any], *, take: Take = "text", accept: Iterable[str] = ()
    ) -> Items[Item] | AsyncItems[Item]:
        """The items of a source, as they come."""
        return items_of(self.fresh(), source, take, accept)

    @abstractmethod
    def _begin(self) -> None:
        """Forget all text."""

    @abstractmethod
    def _take(self, delta: str) -> list[Item]:
        """Read one piece of text."""

    @abstractmethod
    def _finish(self) -> list[Item]:
        """Read the end of the text."""

    def _broken(self, error: Exception, items: list[Item]) -> list[Item]:
        """The items that stand before a fault must come out first; the next call, or the driver, raises it."""
        self.fault = error
        self._is_plain = False
        if items:
            return items
        raise error

    def _open(self) -> None:
        self.fault = None
        self._has_ended = self._has_begun = False
        self._half = ""
        self._is_plain = False
        """Whether a delta in ASCII needs no look: the text has begun and no half of a pair waits."""
        self._begin()

    def _require_open(self) -> None:
        if self.fault is not None:
            raise self.fault
        if self._has_ended:
            raise ValueError("This splitter has come to the end of its text; call fresh() for another text.")

    def _take_checked(self, delta: str) -> list[Item]:
        self._require_open()
        if not delta:
            return []
        if not self._has_begun:
            self._has_begun = True
            delta = delta.removeprefix(_BYTE_ORDER_MARK)
        if not delta.isascii() or self._half:
            delta = self._paired(delta)
        self._is_plain = not self._half
        return self._take(delta) if delta else []

    def _paired(self, delta: str) -> str:
        text = self._half + delta
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        if self._half:
            text = text[:-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            # What a server in JavaScript cut in the middle of a character comes as two halves.
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return text
