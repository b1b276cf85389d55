"""The stages of fact checking, shared by every version of the graph.

Always true: a stage reads its argument and returns new values; it changes nothing in place. Encoding and reranking are
batched: the claims of all requests under way share a call, in a thread where the encoder is one that takes long. What
takes less time than a hop to a thread runs on the event loop, as keyword search does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from langchain_core.language_models import BaseChatModel

from alto_lg import batched, split
from alto_lg.apps.chat import Chat, as_chat, as_streaming_chat
from alto_lg.apps.corpus import Passage
from alto_lg.apps.factool import parsing, prompts
from alto_lg.apps.factool.claims_so_far import ClaimsSoFar
from alto_lg.apps.factool.state import ClaimWork, Verdict
from alto_lg.apps.retrieval import Found, Retriever
from alto_lg.apps.spans import note, now, span

_CLAIMS_AT_ONCE = 64
_ANSWER_TOKENS_MAX = 1024
_CLAIMS_TOKENS_MAX = 1024
_QUERIES_TOKENS_MAX = 200
_VERDICT_TOKENS_MAX = 1024


class Stages:
    """The work of each node, with the model and the corpus that it needs."""

    def __init__(self, chat: Chat | BaseChatModel, retriever: Retriever) -> None:
        self._chat = as_chat(chat)
        self._retriever = retriever
        one_call_at_a_time = batched(max_size=_CLAIMS_AT_ONCE, max_calls=1)
        self._vectors = one_call_at_a_time(self._all_vectors)
        self._evidence = one_call_at_a_time(self._all_evidence)

    async def answer(self, question: str, reference: str | None) -> str:
        """An answer to the question."""
        with span("answer"):
            text = await self._chat.complete(prompts.answering(question, reference), max_tokens=_ANSWER_TOKENS_MAX)
            return text.strip()

    async def extract(self, answer: str) -> list[str]:
        """The claims of an answer; none of an empty one."""
        with span("extract"):
            if not answer:
                return []
            return parsing.claims(await self._chat.complete(prompts.extracting(answer), max_tokens=_CLAIMS_TOKENS_MAX))

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    async def extract_by_and_by(self, answer: str) -> AsyncGenerator[list[str], None]:
        """The claims so far, as often as the model has written one more; the last time, those of the whole text."""
        with span("extract"):
            if not answer:
                yield []
                return
            started, before = now(), list[str]()
            deltas = as_streaming_chat(self._chat).stream(prompts.extracting(answer), max_tokens=_CLAIMS_TOKENS_MAX)
            async with split.by(deltas, ClaimsSoFar()) as found:
                async for claims in found:
                    for index in range(_agreeing(before, claims), len(claims)):
                        note("claim", (index,), started)
                    before = claims
                    yield claims

    async def make_queries(self, index: int, claim: str) -> list[str]:
        """What to search for."""
        with span("make_queries", (index,)):
            text = await self._chat.complete(prompts.querying(claim), max_tokens=_QUERIES_TOKENS_MAX)
            return parsing.queries(text, claim)

    async def retrieve(self, index: int, queries: list[str]) -> ClaimWork:
        """Candidates and vector of each query."""
        with span("retrieve", (index,)):
            return {
                "candidates": [self._retriever.candidates(query) for query in queries],
                "vectors": await self._vectors(queries),
            }

    async def rerank(self, index: int, candidates: list[list[int]], vectors: list[list[float]]) -> list[Passage]:
        """The passages that fit the queries best."""
        with span("rerank", (index,)):
            return await self._evidence((candidates, vectors))

    async def _all_vectors(self, asked: list[list[str]]) -> list[list[list[float]]]:
        if self._retriever.is_quick:  # a hop to a thread would take longer
            return self._retriever.encode(asked)
        return await asyncio.to_thread(self._retriever.encode, asked)

    async def _all_evidence(self, asked: list[Found]) -> list[list[Passage]]:
        if self._retriever.is_quick:
            return self._retriever.best(asked)
        return await asyncio.to_thread(self._retriever.best, asked)

    async def appraise(self, index: int, claim: str, evidence: list[Passage]) -> Verdict:
        """The verdict on one claim."""
        with span("appraise", (index,)):
            text = await self._chat.complete(prompts.appraising(claim, evidence), max_tokens=_VERDICT_TOKENS_MAX)
            read = parsing.appraisal(text)
            return {
                "index": index,
                "claim": claim,
                "factual": read.factual,
                "reasoning": read.reasoning,
                "error": read.error,
                "correction": read.correction,
                "evidence": [passage["id"] for passage in evidence],
            }

    async def verdict(self, verdicts: list[Verdict]) -> bool:
        """Whether the whole answer is factual: no claim of it is found to be false."""
        with span("verdict"):
            return all(verdict["factual"] is not False for verdict in verdicts)


def _agreeing(one: list[str], other: list[str]) -> int:
    """How many entries two lists begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))
