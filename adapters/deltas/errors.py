"""What is raised when a source of text cannot be read to a good end.

Always true: the message says which source, how much text came before, and what to do next.
"""

from __future__ import annotations

from alto_lg.errors import AltoError


class SplitError(AltoError):
    """The base of what goes wrong while text is split."""


class SourceRefused(SplitError, TypeError):
    """You gave something that is not a source of text."""


class StreamError(SplitError):
    """A model's stream is not one whole answer; `source` names it, `chars` counts the text that came."""

    def __init__(self, source: str, chars: int, what: str, advice: str) -> None:
        self.source, self.chars, self.what, self.advice = source, chars, what, advice
        super().__init__(f"{source}: {what}, after {chars} characters of text. {advice}")


class BrokenStream(StreamError):
    """The server or the connection broke the stream off, or it never was a model's stream."""


class TruncatedStream(StreamError):
    """The model was stopped before its answer was complete; `reason` is the word that the server gave."""

    def __init__(self, source: str, chars: int, reason: str) -> None:
        self.reason = reason
        what = f"the answer was stopped before its end (finish reason {reason!r})"
        super().__init__(source, chars, what, _ADVICE.get(reason, _ADVICE_ELSE).format(reason=reason))


class MixedStream(StreamError):
    """Several answers came in one stream, so their text cannot be told apart."""


_ADVICE_ELSE = "Ask again, or pass accept=({reason!r},) if an unfinished answer will do."
_ADVICE = {
    "length": "Allow more tokens (max_tokens), or pass accept=('length',) if an unfinished answer will do.",
    "refusal": "The model refused; change the prompt, or pass accept=('refusal',) to have what text there is.",
}
