"""Answers: what can be told of an answer from its bytes as they pass, without taking it apart.

Always true: nothing is changed or held back; at most the last `_TAIL_BYTES` bytes are kept. Counts of tokens are the
server's own where it tells them (vLLM always does for an answer in one piece, and for a stream if it was asked by
`stream_options`), else one for each event of a stream.
"""

from __future__ import annotations

import re

_TAIL_BYTES = 4096
_COMPLETION = re.compile(rb'"(?:completion|output)_tokens"\s*:\s*(\d+)')
_PROMPT = re.compile(rb'"(?:prompt|input)_tokens"\s*:\s*(\d+)')
_CACHED = re.compile(rb'"cached_tokens"\s*:\s*(\d+)')
_LAST_EVENTS = (b"[DONE]", b'"response.completed"')
_EVENTS_WITHOUT_TOKEN = 3  # the role, the reason of the end, and [DONE]


class AnswerSoFar:
    """One answer. is_stream: it is a stream of server-sent events."""

    __slots__ = ("_events", "_tail", "is_stream")

    def __init__(self, *, is_stream: bool) -> None:
        self.is_stream = is_stream
        self._events = 0
        self._tail = b""

    def add(self, piece: bytes) -> None:
        """The next bytes of it."""
        # Text in JSON has no bare line break, so an empty line is the end of an event.
        self._events += (self._tail[-1:] + piece).count(b"\n\n")
        self._tail = (self._tail + piece)[-_TAIL_BYTES:]

    @property
    def is_whole(self) -> bool:
        """Whether the last event of a stream has come."""
        return self.is_stream and any(last in self._tail for last in _LAST_EVENTS)

    @property
    def completion_tokens(self) -> int | None:
        """Of an answer that has come to its end; None if it is not whole, or nothing says how many."""
        if self.is_stream and not self.is_whole:
            return None
        told = _last(_COMPLETION, self._tail)
        if told is None and self.is_stream:
            return max(0, self._events - _EVENTS_WITHOUT_TOKEN)
        return told

    @property
    def prompt_tokens(self) -> int | None:
        """As the server counts them."""
        return _last(_PROMPT, self._tail)

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the prompt that the server had in its cache; None if it does not say."""
        return _last(_CACHED, self._tail)


def _last(pattern: re.Pattern[bytes], text: bytes) -> int | None:
    found = pattern.findall(text)
    return int(found[-1]) if found else None
