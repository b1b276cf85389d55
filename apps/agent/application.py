"""The agent as an application: its versions, its inputs, and what counts as its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from pydantic import SecretStr

from alto_lg.apps.agent import limit, scoring
from alto_lg.apps.agent.graphs import VERSIONS, Graph, needs
from alto_lg.apps.agent.inputs import read_questions
from alto_lg.apps.agent.library import Library
from alto_lg.apps.agent.recording import Recorder
from alto_lg.apps.agent.tools import Latency, tools_of
from alto_lg.apps.base import ModelEndpoint, Program, Request, Span
from alto_lg.apps.corpus import read_corpus


def build(version: str, *, chat: BaseChatModel, corpus: Path | None = None, latency: Latency | None = None) -> Graph:
    """The compiled graph of a version with any LangChain chat model that can call tools."""
    if version not in VERSIONS:
        raise ValueError(f"the agent has no version {version!r}; choose one of {', '.join(VERSIONS)}")
    make, repeatable = VERSIONS[version]
    return make(chat, tools_of(_library(corpus), latency or Latency(), repeatable=repeatable))


def program(endpoint: ModelEndpoint, *, corpus: Path | None = None, latency: Latency | None = None) -> Program:
    """The same by hand."""
    from alto_lg.apps.agent.by_hand import ByHand

    return ByHand(endpoint, tools_of(_library(corpus), latency or Latency(), repeatable=False))


def chat_model(endpoint: ModelEndpoint) -> BaseChatModel:
    """LangChain's own client of the server, whose answers are recorded."""
    try:
        from langchain_openai import ChatOpenAI
    except ModuleNotFoundError as missing:
        raise needs(missing, "langchain-openai") from missing
    # As a function, the key would be asked for in a thread, for every request.
    key = SecretStr(endpoint.api_key)
    return ChatOpenAI(base_url=endpoint.base_url, api_key=key, model=endpoint.model, callbacks=[Recorder()])


def _library(corpus: Path | None) -> Library:
    return _own_library() if corpus is None else Library(read_corpus(corpus))


@cache
def _own_library() -> Library:
    """The package's corpus; reading changes nothing in it, so agents may share it."""
    return Library(read_corpus(None))


class Agent:
    """Answers questions by tools that search, read and look up."""

    name = "agent"
    versions = tuple(VERSIONS)
    first_result_node = "tools"
    sync = True

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The requests; the corpus is read as well, so that a malformed one is refused before any work."""
        read_corpus(corpus)
        return read_questions(questions)

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """Refused: how many tools are called is for the model to say."""
        raise ValueError("the model decides how many tools it calls, so the agent's requests have no items")

    def build(self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None) -> Graph:
        """The compiled graph of one version, asking the model at the endpoint."""
        return build(version, chat=chat_model(endpoint), corpus=corpus)

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The agent as a program, asking the model at the endpoint."""
        return program(endpoint, corpus=corpus)

    def answer(self, state: Mapping[str, Any]) -> Any:
        """What was called, turn by turn, what that gave, and the answer; ids of messages apart."""
        messages = state["messages"]
        turns = [one.tool_calls for one in messages if isinstance(one, AIMessage) and one.tool_calls]
        return {
            "turns": [[[call["name"], call["args"]] for call in turn] for turn in turns],
            "results": [one.content for one in messages if isinstance(one, ToolMessage)],
            "answer": messages[-1].content,
        }

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """The share of the labelled years and measures that were found."""
        return scoring.score(requests, answers)

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path of one request."""
        return limit.limit_s(spans)

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds of the shortest path to the result of one tool."""
        return limit.first_result_limit_s(spans)

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float:
        """Seconds of LangGraph's supersteps, which are the same in every version."""
        return limit.in_supersteps_s(spans)


AGENT = Agent()
