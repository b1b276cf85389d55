"""The model made of rules as a chat model in this process: no server, no waiting; for tests and for a quick look."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from alto_lg.apps.chat import Messages
from alto_lg.apps.factool.rules import reply

_PIECE_CHARS = 5


class LocalChat:
    """Answers FacTool's prompts by rules, at once."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        """The reply of the rules; a prompt that is not FacTool's is refused."""
        answer = reply(messages, self._seed)
        if answer is None:
            raise ValueError("the rules know FacTool's four prompts only; use a real model for other prompts")
        return answer

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        """The same in pieces."""
        answer = await self.complete(messages, max_tokens=max_tokens)
        for start in range(0, len(answer), _PIECE_CHARS):
            yield answer[start : start + _PIECE_CHARS]
