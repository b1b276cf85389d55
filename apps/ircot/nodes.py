"""The stages of one question, shared by every version of the graph and by the hand-written program.

Always true: a stage reads its arguments and returns new values; it changes nothing in place. A thought is the same
whether the model was stopped behind it or wrote on. The search runs on the event loop: it takes 0.2 ms.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel

from alto_lg import split
from alto_lg.apps.chat import Chat, as_chat, as_streaming_chat
from alto_lg.apps.corpus import Passage
from alto_lg.apps.ircot import parsing, prompts
from alto_lg.apps.keyword_search import KeywordSearch
from alto_lg.apps.spans import span
from alto_lg.apps.unfinished import complete_or_cut, stream_or_cut

FOUND_EACH_STEP = 6
PASSAGES_MAX = 15
THOUGHTS_MAX = 10
_THOUGHT_TOKENS_MAX = 200
_READING_TOKENS_MAX = 200


def is_over(thoughts: Sequence[str]) -> bool:
    """Whether the reasoning has come to its end: an answer, nothing new to say, or ten sentences."""
    return len(thoughts) >= THOUGHTS_MAX or not thoughts[-1] or parsing.concludes(thoughts[-1])


class Stages:
    """The work of each node, with the model and the corpus that it needs."""

    def __init__(self, chat: Chat | BaseChatModel, search: KeywordSearch) -> None:
        self._chat = as_chat(chat)
        self._search = search

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    def retrieve(self, question: str, passages: Sequence[Passage], thoughts: Sequence[str]) -> list[Passage]:
        """The passages so far and those that the last thought leads to, or the question where there is none."""
        with span("retrieve", (len(thoughts),)):
            known = {passage["id"] for passage in passages}
            found = self._search.best(thoughts[-1] if thoughts else question, FOUND_EACH_STEP)
            return [*passages, *(passage for passage in found if passage["id"] not in known)][:PASSAGES_MAX]

    async def reason(self, question: str, passages: Sequence[Passage], thoughts: Sequence[str]) -> str:
        """The next thought: the first new sentence of all that the model writes; "" where it writes none."""
        with span("reason", (len(thoughts),)):
            asked = prompts.reasoning(question, passages, thoughts)
            text = await complete_or_cut(self._chat, asked, max_tokens=_THOUGHT_TOKENS_MAX)
            return next((one for one in split.sentences(text) if parsing.is_new(one, thoughts)), "")

    async def reason_briefly(self, question: str, passages: Sequence[Passage], thoughts: Sequence[str]) -> str:
        """The same; the model is stopped when it has written it."""
        with span("reason", (len(thoughts),)):
            asked = prompts.reasoning(question, passages, thoughts)
            written = stream_or_cut(as_streaming_chat(self._chat), asked, max_tokens=_THOUGHT_TOKENS_MAX)
            async with split.sentences(written) as sentences:
                async for one in sentences:
                    if parsing.is_new(one, thoughts):
                        return str(one)
            return ""

    async def read(self, question: str, passages: Sequence[Passage]) -> str:
        """The answer, worked out anew from all that was found."""
        with span("read"):
            asked = prompts.reading(question, passages)
            return parsing.answer_of(await complete_or_cut(self._chat, asked, max_tokens=_READING_TOKENS_MAX))
