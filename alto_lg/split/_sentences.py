"""Sentences, by rules that look no further than the first word of the next one.

Owns where a sentence ends. Always true: each decision depends only on the sentence so far and on what follows up to the
first character that tells, so it is the same however the text is cut; what may still change waits. The rules are for
English and the languages that share its punctuation, and for the full stops of Chinese and Japanese.

    full stop 。！？            ends a sentence, with the brackets and quotes behind it
    ! ? …                      end one, unless a small letter follows
    .                          ends one where white space follows, and then no small letter, unless an abbreviation, an
                               initial or the number of a list item stands before it
    line feed                  ends one; with wrapped=True, only a blank line does
"""

from __future__ import annotations

import re

from alto_lg.split._abbreviations import MAY_BE_LAST, NEVER_LAST, STARTERS
from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split.errors import ItemTooLong

# Every repetition is bounded, so that looking at an undecided place again costs the same however long the text is.
_CANDIDATE = re.compile(
    r"""(?P<stop>[.!?…。｡！？‼⁇⁈⁉]{1,40})
        (?P<close>["'”’»)\]}」』）】》〉*_]{0,8}(?:[ ]?\[\d{1,3}\]){0,4})
        (?P<gap>\s{0,40})
        (?P<open>["'“‘«(\[{「『（【《〈*_¿¡]{0,4})
      | \n (?P<blank>[^\S\n]{0,40})""",
    re.VERBOSE,
).search
_UNFINISHED_CITATION = re.compile(r" ?\[\d{0,3}\Z").match
_WIDE = frozenset("。｡！？")
_TOKEN = re.compile(r"[^\s\"'“‘«(\[{—–/]{1,24}\Z")
_WORD = re.compile(r"[^\W\d_]{1,13}").match
_WORD_MAX = 13
_CONTINUES_QUOTE = frozenset("とっ")
_LOOK_BACK = 24


class _Undecided(Exception):
    """What comes next will tell."""


class Sentences(Splitter[str]):
    """wrapped: a line feed is white space, as in text with lines of one width, and a blank line ends a sentence."""

    def __init__(self, *, wrapped: bool = False, max_item_chars: int = MAX_ITEM_CHARS) -> None:
        self.wrapped = wrapped
        super().__init__(max_item_chars=max_item_chars)

    def _begin(self) -> None:
        self._text = ""
        self._at = 0
        """Before this place of the text, no sentence ends."""

    def _take(self, delta: str) -> list[str]:
        # With no other name for the text, CPython makes it longer in place; else this would be quadratic.
        text, self._text = self._text, ""
        text += delta
        return self._scan(text, at_end=False)

    def _finish(self) -> list[str]:
        text, self._text = self._text, ""
        items = self._scan(text, at_end=True)
        rest = self._text.strip()
        return [*items, rest] if rest and self.fault is None else items

    def _scan(self, text: str, *, at_end: bool) -> list[str]:
        items: list[str] = []
        start, at = 0, self._at
        while (found := _CANDIDATE(text, at)) is not None:
            try:
                end = self._end_at(text, start, found, at_end=at_end)
            except _Undecided:
                at = found.start()
                break
            if end is None:
                at = max(found.end("close"), found.start() + 1)
                continue
            if end - start > self.max_item_chars:
                return self._broken(self._too_long(), items)
            if sentence := text[start:end].strip():
                items.append(sentence)
            start = at = end
        else:
            at = len(text)
        self._text, self._at = text[start:], at - start
        if (len(self._text) if at_end else self._at) > self.max_item_chars:
            return self._broken(self._too_long(), items)
        return items

    def _too_long(self) -> ItemTooLong:
        return ItemTooLong("sentence", self.max_item_chars)

    def _end_at(self, text: str, start: int, found: re.Match[str], *, at_end: bool) -> int | None:
        """Where the sentence ends if it ends here, else None."""
        if found["stop"] is None:
            return self._end_at_line(text, found, at_end=at_end)
        gap, end = found["gap"], found.end("close")
        if "\n" in gap and not self.wrapped:
            return end
        if found.end() == len(text) or _UNFINISHED_CITATION(text, end):
            if at_end:
                return end
            raise _Undecided
        if gap.count("\n") > 1:
            return end
        return end if _ends(text, start, found, at_end=at_end) else None

    def _end_at_line(self, text: str, found: re.Match[str], *, at_end: bool) -> int | None:
        if not self.wrapped:
            return found.start() + 1
        if found.end() == len(text) and not at_end:
            raise _Undecided
        return found.end() if text[found.end() : found.end() + 1] == "\n" else None


def _ends(text: str, start: int, found: re.Match[str], *, at_end: bool) -> bool:
    """Whether a sentence ends at a stop that is followed by something."""
    stop, following = found["stop"], text[found.end()]
    if not _WIDE.isdisjoint(stop):
        return found["gap"] != "" or following not in _CONTINUES_QUOTE
    if not found["gap"] or following.islower() or following in ",;:.":
        return False
    if stop != ".":
        return True
    return _ends_at_period(text, start, found, at_end=at_end)


def _ends_at_period(text: str, start: int, found: re.Match[str], *, at_end: bool) -> bool:
    before = text[max(start, found.start() - _LOOK_BACK) : found.start()]
    token = _TOKEN.search(before)
    if token is None:
        return True
    word = token[0].lower()
    if word.isdecimal() and _stands_alone(word, before, is_start=found.start() - start <= _LOOK_BACK):
        return False  # the number of a list item
    if word in NEVER_LAST:
        return found["close"] != ""
    is_initial = len(word) == 1 and token[0].isupper()
    has_periods = "." in word and all(len(part) <= 2 for part in word.split("."))
    if is_initial or has_periods or word in MAY_BE_LAST:
        return _starts_sentence(text, found.end(), at_end=at_end)
    return True


def _stands_alone(word: str, before: str, *, is_start: bool) -> bool:
    """Whether a word is all that its line, or its sentence, has so far."""
    _, line_feed, line = before.rpartition("\n")
    return (line_feed != "" or is_start) and line.strip("\"'“‘«([*_ \t\r") == word


def _starts_sentence(text: str, at: int, *, at_end: bool) -> bool:
    word = _WORD(text, at)
    if word is None:
        return False
    if word.end() == len(text) and len(word[0]) < _WORD_MAX and not at_end:
        raise _Undecided
    return word[0].lower() in STARTERS
