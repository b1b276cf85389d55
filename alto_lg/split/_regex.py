"""Text between separators that a regular expression matches.

Owns when a match is final. A match can grow, vanish or be preceded by another while text is missing behind it, so it
counts only when nothing that may still come can change it. The `regex` package can say that: it knows of *partial*
matches, which ran into the end of the text. The probe is the pattern with `(*PRUNE)(*FAIL)` behind it: it takes every
way that the pattern would take until it first succeeds, and is partial exactly where one of them met the end.

Always true: the items are those of `pattern.split(text)`, without empty ones and without groups.
"""

from __future__ import annotations

import re
from types import ModuleType

from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split.errors import ItemTooLong

_CONTEXT_MAX = 64
"""How much text before the item a lookbehind can see."""

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
# At the end of the text these succeed without looking further, but more text may follow: so they are asked to look.
_LOOKING = {
    r"\b": r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))",
    r"\B": r"(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))",
    r"\Z": r"(?!(?s:.))",
    "$": r"(?!\n?+(?s:.))",
}
_LOOKING_BY_LINE = {**_LOOKING, "$": r"(?!.)"}


class Regex(Splitter[str]):
    """pattern: what separates items; a text, or a compiled pattern of `re`. An empty match separates nothing."""

    def __init__(self, pattern: str | re.Pattern[str], *, max_item_chars: int = MAX_ITEM_CHARS) -> None:
        engine = _engine()
        text, flags = (pattern, 0) if isinstance(pattern, str) else (pattern.pattern, _flags(engine, pattern.flags))
        self._separator = engine.compile(text, flags)
        looking = _LOOKING_BY_LINE if self._separator.flags & engine.MULTILINE else _LOOKING
        probe = _TOKEN.sub(lambda found: looking.get(found[0], found[0]), text)
        # A pattern with comments may end in one.
        end = "\n)" if self._separator.flags & engine.VERBOSE else ")"
        self._probe = engine.compile(f"(?:{probe}{end}(*PRUNE)(*FAIL)", flags)
        super().__init__(max_item_chars=max_item_chars)

    def _begin(self) -> None:
        self._text = ""
        self._start = 0
        """Where the item begins; before it stands the context."""
        self._at = 0
        """Before this place, no separator begins any more."""

    def _take(self, delta: str) -> list[str]:
        text, self._text = self._text, ""
        text += delta  # in place, as it has no other name
        return self._scan(text, at_end=False)

    def _finish(self) -> list[str]:
        text, self._text = self._text, ""
        items = self._scan(text, at_end=True)
        rest = self._text[self._start :]
        return [*items, rest] if rest and self.fault is None else items

    def _scan(self, text: str, *, at_end: bool) -> list[str]:
        items: list[str] = []
        start, at = self._start, self._at
        certain = -1
        while True:
            if certain < at:
                certain = len(text) + 1 if at_end else self._certain_before(text, at)
            found = self._separator.search(text, at) if at <= len(text) else None
            if found is None or found.start() >= certain:
                at = min(certain, len(text))
                break
            if found.end() == found.start():
                at = found.start() + 1
                continue
            if found.start() - start > self.max_item_chars:
                return self._broken(self._too_long(), items)
            if found.start() > start:
                items.append(text[start : found.start()])
            start = at = found.end()
        if at - start > self.max_item_chars:
            return self._broken(self._too_long(), items)
        cut = max(0, start - _CONTEXT_MAX)
        self._text, self._start, self._at = text[cut:], start - cut, at - cut
        return items

    def _certain_before(self, text: str, at: int) -> int:
        """The first place, from `at` on, where more text may change what matches there."""
        found = self._probe.search(text, at, partial=True)
        return len(text) if found is None else int(found.start())

    def _too_long(self) -> ItemTooLong:
        return ItemTooLong("piece between separators", self.max_item_chars)


def _engine() -> ModuleType:
    try:
        import regex  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError(
            "split.regex needs the package 'regex', which can tell a match that more text may change: "
            "pip install regex. Without it, use split.by with a function."
        ) from None
    return regex  # type: ignore[no-any-return]


def _flags(engine: ModuleType, flags: int) -> int:
    names = ("IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE", "ASCII", "UNICODE")
    return sum(int(getattr(engine, name)) for name in names if flags & getattr(re, name))
