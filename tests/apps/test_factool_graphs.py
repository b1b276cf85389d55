"""The three graphs: equal answers, the right shape, and a floor under how well errors are found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from rules_model import RulesModel

import alto_lg
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import Application, ModelEndpoint
from alto_lg.apps.chat import Messages
from alto_lg.apps.factool import FACTOOL, build, rules
from alto_lg.apps.factool.limit import CLAIM_STAGES, CLAIM_WRITTEN
from alto_lg.apps.factool.local_chat import LocalChat
from alto_lg.apps.spans import record_spans


class SilentChat:
    """A model that answers the question and then writes nothing more."""

    def __init__(self, answer: str) -> None:
        self._texts = [answer]

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return self._texts.pop() if self._texts else ""

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        yield await self.complete(messages, max_tokens=max_tokens)


def _answers(version: str, chat: LocalChat | BaseChatModel, inputs: Sequence[Mapping[str, Any]]) -> list[Any]:
    graph = build(version, chat=chat)

    async def run() -> list[Any]:
        return [FACTOOL.answer(await graph.ainvoke(dict(given))) for given in inputs]

    return asyncio.run(run())


@pytest.mark.slow
def test_all_versions_give_equal_answers_and_errors_are_found_with_good_precision_and_recall() -> None:
    requests = FACTOOL.workload(corpus=None, questions=None)
    inputs = [request.input for request in requests]
    flat = _answers("flat", LocalChat(), inputs)
    assert flat == _answers("subgraph", LocalChat(), inputs) == _answers("streaming", LocalChat(), inputs)
    scores = FACTOOL.score(requests, flat)
    assert scores["precision"] > 0.9
    assert scores["recall"] > 0.9
    assert scores["claims_matched_share"] > 0.95


@pytest.mark.parametrize("version", FACTOOL.versions)
def test_a_langchain_model_gives_the_same_answers_as_our_own_client(version: str) -> None:
    inputs = [request.input for request in FACTOOL.workload(corpus=None, questions=None)[:3]]
    assert _answers(version, RulesModel(reply=rules.reply), inputs) == _answers(version, LocalChat(), inputs)


@pytest.mark.parametrize("version", FACTOOL.versions)
def test_verdicts_come_in_the_order_of_the_claims(version: str) -> None:
    given = FACTOOL.workload(corpus=None, questions=None)[0].input
    state = asyncio.run(build(version, chat=LocalChat()).ainvoke(dict(given)))
    assert [verdict["claim"] for verdict in state["verdicts"]] == state["claims"]
    assert [verdict["index"] for verdict in state["verdicts"]] == list(range(len(state["claims"])))


@pytest.mark.parametrize("version", FACTOOL.versions)
@pytest.mark.parametrize("answer", ["", "Something."])
def test_an_answer_without_claims_is_factual(version: str, answer: str) -> None:
    state = asyncio.run(build(version, chat=SilentChat(answer)).ainvoke({"question": "Q?"}))
    assert FACTOOL.answer(state) == {"answer": answer, "claims": [], "verdicts": [], "factual": True}


@pytest.mark.parametrize("version", FACTOOL.versions)
def test_the_first_result_is_seen_in_the_stream_of_every_version(version: str) -> None:
    async def first_update() -> list[str]:
        graph = build(version, chat=LocalChat())
        given = {"question": "Q?", "reference": "The Nile is long. The Amazon is wide."}
        events = [event async for event in graph.astream(given, stream_mode="updates", subgraphs=True)]
        return [node for _, update in events for node in update]

    assert asyncio.run(first_update()).count(FACTOOL.first_result_node) == 2


@pytest.mark.parametrize("version", FACTOOL.versions)
def test_every_stage_of_every_claim_leaves_one_span(version: str) -> None:
    with record_spans() as spans:
        asyncio.run(
            build(version, chat=LocalChat()).ainvoke({"question": "Q?", "reference": "The Nile is long. Bees fly."})
        )
    expected = [("answer", ()), ("extract", ()), ("verdict", ())]
    stages = (CLAIM_WRITTEN, *CLAIM_STAGES) if version == "streaming" else CLAIM_STAGES
    expected += [(stage, (claim,)) for stage in stages for claim in (0, 1)]
    assert sorted((span.stage, span.item) for span in spans) == sorted(expected)


def test_the_graphs_can_be_drawn_with_all_their_edges() -> None:
    flat, streaming = (
        {(edge.source, edge.target) for edge in build(version, chat=LocalChat()).get_graph().edges}
        for version in ("flat", "streaming")
    )
    assert (
        {
            ("__start__", "answer"),
            ("answer", "extract"),
            ("extract", "make_queries"),
            ("make_queries", "retrieve"),
            ("retrieve", "rerank"),
            ("rerank", "appraise"),
            ("appraise", "verdict"),
            ("extract", "verdict"),
            ("verdict", "__end__"),
        }
        == flat
        == streaming
    )
    nodes = build("subgraph", chat=LocalChat()).get_graph(xray=True).nodes
    assert any("rerank" in node for node in nodes)


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no version 'round'; choose one of flat, subgraph, streaming"):
        build("round", chat=LocalChat())


def test_a_chat_model_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match=r"got str as chat model; pass an alto_lg.adapters.openai_chat.OpenAIChat"):
        build("flat", chat="gpt")  # type: ignore[arg-type]


def test_factool_is_an_application() -> None:
    application: Application = FACTOOL
    graph = application.build("flat", ModelEndpoint("http://127.0.0.1:9/v1", "m"), corpus=None)
    assert application.first_result_node in graph.nodes


@pytest.mark.parametrize("version", ["flat", "streaming"])
def test_no_node_that_asks_a_server_looks_like_one_that_may_pause_the_run(version: str) -> None:
    """A node that may would start in its own step only, and nothing would pass it."""
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m")
    app: Any = alto_lg.accelerate(build(version, chat=chat))
    stages = app.nodes.acceleration.wired.plan.stages
    assert [name for name, stage in stages.items() if stage.may_interrupt or stage.touches_store] == []
