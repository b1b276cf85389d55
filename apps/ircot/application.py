"""IRCoT as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from alto_lg.apps import matching
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.chat import Chat, chat_at
from alto_lg.apps.ircot import limit
from alto_lg.apps.ircot.by_hand import ByHand
from alto_lg.apps.ircot.graph import build_flat, build_streaming
from alto_lg.apps.ircot.nodes import Stages
from alto_lg.apps.keyword_search import search_over
from alto_lg.apps.questions import labelled, questions_of, read_passages

_BUILDERS = {"flat": build_flat, "streaming": build_streaming}


def build(
    version: str, *, chat: Chat | BaseChatModel, corpus: Path | None = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph of a version, "flat" or "streaming", with any chat model."""
    if version not in _BUILDERS:
        raise ValueError(f"IRCoT has no version {version!r}; choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[version](Stages(chat, search_over(corpus)))


def program(*, chat: Chat | BaseChatModel, corpus: Path | None = None) -> Program:
    """The same written by hand, without a graph; `TypeError` if the model cannot stream."""
    return ByHand(Stages(chat, search_over(corpus)))


class InterleavedRetrieval:
    """Answers questions that no single passage answers."""

    name = "ircot"
    versions = tuple(_BUILDERS)
    first_result_node = "reason"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The requests; the corpus is read as well, so that a malformed one is refused before any work."""
        read_passages(corpus)
        return questions_of(questions, __package__)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """Never: nothing fans out."""
        raise ValueError("IRCoT does one thing at a time: it has no items to fan out over")

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, asking the model at the endpoint."""
        return build(version, chat=chat_at(endpoint), corpus=corpus)

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same without a graph."""
        return program(chat=chat_at(endpoint), corpus=corpus)

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The answer, the reasoning, and what was found, in order."""
        passages = [passage["id"] for passage in state["passages"]]
        return {"answer": state["answer"], "thoughts": list(state["thoughts"]), "passages": passages}

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """How many answers are the right ones, and how many thoughts there were to each."""
        thoughts = [len(answer["thoughts"]) for answer in answers]
        pairs = labelled(requests, [answer["answer"] for answer in answers])
        return {**matching.score(pairs), "thoughts": sum(thoughts) / (len(thoughts) or 1)}

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one question."""
        return limit.limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps in one version."""
        return limit.limit_s(spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the path to the first thought."""
        return limit.first_thought_limit_s(spans)


IRCOT = InterleavedRetrieval()
