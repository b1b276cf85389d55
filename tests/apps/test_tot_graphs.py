"""The three graphs: equal answers, equal calls, a floor under the share solved, and times that no order can beat."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from dropin.watch import Implementation
from langgraph.checkpoint.memory import InMemorySaver
from rules_model import RulesModel
from sim.loop import run
from slow_chat import SlowChat

import alto_lg
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import Application, InputError, ModelEndpoint
from alto_lg.apps.chat import Messages
from alto_lg.apps.rules_chat import RulesChat
from alto_lg.apps.spans import record_spans
from alto_lg.apps.tot import TOT, build, prompts, rules
from alto_lg.apps.tot import __main__ as command
from alto_lg.apps.tot.arithmetic import is_solution, numbers_in
from alto_lg.apps.tot.local_chat import LocalChat
from alto_lg.apps.tot.puzzles import PuzzleError


def _forgetful(mark: str) -> RulesChat:
    """Proposes nothing where a text with the mark is asked about."""

    def reply(messages: Messages, seed: int) -> str | None:
        is_proposal = messages[0]["content"] in (prompts.PROPOSE_SYSTEM, prompts.FINISH_SYSTEM)
        return "" if is_proposal and mark in messages[1]["content"] else rules.reply(messages, seed)

    return RulesChat(reply)


class FailingChat(LocalChat):
    """Breaks down over the first value that it is asked for."""

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        raise ConnectionError("the model is gone")


def _inputs(count: int) -> list[Mapping[str, Any]]:
    return [request.input for request in TOT.workload(corpus=None, questions=None)[:: 99 // count]][:count]


def _answers(graph: Any, inputs: Sequence[Mapping[str, Any]]) -> list[Any]:
    async def answer_all() -> list[Any]:
        return [TOT.answer(await graph.ainvoke(dict(given))) for given in inputs]

    return asyncio.run(answer_all())


@pytest.mark.parametrize("version", TOT.versions)
def test_all_versions_give_equal_answers(version: str, impl: Implementation) -> None:
    inputs = _inputs(6)
    expected = _answers(build("flat", chat=LocalChat()), inputs)
    assert _answers(impl(build(version, chat=LocalChat())), inputs) == expected
    assert all(answer["thoughts"] for answer in expected)


@pytest.mark.slow
def test_most_puzzles_are_solved_and_planted_mistakes_make_some_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main() == 0
    solved, by_any = map(float, re.findall(r"\b0\.\d{3}\b", capsys.readouterr().out))
    assert 0.7 < solved < 0.95
    assert solved <= by_any


def test_a_search_says_of_itself_whether_its_answer_is_right() -> None:
    requests = TOT.workload(corpus=None, questions=None)[::9]
    answers = _answers(build("flat", chat=LocalChat()), [request.input for request in requests])
    assert {answer["solved"] for answer in answers} == {True, False}
    for request, answer in zip(requests, answers, strict=True):
        assert answer["solved"] is is_solution(answer["answer"], numbers_in(request.input["puzzle"]))


@pytest.mark.parametrize("version", TOT.versions)
def test_equal_calls_are_made_once_and_the_same_in_every_version(version: str, impl: Implementation) -> None:
    flat, other = SlowChat(rules.reply), SlowChat(rules.reply)
    first = run(lambda: build("flat", chat=flat).ainvoke({"puzzle": "4 5 6 10"}))
    second = run(lambda: impl(build(version, chat=other)).ainvoke({"puzzle": "4 5 6 10"}))
    assert TOT.answer(first.result) == TOT.answer(second.result)
    assert sorted(flat.asked) == sorted(other.asked)
    assert len(set(flat.asked)) == len(flat.asked) < len(first.result["thoughts"]) + 16


def test_accelerated_every_version_is_as_soon_as_its_limit() -> None:
    """On a machine that takes no time itself, where the limit is what the model's times leave."""
    took_s = {}
    for version in TOT.versions:
        app = alto_lg.accelerate(build(version, chat=SlowChat(rules.reply)))

        async def follow(app: Any = app) -> float:
            with record_spans() as spans:
                await app.ainvoke({"puzzle": "4 5 6 10"})
            return TOT.limit_s(spans)

        outcome = run(follow)
        assert outcome.elapsed_s == pytest.approx(outcome.result)
        statistics = alto_lg.statistics(app)
        assert statistics is not None
        assert statistics.dropped == 0
        took_s[version] = outcome.elapsed_s
    assert took_s["streaming"] < took_s["flat"] == pytest.approx(took_s["subgraph"])


