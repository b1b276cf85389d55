"""A model made of rules as a chat model in this process: no server, no waiting; for tests and for a quick look."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from alto_lg.apps.chat import Messages

Reply = Callable[[Sequence[Mapping[str, str]], int], str | None]
"""Messages and a seed to an answer; None for a prompt that it does not know."""

_PIECE_CHARS = 5


class RulesChat:
    """Answers the prompts of one application by its rules, at once."""

    def __init__(self, reply: Reply, seed: int = 0) -> None:
        self._reply = reply
        self._seed = seed

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        """The reply of the rules; a prompt of another application is refused."""
        answer = self._reply(messages, self._seed)
        if answer is None:
            raise ValueError("the rules know the prompts of one application only; use a real model for other prompts")
        return answer

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        """The same in pieces."""
        answer = await self.complete(messages, max_tokens=max_tokens)
        for start in range(0, len(answer), _PIECE_CHARS):
            yield answer[start : start + _PIECE_CHARS]
