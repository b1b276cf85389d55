"""The model made of rules as a chat model in this process: no server, no waiting; for tests and for a quick look."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from alto_lg.apps.chat import Messages
from alto_lg.apps.tot.rules import reply

_PIECE_CHARS = 5


class LocalChat:
    """Answers this application's prompts by rules, at once."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        """The reply of the rules; a prompt of another application is refused."""
        return self._reply(messages, self._seed)

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        """As many replies, each by a seed of its own."""
        return [self._reply(messages, self._seed + number) for number in range(count)]

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        """One reply in pieces."""
        answer = self._reply(messages, self._seed)
        for start in range(0, len(answer), _PIECE_CHARS):
            yield answer[start : start + _PIECE_CHARS]

    def _reply(self, messages: Messages, seed: int) -> str:
        answer = reply(messages, seed)
        if answer is None:
            raise ValueError("the rules know this application's four prompts only; use a real model for other prompts")
        return answer
