"""Endings: which words for "why the model stopped" mean that its answer is whole.

Always true: a word that is not known counts as an unfinished answer, so a new one is loud and not lost.
"""

from __future__ import annotations

from typing import Literal

Take = Literal["text", "arguments"]
"""What of a model's stream is taken: the text of the answer, or the arguments of its one tool call."""

MISSING = "missing"
"""The word for no word at all, to be accepted by name."""

_WHOLE = frozenset(
    {
        *("stop", "complete", "completed", "end_turn", "eos", "eos_token", "stop_sequence"),
        *("function_call", "tool_calls", "tool_use"),
    }
)
_SAME = {"max_tokens": "length", "max_output_tokens": "length", "model_length": "length"}


def normal(reason: str) -> str:
    """One word for what providers call differently."""
    lowered = reason.lower()
    return _SAME.get(lowered, lowered)


def is_whole(reason: str) -> bool:
    """Whether a normal reason says that the model had come to its end."""
    return reason in _WHOLE
