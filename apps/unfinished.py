"""Answers of which the beginning is enough, so that the token limit may cut them off.

Always true: what the limit cut off is handed on as far as it came; an answer that broke off for another reason raises.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from alto_lg.adapters.deltas.errors import TruncatedStream
from alto_lg.adapters.openai_chat import AnswerTruncated
from alto_lg.apps.chat import Chat, Messages, StreamingChat

_LIMIT = "length"


async def complete_or_cut(chat: Chat, messages: Messages, *, max_tokens: int) -> str:
    """The answer, whole or as far as the limit let it come."""
    try:
        return await chat.complete(messages, max_tokens=max_tokens)
    except AnswerTruncated as cut:
        return cut.text


async def stream_or_cut(chat: StreamingChat, messages: Messages, *, max_tokens: int) -> AsyncGenerator[str, None]:
    """The same in pieces; closing it stops the model."""
    async with aclosing(chat.stream(messages, max_tokens=max_tokens)) as deltas:
        try:
            async for delta in deltas:
                yield delta
        except AnswerTruncated:
            return
        except TruncatedStream as cut:
            if cut.reason != _LIMIT:
                raise
