"""IRCoT's graphs: equal answers whether the model is stopped or not, and a loop that always comes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.memory import InMemorySaver
from rules_model import RulesModel
from sim.loop import run

import alto_lg
from alto_lg.adapters.openai_chat import AnswerTruncated
from alto_lg.apps.base import Application, ModelEndpoint, Span
from alto_lg.apps.chat import Chat, Messages
from alto_lg.apps.ircot import IRCOT, build, limit, program, prompts, rules
from alto_lg.apps.ircot.local_chat import LocalChat
from alto_lg.apps.ircot.nodes import PASSAGES_MAX, THOUGHTS_MAX
from alto_lg.apps.rules_chat import RulesChat
from alto_lg.apps.spans import record_spans

VERSIONS = IRCOT.versions
REQUESTS = IRCOT.workload(corpus=None, questions=None)
SALZBURG = {"question": "In which city was the composer of Don Giovanni born?"}


class SlowChat(RulesChat):
    """A tenth of a second for each piece of the answer; counts the characters that it wrote."""

    def __init__(self, said: Sequence[str] = ()) -> None:
        super().__init__(rules.reply)
        self._said = list(said)
        self.asked: list[str] = []
        self.written = 0

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return "".join([piece async for piece in self.stream(messages, max_tokens=max_tokens)])

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        self.asked.append(messages[1]["content"])
        is_thought = messages[0]["content"] == prompts.REASON_SYSTEM
        text = self._said.pop(0) if self._said and is_thought else self._answer(messages, 0)
        for start in range(0, len(text), 5):
            await asyncio.sleep(0.1)
            self.written += len(text[start : start + 5])
            yield text[start : start + 5]


def _answers(
    version: str, chat: Chat | BaseChatModel, inputs: Sequence[Mapping[str, Any]], impl: Implementation
) -> list[Any]:
    graph = impl(build(version, chat=chat))

    async def ask() -> list[Any]:
        return [IRCOT.answer(await graph.ainvoke(dict(given))) for given in inputs]

    return asyncio.run(ask())


@pytest.mark.parametrize("version", VERSIONS)
def test_all_versions_give_equal_answers(version: str, impl: Implementation) -> None:
    inputs = [request.input for request in REQUESTS[::4]]
    assert _answers(version, LocalChat(), inputs, impl) == _answers("flat", LocalChat(), inputs, plain_langgraph)


@pytest.mark.slow
def test_most_questions_are_answered_and_most_need_more_than_one_search() -> None:
    scores = IRCOT.score(
        REQUESTS, _answers("flat", LocalChat(), [request.input for request in REQUESTS], plain_langgraph)
    )
    assert 0.6 < scores["exact"] < 1
    assert scores["thoughts"] > 2.5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_langchain_model_gives_the_same_answers_as_our_own_client(version: str) -> None:
    inputs = [SALZBURG]
    model = RulesModel(reply=rules.reply)
    assert _answers(version, model, inputs, plain_langgraph) == _answers(version, LocalChat(), inputs, plain_langgraph)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_search_for_the_last_thought_finds_what_the_question_did_not(version: str, impl: Implementation) -> None:
    chat = SlowChat()
    state = run(lambda: impl(build(version, chat=chat)).ainvoke(dict(SALZBURG))).result
    assert state["answer"] == "Salzburg"
    first, second, third = state["thoughts"]
    assert first.startswith("Lorenzo Da Ponte wrote the words of three operas by Mozart")
    assert "Mozart was born in Salzburg" in second
    assert third == "So the answer is: Salzburg."
    assert "born in Salzburg" not in chat.asked[0]
    assert "born in Salzburg" in chat.asked[1]


def test_stopped_behind_its_sentence_the_model_writes_less_and_the_answer_is_sooner() -> None:
    whole, brief = SlowChat(), SlowChat()
    flat = run(lambda: build("flat", chat=whole).ainvoke(dict(SALZBURG)))
    streamed = run(lambda: build("streaming", chat=brief).ainvoke(dict(SALZBURG)))
    assert flat.result == streamed.result
    assert whole.asked == brief.asked
    assert brief.written < 0.8 * whole.written
    assert streamed.elapsed_s < 0.8 * flat.elapsed_s


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("said", "thoughts"),
    [
        (["", "never asked"], [""]),
        (["One. Two.", "One. Three.", "The ANSWER IS blue. Four."], ["One.", "Three.", "The ANSWER IS blue."]),
        (["One.", "One.", "never asked"], ["One.", ""]),
        (["--\n\nOne, which goes on", ""], ["One, which goes on", ""]),
    ],
)
def test_a_thought_is_the_first_sentence_that_is_new(
    version: str, said: Sequence[str], thoughts: Sequence[str], impl: Implementation
) -> None:
    chat = SlowChat(said)
    assert run(lambda: impl(build(version, chat=chat)).ainvoke(dict(SALZBURG))).result["thoughts"] == thoughts


@pytest.mark.parametrize("version", VERSIONS)
def test_the_reasoning_ends_after_ten_sentences_and_fifteen_passages(version: str, impl: Implementation) -> None:
    said = [f"Penguins, tea, Jupiter, gold, bees and the number {number} matter." for number in range(20)]
    state = run(lambda: impl(build(version, chat=SlowChat(said))).ainvoke(dict(SALZBURG))).result
    assert len(state["thoughts"]) == THOUGHTS_MAX
    identities = [passage["id"] for passage in state["passages"]]
    assert 6 < len(identities) <= PASSAGES_MAX
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_thought_that_the_limit_cuts_off_is_kept_as_far_as_it_came(version: str, impl: Implementation) -> None:
    class Cut(LocalChat):
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            text = await super().complete(messages, max_tokens=max_tokens)
            raise AnswerTruncated("http://127.0.0.1:9/v1", "m", "cut", text[:20])

        async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
            yield (await super().complete(messages, max_tokens=max_tokens))[:20]
            raise AnswerTruncated("http://127.0.0.1:9/v1", "m", "cut")

    (answer,) = _answers(version, Cut(), [SALZBURG], impl)
    assert answer["thoughts"][0] == "Lorenzo Da Ponte wro"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_model_s_own_error_ends_the_run(version: str, impl: Implementation) -> None:
    def gone(messages: Messages, seed: int) -> str:
        raise ConnectionError("the model is gone")

    with pytest.raises(ConnectionError, match="the model is gone"):
        _answers(version, RulesChat(gone), [SALZBURG], impl)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_question_on_a_thread_knows_nothing_of_the_first(
    version: str, impl: Implementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    graph = build(version, chat=LocalChat())
    graph.checkpointer = InMemorySaver()
    app = impl(graph)
    config: Any = {"configurable": {"thread_id": "1"}}

    async def ask_twice() -> Any:
        await app.ainvoke(dict(REQUESTS[0].input), config)
        return await app.ainvoke(dict(SALZBURG), config)

    assert [IRCOT.answer(asyncio.run(ask_twice()))] == _answers("flat", LocalChat(), [SALZBURG], plain_langgraph)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_takes_as_long_as_its_pieces(version: str) -> None:
    app = alto_lg.accelerate(build(version, chat=SlowChat()))

    async def follow() -> tuple[float, float, float | None]:
        with record_spans() as spans:
            await app.ainvoke(dict(SALZBURG))
        assert [span.stage for span in spans] == ["retrieve", "reason"] * 3 + ["read"]
        return IRCOT.limit_s(spans), IRCOT.in_supersteps_s(version, spans), IRCOT.first_result_limit_s(spans)

    outcome = run(follow)
    limit_s, supersteps_s, first_s = outcome.result
    assert outcome.elapsed_s == pytest.approx(limit_s)
    assert limit_s == supersteps_s
    assert first_s is not None
    assert 0 < first_s < limit_s / 2


def test_a_span_of_another_application_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown stage 'rerank'; IRCoT has retrieve, reason, read"):
        limit.limit_s([Span("rerank", (0,), 0.0, 1.0)])
    assert limit.first_thought_limit_s([Span("retrieve", (0,), 0.0, 1.0)]) is None


def test_the_graph_can_be_drawn_with_all_its_edges() -> None:
    for version in VERSIONS:
        assert {(edge.source, edge.target) for edge in build(version, chat=LocalChat()).get_graph().edges} == {
            ("__start__", "begin"),
            ("begin", "retrieve"),
            ("retrieve", "reason"),
            ("reason", "retrieve"),
            ("reason", "read"),
            ("read", "__end__"),
        }


def test_an_unknown_version_and_a_model_that_cannot_stream_are_refused() -> None:
    class Whole:
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            return ""

    with pytest.raises(ValueError, match="IRCoT has no version 'round'; choose one of flat, streaming"):
        build("round", chat=LocalChat())
    build("flat", chat=Whole())
    for make in (lambda: build("streaming", chat=Whole()), lambda: program(chat=Whole())):
        with pytest.raises(TypeError, match="Whole cannot stream"):
            make()


def test_ircot_is_an_application() -> None:
    application: Application = IRCOT
    graph = application.build("flat", ModelEndpoint("http://127.0.0.1:9/v1", "m"), corpus=None)
    assert application.first_result_node in graph.nodes
    with pytest.raises(ValueError, match="no items to fan out over"):
        application.sized([], 3)
