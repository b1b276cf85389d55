"""WikiChat written by hand with asyncio: no graph, no engine, and nothing waits but for what it reads.

Both branches search for each item when it is written. A passage is filtered when the reranking model has named it and
all passages before it are known, since only then is it sure to stay. The draft starts with the first ten notes. A turn
ends when it is written and all that it began has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from alto_lg.apps.together import Pipe, together
from alto_lg.apps.wikichat.nodes import FACTS, NOTES_MAX, QUERIES, Stages, is_relevant
from alto_lg.apps.wikichat.prompts import dialogue_of
from alto_lg.apps.wikichat.state import Found, Note, Turn

Told = Callable[[str], None]


class ByHand:
    """Takes one turn of a conversation a run."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: Told) -> Mapping[str, Any]:
        """The turn with its references, and the conversation with the turn in it."""
        history: list[Turn] = list(given.get("history", []))
        dialogue = dialogue_of(history, given["question"])
        told("begin")
        async with together() as group:
            turn = _Reading(self._stages, dialogue, told, group)
            queries = group.create_task(turn.branch(QUERIES, self._stages.make_queries_by_and_by(dialogue)))
            facts = group.create_task(turn.branch(FACTS, self._stages.recall_by_and_by(dialogue)))
            passages = group.create_task(turn.filter_each())
            noted = await turn.first_notes()
            drafted = await self._stages.draft(dialogue, noted)
            told("draft")
            refined = await self._stages.refine(dialogue, drafted)
            told("refine")
            answer, references = await self._stages.cite(refined, noted)
            told("cite")
        said: Turn = {"user": given["question"], "agent": answer}
        return {
            "question": given["question"],
            "history": [*history, said],
            "dialogue": dialogue,
            "queries": queries.result(),
            "facts": facts.result(),
            "by_query": turn.found[QUERIES],
            "by_fact": turn.found[FACTS],
            "passages": passages.result(),
            "notes": turn.notes(),
            "drafted": drafted,
            "refined": refined,
            "answer": answer,
            "references": references,
        }


_WRITE, _SEARCH, _RERANK = ("make_queries", "recall"), ("search_query", "search_fact"), ("rerank_query", "rerank_fact")
"""The nodes of the graphs, by branch."""


class _Reading:
    """From the conversation to the notes of one turn. found: the passages of each branch, in order."""

    def __init__(self, stages: Stages, dialogue: str, told: Told, group: asyncio.TaskGroup) -> None:
        self._stages, self._dialogue, self._told, self._group = stages, dialogue, told, group
        self.found: tuple[list[Found], list[Found]] = ([], [])
        self._chains = (Pipe[Pipe[Found]](), Pipe[Pipe[Found]]())
        self._begun = Pipe[asyncio.Task[Note]]()
        self._filters: list[asyncio.Task[Note]] = []

    async def branch(self, branch: int, written: AsyncGenerator[list[str], None]) -> list[str]:
        """All items of a branch; each is searched for when it is written."""
        items: list[str] = []
        async with aclosing(written) as growing:
            async for so_far in growing:
                for place in range(len(items), len(so_far)):
                    chain = Pipe[Found]()
                    self._chains[branch].put(chain)
                    self._group.create_task(self._search(branch, place, so_far[place], chain))
                items = so_far
        self._chains[branch].close()
        self._told(_WRITE[branch])
        return items

    async def _search(self, branch: int, place: int, text: str, chain: Pipe[Found]) -> None:
        passages = await self._stages.search(branch, place, text)
        self._told(_SEARCH[branch])
        async with aclosing(self._stages.rerank_by_and_by(branch, place, text, passages)) as best:
            async for one in best:
                chain.put(one)
        chain.close()
        self._told(_RERANK[branch])

    async def filter_each(self) -> list[Found]:
        """The passages that stay; each is filtered as soon as that is known."""
        kept: list[Found] = []
        async with aclosing(self._stages.dedupe_by_and_by(self._in_order(QUERIES), self._in_order(FACTS))) as growing:
            async for so_far in growing:
                for one in so_far[len(kept) :]:
                    self._filters.append(self._group.create_task(self._filter(one)))
                    self._begun.put(self._filters[-1])
                kept = so_far
        self._begun.close()
        self._told("dedupe")
        return kept

    async def _in_order(self, branch: int) -> AsyncIterator[Found]:
        async for chain in self._chains[branch]:
            async for one in chain:
                self.found[branch].append(one)
                yield one

    async def _filter(self, one: Found) -> Note:
        made = await self._stages.filter(one["place"], one["passage"], self._dialogue)
        self._told("filter")
        return made

    async def first_notes(self) -> list[Note]:
        """The notes that the turn is made of, as soon as they are known."""
        noted: list[Note] = []
        async for begun in self._begun:
            one = await begun
            if is_relevant(one):
                noted.append(one)
            if len(noted) == NOTES_MAX:
                break
        return noted

    def notes(self) -> list[Note]:
        """All notes, in order; they are there when the group has ended."""
        return [begun.result() for begun in self._filters]
