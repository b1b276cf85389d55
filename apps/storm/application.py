"""STORM as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.embedders import Embedder
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.chat import Chat, chat_at
from alto_lg.apps.corpus import read_corpus
from alto_lg.apps.retrieval import Retriever
from alto_lg.apps.storm import limit, scoring
from alto_lg.apps.storm.by_hand import ByHand
from alto_lg.apps.storm.graph_flat import build_flat, build_streaming
from alto_lg.apps.storm.graph_subgraph import build_subgraph
from alto_lg.apps.storm.inputs import read_topics
from alto_lg.apps.storm.nodes import Stages

_BUILDERS = {"flat": build_flat, "subgraph": build_subgraph, "streaming": build_streaming}
_ITEMS_MAX = 10


def build(
    version: str,
    *,
    chat: Chat | BaseChatModel,
    corpus: Path | None = None,
    embedder: Embedder | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph of a version, "flat", "subgraph" or "streaming", with any chat model and any embedder."""
    if version not in _BUILDERS:
        raise ValueError(f"STORM has no version {version!r}; choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[version](Stages(chat, _retriever(corpus, embedder)), checkpointer)


def program(*, chat: Chat | BaseChatModel, corpus: Path | None = None, embedder: Embedder | None = None) -> Program:
    """The same written by hand, without a graph; `TypeError` if the model cannot stream."""
    return ByHand(Stages(chat, _retriever(corpus, embedder)))


def _retriever(corpus: Path | None, embedder: Embedder | None) -> Retriever:
    own = corpus is None and embedder is None
    return _own_retriever() if own else Retriever(read_corpus(corpus), embedder)


@cache
def _own_retriever() -> Retriever:
    """The package's corpus with the default embedder; searching changes nothing in it, so graphs may share it."""
    return Retriever(read_corpus(None))


class Storm:
    """Writes an article on a topic, and says where each statement comes from."""

    name = "storm"
    versions = tuple(_BUILDERS)
    first_result_node = "write"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The topics; the corpus is read as well, so that a malformed one is refused before any work."""
        read_corpus(corpus)
        return read_topics(questions)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """As many requests, each with so many editors, turns and queries at most, and one section more than that."""
        if not 1 <= items <= _ITEMS_MAX:
            raise ValueError(f"between 1 and {_ITEMS_MAX} editors can be sent out beside the first, not {items}")
        size = {"perspectives_max": items, "turns_max": items, "queries_max": items, "sections_max": items + 1}
        return [replace(request, input={**request.input, **size}) for request in requests]

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, asking the model at the endpoint."""
        return build(version, chat=chat_at(endpoint), corpus=corpus)

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The program written by hand, asking the model at the endpoint."""
        return program(chat=chat_at(endpoint), corpus=corpus)

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The article with its references, and all that led to it, in the order of editors and turns."""
        said = [{key: one[key] for key in ("place", "turn", "question", "answer")} for one in _ordered(state["said"])]
        found = [
            {**one, "passages": [passage["id"] for passage in one["passages"]]} for one in _ordered(state["found"])
        ]
        known = ("article", "references", "drafted", "related", "contents", "personas", "plan", "sections")
        return {key: state[key] for key in known} | {"said": said, "found": found}

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """Whether the sections cite what they were given and are borne out by it, and keep their headings."""
        return scoring.score(requests, answers)

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one article."""
        return limit.limit_s(spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the shortest path to one section."""
        return limit.first_section_limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps in one version."""
        return limit.in_supersteps_s(version, spans)


def _ordered(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(entries, key=lambda one: (one["place"], one["turn"]))


STORM = Storm()
