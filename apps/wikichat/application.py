"""WikiChat as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.embedders import Embedder
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.chat import Chat, chat_at
from alto_lg.apps.retrieval import Retriever
from alto_lg.apps.wikichat import limit, scoring
from alto_lg.apps.wikichat.by_hand import ByHand
from alto_lg.apps.wikichat.graph_flat import build_flat, build_streaming
from alto_lg.apps.wikichat.graph_subgraph import build_subgraph
from alto_lg.apps.wikichat.inputs import read_passages, read_turns
from alto_lg.apps.wikichat.nodes import Stages

_BUILDERS = {"flat": build_flat, "subgraph": build_subgraph, "streaming": build_streaming}


def build(
    version: str,
    *,
    chat: Chat | BaseChatModel,
    corpus: Path | None = None,
    embedder: Embedder | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph of a version, "flat", "subgraph" or "streaming", with any chat model and any embedder.

    With a checkpointer, each thread is a conversation: a turn is `{"question": …}`. Without one, give what was said
    before as `history`.
    """
    if version not in _BUILDERS:
        raise ValueError(f"WikiChat has no version {version!r}; choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[version](_stages(chat, corpus, embedder), checkpointer)


def program(*, chat: Chat | BaseChatModel, corpus: Path | None = None, embedder: Embedder | None = None) -> Program:
    """The same written by hand, without a graph, one turn a run; `TypeError` if the model cannot stream.

    It keeps no conversations: what was said before is its `history`, and that of its final state holds the turn.
    """
    return ByHand(_stages(chat, corpus, embedder))


def _stages(chat: Chat | BaseChatModel, corpus: Path | None, embedder: Embedder | None) -> Stages:
    own = corpus is None and embedder is None
    return Stages(chat, _own_retriever() if own else Retriever(read_passages(corpus), embedder))


@cache
def _own_retriever() -> Retriever:
    """The package's corpus with the default embedder; searching changes nothing in it, so graphs may share it."""
    return Retriever(read_passages(None))


class WikiChat:
    """Talks about what is in a corpus, and says where each statement comes from."""

    name = "wikichat"
    versions = tuple(_BUILDERS)
    first_result_node = "filter"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The requests; the corpus is read as well, so that a malformed one is refused before any work."""
        read_passages(corpus)
        return read_turns(questions)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """Never: how many passages there are to read follows from the search."""
        raise ValueError(
            "the passages of a WikiChat turn are those that its search finds, not as many as are asked for"
        )

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, asking the model at the endpoint, with conversations kept in memory."""
        return build(version, chat=chat_at(endpoint), corpus=corpus, checkpointer=InMemorySaver())

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same without a graph: nothing waits but for what it reads."""
        return program(chat=chat_at(endpoint), corpus=corpus)

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The turn with its references, and all that led to it, in order."""
        notes = [{"passage": note["passage"]["id"], "points": note["points"]} for note in state["notes"]]
        return {
            "answer": state["answer"],
            "references": state["references"],
            "queries": list(state["queries"]),
            "facts": list(state["facts"]),
            "notes": notes,
            "history": list(state["history"]),
        }

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """Whether the sentences are borne out by what they cite, and whether that is on the subject."""
        return scoring.score(requests, answers)

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one turn."""
        return limit.limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps in one version."""
        return limit.in_supersteps_s(version, spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the shortest path to the note on one passage."""
        return limit.first_note_limit_s(spans)


WIKICHAT = WikiChat()
