"""LLMCompiler as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from alto_lg.apps import matching
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.chat import Chat, chat_at
from alto_lg.apps.keyword_search import search_over
from alto_lg.apps.llmcompiler import limit
from alto_lg.apps.llmcompiler.by_hand import ByHand
from alto_lg.apps.llmcompiler.graph import build_flat, build_streaming
from alto_lg.apps.llmcompiler.nodes import Stages
from alto_lg.apps.questions import labelled, questions_of, read_passages

_BUILDERS = {"flat": build_flat, "streaming": build_streaming}


def build(
    version: str, *, chat: Chat | BaseChatModel, corpus: Path | None = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph of a version, "flat" or "streaming", with any chat model."""
    if version not in _BUILDERS:
        raise ValueError(f"LLMCompiler has no version {version!r}; choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[version](Stages(chat, search_over(corpus)))


def program(*, chat: Chat | BaseChatModel, corpus: Path | None = None) -> Program:
    """The same written by hand, without a graph; `TypeError` if the model cannot stream."""
    return ByHand(Stages(chat, search_over(corpus)))


class PlanCompiler:
    """Answers questions by a plan of tool calls."""

    name = "llmcompiler"
    versions = tuple(_BUILDERS)
    first_result_node = "work"

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The requests; the corpus is read as well, so that a malformed one is refused before any work."""
        read_passages(corpus)
        return questions_of(questions, __package__)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """Never: how many tasks there are is for the model to plan."""
        raise ValueError("the tasks of LLMCompiler are those that its model plans, not as many as are asked for")

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, asking the model at the endpoint."""
        return build(version, chat=chat_at(endpoint), corpus=corpus)

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same without a graph."""
        return program(chat=chat_at(endpoint), corpus=corpus)

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The answer, the plan, and what its tasks came to."""
        return {"answer": state["answer"], "plan": list(state["plan"]), "results": list(state["results"])}

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """How many answers are the right ones, and how many tasks there were to each."""
        tasks = [len(answer["plan"]) for answer in answers]
        pairs = labelled(requests, [answer["answer"] for answer in answers])
        return {**matching.score(pairs), "tasks": sum(tasks) / (len(tasks) or 1)}

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one question."""
        return limit.limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps in one version."""
        return limit.in_supersteps_s(version, spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the shortest path to the result of one task."""
        return limit.first_result_limit_s(spans)


LLMCOMPILER = PlanCompiler()
