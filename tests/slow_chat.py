"""A model made of rules that takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from alto_lg.apps.chat import Messages
from alto_lg.apps.rules_chat import Reply, RulesChat

_PIECE_S = 0.017


class SlowChat(RulesChat):
    """The rules at the pace of a model: so long for each piece of the answer. Keeps what it was asked."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.asked: list[str] = []

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return "".join([piece async for piece in self.stream(messages, max_tokens=max_tokens)])

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        self.asked.append(messages[1]["content"])
        async for piece in super().stream(messages, max_tokens=max_tokens):
            await asyncio.sleep(_PIECE_S)
            yield piece

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        self.asked.append(messages[1]["content"])
        texts = await super().samples(messages, count=count)
        await asyncio.sleep(_PIECE_S / 5 * max(map(len, texts)))
        return texts
