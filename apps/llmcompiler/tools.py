"""The tools that a plan may call: they look something up, or calculate, and change nothing.

Always true: a call that cannot be made says so in its result, for the joiner to read; a model server's error raises.
"""

from __future__ import annotations

from alto_lg.apps.chat import Chat
from alto_lg.apps.keyword_search import KeywordSearch
from alto_lg.apps.llmcompiler import parsing, prompts
from alto_lg.apps.llmcompiler.calculator import calculated

_FOUND_MAX = 5
_FINDING_TOKENS_MAX = 200


class Tools:
    """The tools, with the model and the corpus that they need."""

    def __init__(self, chat: Chat, search: KeywordSearch) -> None:
        self._chat = chat
        self._search = search

    async def call(self, tool: str, argument: str) -> str:
        """What a call comes to."""
        if tool == prompts.LOOK_UP:
            return await self._look_up(argument)
        if tool == prompts.CALCULATE:
            return calculated(argument)
        return f"error: there is no tool {tool!r}; there are {prompts.LOOK_UP} and {prompts.CALCULATE}"

    async def _look_up(self, question: str) -> str:
        """A short answer out of the passages that fit a question best."""
        passages = self._search.best(question, _FOUND_MAX)
        if not passages:
            return "unknown"
        asked = prompts.finding(question, passages)
        return parsing.found(await self._chat.complete(asked, max_tokens=_FINDING_TOKENS_MAX))
