"""Tokens of the simulated server: those of the applications, so that usage, chunks, times and planned lengths agree.

Owns the tokens of a chat prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alto_lg.apps.tokens import count as count
from alto_lg.apps.tokens import split as split

_MESSAGE_START, _MESSAGE_END = "<|start|>", "<|end|>"


def prompt_tokens(messages: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """The prompt as the model sees it: three marker tokens a message, and the start of the reply.

    The tokens of a conversation are a prefix of those of its continuation, so the prefix cache works across turns.
    """
    tokens: list[str] = []
    for message in messages:
        tokens += (_MESSAGE_START, message["role"], *split(message["content"]), _MESSAGE_END)
    return (*tokens, _MESSAGE_START, "assistant")


def cut_at_stop(text: str, stops: Sequence[str]) -> str:
    """The text before the first stop sequence."""
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(found)] if found else text