def test_streaming_accelerated_values_every_thought_before_its_proposal_has_ended() -> None:
    app = alto_lg.accelerate(build("streaming", chat=SlowChat(rules.reply)))
    outcome = run(lambda: app.ainvoke({"puzzle": "4 5 6 10"}))
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert statistics.early_starts == len(outcome.result["thoughts"])


@pytest.mark.parametrize("version", TOT.versions)
@pytest.mark.parametrize(
    ("mark", "steps"), [("Numbers left: 4, 5, 6, 10", 0), ("Steps so far:\n4 + 5 = 9 (left", 4), ("(left: 24)", 4)]
)
def test_where_nothing_is_proposed_the_search_goes_on_with_what_there_is(
    version: str, mark: str, steps: int, impl: Implementation
) -> None:
    chat = _forgetful(mark)
    (answer,) = _answers(impl(build(version, chat=chat)), [{"puzzle": "4 5 6 10"}])
    assert {thought["step"] for thought in answer["thoughts"]} == set(range(1, steps + 1))
    assert answer == _answers(build("flat", chat=chat), [{"puzzle": "4 5 6 10"}])[0]
    if not steps:
        assert answer == {"answer": "", "solved": False, "kept": [], "thoughts": []}


@pytest.mark.parametrize("version", TOT.versions)
def test_the_best_thoughts_are_kept_and_as_many_as_asked_for(version: str) -> None:
    state = asyncio.run(build(version, chat=LocalChat()).ainvoke({"puzzle": "4 5 6 10", "beam": 2}))
    last = [thought for thought in state["thoughts"] if thought["step"] == 4]
    assert len(state["kept"]) == 2
    assert {thought["place"] for thought in last} <= {0, 1}
    assert state["kept"][0]["value"] == max(thought["value"] for thought in last)


@pytest.mark.parametrize("version", TOT.versions)
def test_a_langchain_model_gives_the_same_answers_in_every_version(version: str) -> None:
    inputs = _inputs(2)
    model = RulesModel(reply=rules.reply)
    assert _answers(build(version, chat=model), inputs) == _answers(build("flat", chat=model), inputs)


@pytest.mark.parametrize("version", TOT.versions)
def test_the_model_s_own_error_ends_the_run(version: str, impl: Implementation) -> None:
    with pytest.raises(ConnectionError, match="the model is gone"):
        _answers(impl(build(version, chat=FailingChat())), [{"puzzle": "4 5 6 10"}])


@pytest.mark.parametrize("version", TOT.versions)
def test_a_text_that_is_no_puzzle_is_refused_with_an_example(version: str, impl: Implementation) -> None:
    with pytest.raises(PuzzleError, match="got '4 5 6' as puzzle; give four whole numbers"):
        _answers(impl(build(version, chat=LocalChat())), [{"puzzle": "4 5 6"}])


@pytest.mark.parametrize("version", TOT.versions)
def test_a_checkpointer_can_store_every_state(
    version: str, impl: Implementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    graph = build(version, chat=LocalChat())
    graph.checkpointer = InMemorySaver()
    app = impl(graph)
    config: Any = {"configurable": {"thread_id": "1"}}

    async def run_and_read() -> tuple[Any, Any]:
        return await app.ainvoke({"puzzle": "4 5 6 10"}, config), (await app.aget_state(config)).values

    state, stored = asyncio.run(run_and_read())
    assert TOT.answer(stored) == TOT.answer(state)
    assert TOT.answer(state) == _answers(build("flat", chat=LocalChat()), [{"puzzle": "4 5 6 10"}])[0]


@pytest.mark.parametrize("version", TOT.versions)
def test_a_second_search_on_a_thread_knows_nothing_of_the_first(version: str, impl: Implementation) -> None:
    graph = build(version, chat=LocalChat())
    graph.checkpointer = InMemorySaver()
    app = impl(graph)
    config: Any = {"configurable": {"thread_id": "1"}}

    async def search_twice() -> Any:
        await app.ainvoke({"puzzle": "1 5 7 13"}, config)
        return await app.ainvoke({"puzzle": "4 5 6 10"}, config)

    fresh = _answers(build("flat", chat=LocalChat()), [{"puzzle": "4 5 6 10"}])[0]
    assert TOT.answer(asyncio.run(search_twice())) == fresh


@pytest.mark.parametrize("version", TOT.versions)
def test_a_search_that_would_keep_nothing_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="got beam=0; at least 1 thought must be kept"):
        asyncio.run(build(version, chat=LocalChat()).ainvoke({"puzzle": "4 5 6 10", "beam": 0}))


