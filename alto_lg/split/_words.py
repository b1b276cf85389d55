"""Words: text between white space.

Always true: the items are those of `text.split()`. A word is given when the white space after it has come: only that
tells " state" from " statement". Languages that write no spaces come out as long words; split them by sentences.
"""

from __future__ import annotations

from alto_lg.split._splitter import Splitter
from alto_lg.split.errors import ItemTooLong


class Words(Splitter[str]):
    """Words, with the punctuation that stands at them."""

    def _begin(self) -> None:
        self._pieces: list[str] = []
        self._held = 0

    def _take(self, delta: str) -> list[str]:
        words = delta.split()
        if not words:
            return self._flush() if delta else []
        pieces = self._pieces
        if pieces:
            if delta[0].isspace():
                words.insert(0, "".join(pieces))
                pieces.clear()
            elif len(words) > 1 or delta[-1].isspace():
                pieces.append(words[0])
                words[0] = "".join(pieces)
                pieces.clear()
        if self._held + len(delta) > self.max_item_chars and self._has_long(words):
            return self._until_too_long(words)
        if delta[-1].isspace():
            self._held = 0
        else:
            pieces.append(words.pop())
            self._held = len(pieces[0]) if len(pieces) == 1 else self._held + len(delta)
        return words

    def _finish(self) -> list[str]:
        return self._flush()

    def _flush(self) -> list[str]:
        if not self._pieces:
            return []
        word = "".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        return [word]

    def _has_long(self, words: list[str]) -> bool:
        # A word that goes on has its earlier pieces in the count of what is held.
        last = self._held + len(words[-1]) if self._pieces else len(words[-1])
        return last > self.max_item_chars or any(len(word) > self.max_item_chars for word in words)

    def _until_too_long(self, words: list[str]) -> list[str]:
        at = next((at for at, word in enumerate(words) if len(word) > self.max_item_chars), len(words) - 1)
        return self._broken(ItemTooLong("word", self.max_item_chars), words[:at])
