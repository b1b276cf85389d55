"""Tree of Thoughts as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from alto_lg.apps.base import InputError, ModelEndpoint, Program, Request, Span
from alto_lg.apps.chat import Chat, chat_at
from alto_lg.apps.tot import limit, scoring
from alto_lg.apps.tot.by_hand import ByHand
from alto_lg.apps.tot.graph_flat import build_flat, build_streaming
from alto_lg.apps.tot.graph_subgraph import build_subgraph
from alto_lg.apps.tot.nodes import Stages
from alto_lg.apps.tot.puzzles import read_puzzles

_BUILDERS = {"flat": build_flat, "subgraph": build_subgraph, "streaming": build_streaming}
_BEAM_MAX = 100


def build(version: str, *, chat: Chat | BaseChatModel) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph of a version, "flat", "subgraph" or "streaming", with any chat model."""
    if version not in _BUILDERS:
        raise ValueError(f"Tree of Thoughts has no version {version!r}; choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[version](Stages(chat))


def program(*, chat: Chat | BaseChatModel) -> Program:
    """The same written by hand, without a graph; `TypeError` if the model cannot stream."""
    return ByHand(Stages(chat))


class TreeOfThoughts:
    """Searches for a way to make 24 of four numbers."""

    name = "tot"
    versions = tuple(_BUILDERS)
    first_result_node = "value"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The puzzles; a corpus is refused, because nothing here would read it."""
        refuse_corpus(corpus)
        return read_puzzles(questions)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """As many requests, each with so many thoughts kept at every step."""
        if not 1 <= items <= _BEAM_MAX:
            raise ValueError(f"between 1 and {_BEAM_MAX} thoughts can be kept at a step, not {items}")
        return [replace(request, input={**request.input, "beam": items}) for request in requests]

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, asking the model at the endpoint."""
        refuse_corpus(corpus)
        return build(version, chat=chat_at(endpoint))

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same without a graph: each thought is valued when its line is written."""
        refuse_corpus(corpus)
        return program(chat=chat_at(endpoint))

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The answer, the thoughts kept at last, and every thought with its value in the order of the search."""
        return {key: state[key] for key in ("answer", "solved", "kept")} | {"thoughts": state.get("thoughts", [])}

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """The share of puzzles that were solved."""
        return scoring.score(requests, answers)

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one request."""
        return limit.limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps in one version."""
        return limit.in_supersteps_s(version, spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the shortest path to the value of one thought."""
        return limit.first_value_limit_s(spans)


def refuse_corpus(corpus: Path | None) -> None:
    """`InputError` if there is a corpus: nothing here would read it."""
    if corpus is not None:
        raise InputError(corpus, None, "Tree of Thoughts reads no corpus; leave --corpus out")


TOT = TreeOfThoughts()
