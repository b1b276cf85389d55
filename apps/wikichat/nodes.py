"""The stages of a turn, shared by every version of the graph.

Always true: a stage reads its arguments and returns new values; it changes nothing in place. What is done as the model
writes gives the same as what is done when it has written. The search runs on the event loop: it takes 0.2 ms, and a hop
to a thread takes 0.06 ms.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing

from langchain_core.language_models import BaseChatModel

from alto_lg import split
from alto_lg.apps.chat import Chat, Messages, as_chat, as_streaming_chat
from alto_lg.apps.corpus import Passage
from alto_lg.apps.retrieval import Retriever
from alto_lg.apps.spans import note, now, span
from alto_lg.apps.wikichat import parsing, prompts
from alto_lg.apps.wikichat.citing import cited
from alto_lg.apps.wikichat.likeness import Different
from alto_lg.apps.wikichat.so_far import SoFar
from alto_lg.apps.wikichat.state import Found, Note, Reference

QUERIES, FACTS = 0, 1
"""The two branches, in the order in which their passages come."""

NOTES_MAX = 10

_FOUND_MAX = (20, 10)
_KEPT_MAX = (3, 2)
_QUERIES_TOKENS_MAX = 200
_FACTS_TOKENS_MAX = 2000
_RANKING_TOKENS_MAX = 150
_POINTS_TOKENS_MAX = 500
_TURN_TOKENS_MAX = 1000


def is_relevant(one: Note) -> bool:
    """Whether a note says anything."""
    return bool(one["points"])


def first_notes(notes: Sequence[Note]) -> list[Note]:
    """The notes that a turn is made of: the first ten that say anything."""
    return [one for one in notes if is_relevant(one)][:NOTES_MAX]


class Stages:
    """The work of each node, with the model and the corpus that it needs."""

    def __init__(self, chat: Chat | BaseChatModel, retriever: Retriever) -> None:
        self._chat = as_chat(chat)
        self._retriever = retriever

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    async def make_queries(self, dialogue: str) -> list[str]:
        """What to search for; nothing for small talk."""
        with span("make_queries"):
            return parsing.queries(
                await self._chat.complete(prompts.querying(dialogue), max_tokens=_QUERIES_TOKENS_MAX)
            )

    async def make_queries_by_and_by(self, dialogue: str) -> AsyncGenerator[list[str], None]:
        """The queries so far, as often as there is one more; the last time, those of the whole text."""
        reader = SoFar(parsing.queries, parsing.queries_so_far, "\n>")
        asked = self._streamed(prompts.querying(dialogue), _QUERIES_TOKENS_MAX)
        with span("make_queries"):
            async with aclosing(_noted("query", asked, reader)) as found:
                async for queries in found:
                    yield queries

    async def recall(self, dialogue: str) -> list[str]:
        """What the model knows itself."""
        with span("recall"):
            return parsing.facts(await self._chat.complete(prompts.recalling(dialogue), max_tokens=_FACTS_TOKENS_MAX))

    async def recall_by_and_by(self, dialogue: str) -> AsyncGenerator[list[str], None]:
        """The facts so far, as often as there is one more; the last time, those of the whole text."""
        reader = SoFar(parsing.facts, parsing.facts_so_far, "\n")
        asked = self._streamed(prompts.recalling(dialogue), _FACTS_TOKENS_MAX)
        with span("recall"):
            async with aclosing(_noted("fact", asked, reader)) as found:
                async for facts in found:
                    yield facts

    async def search(self, branch: int, place: int, text: str) -> list[Passage]:
        """The passages closest to a query or a fact."""
        with span("search", (branch, place)):
            return self._retriever.closest(text, _FOUND_MAX[branch])

    async def rerank(self, branch: int, place: int, text: str, passages: Sequence[Passage]) -> list[Found]:
        """The best of the passages, by the order in which the model puts all of them."""
        with span("rerank", (branch, place)):
            asked = prompts.reranking(text, passages)
            answer = await self._chat.complete(asked, max_tokens=_RANKING_TOKENS_MAX)
            best = parsing.ranking(answer, len(passages), _KEPT_MAX[branch])
            return [_found(passages, chosen, branch, place, rank) for rank, chosen in enumerate(best)]

    async def rerank_by_and_by(
        self, branch: int, place: int, text: str, passages: Sequence[Passage]
    ) -> AsyncGenerator[Found, None]:
        """The same, each when the model has named it; the model is stopped when it has named as many as are kept."""
        kept, count, written, given, started = _KEPT_MAX[branch], len(passages), "", 0, now()
        with span("rerank", (branch, place)):
            async with aclosing(self._streamed(prompts.reranking(text, passages), _RANKING_TOKENS_MAX)) as deltas:
                async for delta in deltas:
                    written += delta
                    for best in parsing.ranking_so_far(written, count)[given:kept]:
                        note("ranked", (branch, place, given), started)
                        yield _found(passages, best, branch, place, given)
                        given += 1
                    if given == kept:
                        return
            for best in parsing.ranking(written, count, kept)[given:]:
                note("ranked", (branch, place, given), started)
                yield _found(passages, best, branch, place, given)
                given += 1

    async def dedupe(self, found: Sequence[Found]) -> list[Found]:
        """The passages without those that are like an earlier one."""
        with span("dedupe"):
            different = Different()
            return [one for one in found if different.is_new(one["passage"])]

    async def dedupe_by_and_by(self, *parts: AsyncIterable[Found]) -> AsyncGenerator[list[Found], None]:
        """The passages so far, as often as there is one more, and once at the end."""
        with span("dedupe"):
            different, kept = Different(), list[Found]()
            for part in parts:
                async for one in part:
                    if different.is_new(one["passage"]):
                        kept.append(one)
                        yield list(kept)
            yield list(kept)

    async def filter(self, place: list[int], passage: Passage, dialogue: str) -> Note:
        """What of a passage bears on the conversation."""
        with span("filter", tuple(place)):
            asked = prompts.filtering(dialogue, passage)
            points = parsing.points(await self._chat.complete(asked, max_tokens=_POINTS_TOKENS_MAX))
            return {"place": place, "passage": passage, "points": points}

    async def draft(self, dialogue: str, notes: Sequence[Note]) -> str:
        """The next turn, with the numbers of the notes that it was made of."""
        for one in notes:
            note("used", tuple(one["place"]), now())
        with span("draft"):
            asked = prompts.drafting(dialogue, notes)
            return (await self._chat.complete(asked, max_tokens=_TURN_TOKENS_MAX)).strip()

    async def refine(self, dialogue: str, draft: str) -> str:
        """The same turn without its faults; the draft itself if nothing is left of it."""
        with span("refine"):
            asked = prompts.refining(dialogue, draft)
            return (await self._chat.complete(asked, max_tokens=_TURN_TOKENS_MAX)).strip() or draft

    async def cite(self, turn: str, notes: Sequence[Note]) -> tuple[str, list[Reference]]:
        """The turn with its numbers shifted, and what they stand for."""
        with span("cite"):
            return cited(turn, notes)

    def _streamed(self, messages: Messages, max_tokens: int) -> AsyncGenerator[str, None]:
        return as_streaming_chat(self._chat).stream(messages, max_tokens=max_tokens)


async def _noted(stage: str, deltas: AsyncGenerator[str, None], reader: SoFar) -> AsyncGenerator[list[str], None]:
    """What is found so far, with a span for each new item from the start of the model's answer."""
    started, known = now(), 0
    async with split.by(deltas, reader) as found:
        async for items in found:
            for place in range(known, len(items)):
                note(stage, (place,), started)
            known = len(items)
            yield items


def _found(passages: Sequence[Passage], chosen: int, branch: int, place: int, rank: int) -> Found:
    return {"place": [branch, place, rank], "passage": passages[chosen]}