@pytest.mark.parametrize("version", TOT.versions)
def test_the_first_result_is_seen_in_the_stream_of_every_version(version: str) -> None:
    async def updated() -> list[str]:
        graph = build(version, chat=LocalChat())
        events = [event async for event in graph.astream({"puzzle": "4 5 6 10"}, stream_mode="updates", subgraphs=True)]
        return [node for _, update in events for node in update]

    nodes = asyncio.run(updated())
    assert nodes.index(TOT.first_result_node) < nodes.index("select")


@pytest.mark.parametrize("version", TOT.versions)
def test_every_piece_of_work_leaves_one_span(version: str) -> None:
    with record_spans() as spans:
        state = asyncio.run(build(version, chat=LocalChat()).ainvoke({"puzzle": "4 5 6 10"}))
    thoughts = {(thought["step"], thought["place"], thought["line"]) for thought in state["thoughts"]}
    assert {span.item[:3] for span in spans if span.stage == "value"} == thoughts
    assert {span.item for span in spans if span.stage == "thought"} == (thoughts if version == "streaming" else set())
    assert sorted(span.item for span in spans if span.stage == "select") == [(1,), (2,), (3,), (4,)]
    assert len([span for span in spans if span.stage == "propose"]) == 16
    assert TOT.limit_s(spans) > 0
    assert TOT.first_result_limit_s(spans) is not None


def test_the_graphs_can_be_drawn_with_all_their_edges() -> None:
    flat, streaming = (
        {(edge.source, edge.target) for edge in build(version, chat=LocalChat()).get_graph().edges}
        for version in ("flat", "streaming")
    )
    assert (
        {
            ("__start__", "read"),
            ("read", "propose"),
            ("read", "answer"),
            ("propose", "value"),
            ("value", "select"),
            ("select", "propose"),
            ("select", "answer"),
            ("answer", "__end__"),
        }
        == flat
        == streaming
    )
    nodes = build("subgraph", chat=LocalChat()).get_graph(xray=True).nodes
    assert any("value" in node for node in nodes)


@pytest.mark.parametrize("version", ["flat", "streaming"])
def test_no_node_that_asks_a_server_looks_like_one_that_may_pause_the_run(version: str) -> None:
    """A node that may would start in its own step only, and nothing would pass it.

    `answer` asks no server, and nothing comes behind it. It works with exact fractions, which is so much code that
    the analysis does not always get to the end of it.
    """
    app: Any = alto_lg.accelerate(build(version, chat=OpenAIChat("http://127.0.0.1:9/v1", "m")))
    stages = app.nodes.acceleration.wired.plan.stages
    pausing = {name for name, stage in stages.items() if stage.may_interrupt or stage.touches_store}
    assert pausing <= {"answer"}


@pytest.mark.parametrize("version", ["flat", "streaming"])
def test_nothing_that_a_thought_needs_may_be_changed_by_another(version: str) -> None:
    """With a real client, too: those that `value` waits for never run beside it."""
    app = alto_lg.accelerate(build(version, chat=OpenAIChat("http://127.0.0.1:9/v1", "m")))
    explained = alto_lg.explain(app)
    assert explained["value"].starts_early == "yes"
    assert not [why for why in explained["value"].why_not if "'propose'" in why or "'value'" in why]


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no version 'round'; choose one of flat, subgraph, streaming"):
        build("round", chat=LocalChat())


def test_a_chat_model_that_cannot_stream_is_refused_where_it_must() -> None:
    class Whole:
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            return ""

    build("flat", chat=Whole())
    with pytest.raises(TypeError, match="Whole cannot stream, which this version of the graph needs"):
        build("streaming", chat=Whole())


def test_tree_of_thoughts_is_an_application(tmp_path: Any) -> None:
    application: Application = TOT
    endpoint = ModelEndpoint("http://127.0.0.1:9/v1", "m")
    assert application.first_result_node in application.build("flat", endpoint, corpus=None).nodes
    with pytest.raises(InputError, match="reads no corpus"):
        application.build("flat", endpoint, corpus=tmp_path)
    with pytest.raises(InputError, match="reads no corpus"):
        application.workload(corpus=tmp_path, questions=None)


def test_a_request_can_be_given_a_wider_search() -> None:
    requests = TOT.workload(corpus=None, questions=None)[:2]
    wider = TOT.sized(requests, 9)
    assert [one.id for one in wider] == [one.id for one in requests]
    assert all(one.input["beam"] == 9 for one in wider)
    with pytest.raises(ValueError, match="between 1 and 100 thoughts can be kept at a step, not 0"):
        TOT.sized(requests, 0)
