"""FacTool as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.embedders import Embedder
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.chat import Chat, chat_at
from alto_lg.apps.corpus import read_corpus
from alto_lg.apps.factool import limit, scoring
from alto_lg.apps.factool.by_hand import ByHand
from alto_lg.apps.factool.graph_flat import build_flat, build_streaming
from alto_lg.apps.factool.graph_subgraph import build_subgraph
from alto_lg.apps.factool.inputs import read_questions
from alto_lg.apps.factool.long_answers import lengthened
from alto_lg.apps.factool.nodes import Stages
from alto_lg.apps.factool.staged import Staged
from alto_lg.apps.retrieval import Retriever

_BUILDERS = {"flat": build_flat, "subgraph": build_subgraph, "streaming": build_streaming}
_VERDICT_KEYS = ("claim", "factual", "reasoning", "error", "correction", "evidence")


def build(
    version: str, *, chat: Chat | BaseChatModel, corpus: Path | None = None, embedder: Embedder | None = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph of a version, "flat", "subgraph" or "streaming", with any chat model and any embedder."""
    if version not in _BUILDERS:
        raise ValueError(f"FacTool has no version {version!r}; choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[version](_stages(chat, corpus, embedder))


def program(*, chat: Chat | BaseChatModel, corpus: Path | None = None, embedder: Embedder | None = None) -> Program:
    """The same written by hand, without a graph; `TypeError` if the model cannot stream."""
    return ByHand(_stages(chat, corpus, embedder))


def _stages(chat: Chat | BaseChatModel, corpus: Path | None, embedder: Embedder | None) -> Stages:
    own = corpus is None and embedder is None
    return Stages(chat, _own_retriever() if own else Retriever(read_corpus(corpus), embedder))


@cache
def _own_retriever() -> Retriever:
    """The package's corpus with the default embedder; searching changes nothing in it, so graphs may share it."""
    return Retriever(read_corpus(None))


class FacTool:
    """Checks an answer claim by claim against a corpus."""

    name = "factool"
    versions = tuple(_BUILDERS)
    first_result_node = "appraise"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The requests; the corpus is read as well, so that a malformed one is refused before any work."""
        read_corpus(corpus)
        return read_questions(questions)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """As many requests, with answers of so many claims each."""
        return lengthened(requests, items)

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, asking the model at the endpoint."""
        return build(version, chat=chat_at(endpoint), corpus=corpus)

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same without a graph: each claim goes its way when it is written."""
        return program(chat=chat_at(endpoint), corpus=corpus)

    def staged(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same in stages that hand on whole outputs: what streaming is compared with."""
        return Staged(_stages(chat_at(endpoint), corpus, None))

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The answer, its claims and their verdicts in order."""
        verdicts = [{key: verdict[key] for key in _VERDICT_KEYS} for verdict in state.get("verdicts", ())]
        return {
            "answer": state["answer"],
            "claims": list(state["claims"]),
            "verdicts": verdicts,
            "factual": state["factual"],
        }

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """Precision and recall of finding the planted errors."""
        return scoring.score(requests, answers)

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one request."""
        return limit.limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps in one version."""
        return limit.in_supersteps_s(version, spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the shortest path to a verdict on one claim."""
        return limit.first_verdict_limit_s(spans)


FACTOOL = FacTool()
