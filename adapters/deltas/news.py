"""News: what one event of a model's stream says, whichever client it came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class News:
    """What one event says. The default says nothing."""

    text: str = ""
    reason: str | None = None
    """Why the model stopped, in the server's word; None while it goes on."""
    fault: str | None = None
    """What is wrong with the stream itself."""
    answer: str | None = None
    """Which answer the text belongs to, where a stream may hold several."""
    message: str | None = None
    """The number of the message: some providers give a reason to stop with each piece of one."""
    model: str | None = None
    is_last: bool = False
    """Whether the event is marked as the last of its answer, which proves less than a reason does."""
    owes_reason: bool = False
    """Whether whoever sends such an event says at the end why the model stopped."""


NOTHING = News()
