"""Every error of splitting.

    AltoError
    └── SplitError
        ├── StreamError           a model's stream is not one whole answer: source, chars
        │   ├── BrokenStream      it broke off, or it never was a model's stream
        │   ├── TruncatedStream   the model was stopped before its end: reason
        │   └── MixedStream       several answers in one stream
        ├── SourceRefused         you gave something that is no source of text (a TypeError, too)
        ├── MalformedJson         the text is not the JSON that was asked for: position (a ValueError, too)
        ├── ItemTooLong           one item passed max_item_chars
        └── UnreadText            your function left text unread at the end

What your own iterator, function or model class raises passes through untouched.
"""

from __future__ import annotations

from alto_lg.adapters.deltas.errors import (
    BrokenStream,
    MixedStream,
    SourceRefused,
    SplitError,
    StreamError,
    TruncatedStream,
)

__all__ = [
    "BrokenStream",
    "ItemTooLong",
    "MalformedJson",
    "MixedStream",
    "SourceRefused",
    "SplitError",
    "StreamError",
    "TruncatedStream",
    "UnreadText",
]


class MalformedJson(SplitError, ValueError):
    """The text is not the JSON that was asked for; `position` counts the characters before the place."""

    def __init__(self, what: str, position: int, advice: str) -> None:
        self.what, self.position, self.advice = what, position, advice
        super().__init__(f"{what}, at character {position} of the text. {advice}")


class ItemTooLong(SplitError):
    """One item passed the limit, so the text is probably not what the splitter was meant for."""

    def __init__(self, noun: str, max_item_chars: int) -> None:
        self.noun, self.max_item_chars = noun, max_item_chars
        super().__init__(
            f"A {noun} is longer than max_item_chars={max_item_chars}. Is the text made of {noun}s? "
            "If it is, pass a larger max_item_chars."
        )


class UnreadText(SplitError):
    """A splitting function must say of all text, at the end, that it has read it."""

    def __init__(self, chars: int) -> None:
        self.chars = chars
        super().__init__(
            f"The splitting function left {chars} characters unread at the end of the text. "
            "Return len(text) when at_end is true; text that is in no item is left out."
        )
