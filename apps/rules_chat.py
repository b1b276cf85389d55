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
        return self._answer(messages, self._seed)

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        """As many replies, each by a seed of its own, as the simulated server gives them."""
        return [self._answer(messages, self._seed + number) for number in range(count)]

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        """The same in pieces."""
        answer = self._answer(messages, self._seed)
        for start in range(0, len(answer), _PIECE_CHARS):
            yield answer[start : start + _PIECE_CHARS]

    def _answer(self, messages: Messages, seed: int) -> str:
        answer = self._reply(messages, seed)
        if answer is None:
            raise ValueError("the rules know the prompts of one application only; use a real model for other prompts")
        return answer
