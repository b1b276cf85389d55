"""What may be said of a text that is still being written.

Always true: each item is longer than the one before; at the end of the text the last item is what the whole text says.
"""

from __future__ import annotations

from collections.abc import Callable


class SoFar:
    """A function for `split.by`: each item is the list of all that is whole so far, the last that of the whole text.

    whole: what a finished text says. begun: what its beginning says for good; it must be a beginning of `whole`.
    The model writes a few hundred characters, so the text is read again whenever one of `enders` is in it.
    """

    def __init__(self, whole: Callable[[str], list[str]], begun: Callable[[str], list[str]], enders: str) -> None:
        self._whole = whole
        self._begun = begun
        self._enders = enders
        self._text = ""
        self._given: list[str] | None = None

    def __call__(self, text: str, at_end: bool) -> tuple[list[list[str]], int]:
        self._text += text
        if at_end:
            return self._news(self._whole(self._text), is_last=True), len(text)
        if not any(ender in text for ender in self._enders):
            return [], len(text)
        return self._news(self._begun(self._text), is_last=False), len(text)

    def _news(self, found: list[str], *, is_last: bool) -> list[list[str]]:
        if found == self._given or (not found and not is_last):
            return []
        self._given = found
        return [list(found)]
