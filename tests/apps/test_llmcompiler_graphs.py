"""LLMCompiler's graphs: equal answers with equal calls, each task as soon as its line and what it needs are there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.memory import InMemorySaver
from rules_model import RulesModel
from sim.loop import run

import alto_lg
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import Application, ModelEndpoint, Span
from alto_lg.apps.chat import Chat, Messages
from alto_lg.apps.llmcompiler import LLMCOMPILER, build, limit, program, prompts, rules
from alto_lg.apps.llmcompiler.local_chat import LocalChat
from alto_lg.apps.rules_chat import RulesChat
from alto_lg.apps.spans import record_spans

VERSIONS = LLMCOMPILER.versions
REQUESTS = LLMCOMPILER.workload(corpus=None, questions=None)
PAINTERS = next(request.input for request in REQUESTS if request.id == "born-painters")
REPLANNED = next(request.input for request in REQUESTS if request.id == "revolution")
_PIECE_S = 0.01


class ScriptedChat(RulesChat):
    """The rules at the pace of a model; plans and joiners may be given, and what a look-up takes and says."""

    def __init__(
        self,
        plans: Sequence[str] = (),
        joiners: Sequence[str] = (),
        found: Mapping[str, tuple[float, str]] | None = None,
    ) -> None:
        super().__init__(rules.reply)
        self._plans, self._joiners, self._found = list(plans), list(joiners), found
        self.asked: list[str] = []
        self.began_at: dict[str, float] = {}

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return "".join([piece async for piece in self.stream(messages, max_tokens=max_tokens)])

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        system, user = messages[0]["content"], messages[1]["content"]
        self.asked.append(user)
        if system == prompts.FIND_SYSTEM and self._found is not None:
            question = re.search(r"Question: (.*)", user)
            assert question is not None
            self.began_at[question.group(1)] = asyncio.get_running_loop().time()
            took_s, said = self._found[question.group(1)]
            await asyncio.sleep(took_s)
            yield f"Answer: {said}"
            return
        for piece in self._pieces(system, messages):
            await asyncio.sleep(_PIECE_S)
            yield piece

    def _pieces(self, system: str, messages: Messages) -> list[str]:
        if system == prompts.PLAN_SYSTEM and self._plans:
            return re.findall(r".{1,5}|\n", self._plans.pop(0))
        if system in (prompts.JOIN_SYSTEM, prompts.JOIN_LAST_SYSTEM) and self._joiners:
            return [self._joiners.pop(0)]
        return re.findall(r".{1,5}|\n", self._answer(messages, 0))


def _answers(
    version: str, chat: Chat | BaseChatModel, inputs: Sequence[Mapping[str, Any]], impl: Implementation
) -> list[Any]:
    graph = impl(build(version, chat=chat))

    async def ask() -> list[Any]:
        return [LLMCOMPILER.answer(await graph.ainvoke(dict(given))) for given in inputs]

    return asyncio.run(ask())


def _asked(version: str, chat: ScriptedChat, impl: Implementation) -> Any:
    return run(lambda: impl(build(version, chat=chat)).ainvoke({"question": "Q?"})).result


@pytest.mark.parametrize("version", VERSIONS)
def test_all_versions_give_equal_answers(version: str, impl: Implementation) -> None:
    inputs = [request.input for request in REQUESTS[::3]]
    assert _answers(version, LocalChat(), inputs, impl) == _answers("flat", LocalChat(), inputs, plain_langgraph)


@pytest.mark.slow
def test_most_questions_are_answered_and_some_need_a_second_plan() -> None:
    answers = _answers("flat", LocalChat(), [request.input for request in REQUESTS], plain_langgraph)
    assert 0.7 < LLMCOMPILER.score(REQUESTS, answers)["exact"] < 1
    assert LLMCOMPILER.score(REQUESTS, answers)["tasks"] > 3


@pytest.mark.parametrize("version", VERSIONS)
def test_a_langchain_model_gives_the_same_answers_as_our_own_client(version: str) -> None:
    model = RulesModel(reply=rules.reply)
    inputs = [PAINTERS, REPLANNED]
    assert _answers(version, model, inputs, plain_langgraph) == _answers(version, LocalChat(), inputs, plain_langgraph)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("given", [PAINTERS, REPLANNED], ids=["painters", "replanned"])
def test_equal_calls_are_made_in_every_version(version: str, given: Mapping[str, Any], impl: Implementation) -> None:
    flat, other = ScriptedChat(), ScriptedChat()
    first = run(lambda: build("flat", chat=flat).ainvoke(dict(given))).result
    second = run(lambda: impl(build(version, chat=other)).ainvoke(dict(given))).result
    assert {**first, "run": ""} == {**second, "run": ""}
    assert sorted(flat.asked) == sorted(other.asked)


_DIAMOND = """Thought: two branches that meet.
1. look_up("Mozart A?")
2. look_up("Mozart B of $1?")
3. look_up("Mozart C?")
4. look_up("Mozart D of $3?")
5. calculate("$2 + $4")
6. join()
7. look_up("never asked")"""
_FOUND = {
    "Mozart A?": (0.2, "one"),
    "Mozart B of one?": (0.5, "30"),
    "Mozart C?": (1.0, "two"),
    "Mozart D of two?": (0.1, "12"),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_task_gets_the_results_that_it_needs(version: str, impl: Implementation) -> None:
    state = _asked(version, ScriptedChat([_DIAMOND], ["Answer: 42"], _FOUND), impl)
    assert [result["result"] for result in state["results"]] == ["one", "30", "two", "12", "42"]
    assert state["results"][1]["argument"] == "Mozart B of one?"
    assert state["answer"] == "42"


def test_streamed_a_task_begins_when_its_line_is_written_and_what_it_needs_is_there() -> None:
    """To the hundredth: the plan is written at five characters a hundredth of a second."""
    chat = ScriptedChat([_DIAMOND], ["Answer: 42"], _FOUND)
    outcome = run(lambda: alto_lg.accelerate(build("streaming", chat=chat)).ainvoke({"question": "Q?"}))
    lines = _DIAMOND.splitlines(keepends=True)
    written = [sum(len(re.findall(r".{1,5}|\n", one)) for one in lines[: place + 1]) for place in range(len(lines))]
    assert chat.began_at["Mozart A?"] == pytest.approx(written[1] * _PIECE_S)
    assert chat.began_at["Mozart B of one?"] == pytest.approx(
        max(written[2] * _PIECE_S, chat.began_at["Mozart A?"] + 0.2)
    )
    assert chat.began_at["Mozart C?"] == pytest.approx(written[3] * _PIECE_S)
    assert chat.began_at["Mozart D of two?"] == pytest.approx(chat.began_at["Mozart C?"] + 1.0)
    assert outcome.elapsed_s == pytest.approx(chat.began_at["Mozart D of two?"] + 0.1 + _PIECE_S)


def test_in_waves_a_task_waits_for_the_slowest_of_the_wave_before() -> None:
    chat = ScriptedChat([_DIAMOND], ["Answer: 42"], _FOUND)
    run(lambda: build("flat", chat=chat).ainvoke({"question": "Q?"}))
    assert (
        chat.began_at["Mozart B of one?"]
        == chat.began_at["Mozart D of two?"]
        == pytest.approx(chat.began_at["Mozart C?"] + 1.0)
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_one_at_a_time_every_plan_comes_to_its_end(version: str, impl: Implementation) -> None:
    chat = ScriptedChat([_DIAMOND], ["Answer: 42"], _FOUND)
    graph = impl(build(version, chat=chat))
    state = run(lambda: graph.ainvoke({"question": "Q?"}, {"max_concurrency": 1})).result
    assert state["results"][-1]["result"] == "42"
    assert len(chat.asked) == 6


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_plan_may_use_what_the_first_has_found(version: str, impl: Implementation) -> None:
    second = '1. look_up("not again")\n3. look_up("Mozart B of $1?")\n4. calculate("$3 * 2")\n5. join()'
    chat = ScriptedChat(
        ['1. look_up("Mozart A?")\n2. look_up("Mozart X?")\n', second],
        ["Thought: no.\nReplan: the B of it", "Replan: more", "never asked"],
        {**_FOUND, "Mozart X?": (0.1, "unknown")},
    )
    state = _asked(version, chat, impl)
    assert [result["number"] for result in state["results"]] == [1, 2, 3, 4]
    assert state["results"][3]["result"] == "60"
    assert state["round"] == 2
    assert (state["answer"], state["missing"]) == ("", "")
    (asked,) = (one for one in chat.asked if "Missing:" in one)
    assert asked.endswith("Missing: the B of it\nNext number: 3")
    assert '1. look_up("Mozart A?") = one' in asked


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("line", "result"),
    [
        ('1. search("A?")', "error: there is no tool 'search'; there are look_up and calculate"),
        ('1. calculate("1 / 0")', "error: '1 / 0' divides by zero"),
        ('1. calculate("$1 + $9")', "error: '$1 + $9' is no expression of numbers, + - * / and brackets"),
        ('1. look_up("xyzzy")', "unknown"),
    ],
)
def test_a_call_that_cannot_be_made_says_so_to_the_joiner(
    version: str, line: str, result: str, impl: Implementation
) -> None:
    chat = ScriptedChat([line], ["Answer: none"])
    assert [one["result"] for one in _asked(version, chat, impl)["results"]] == [result]
    assert result in chat.asked[-1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("plan", ["", "I cannot plan this.", "join()"])
def test_without_a_plan_the_joiner_is_asked_all_the_same(version: str, plan: str, impl: Implementation) -> None:
    chat = ScriptedChat([plan or "\n"], ["Answer: nobody knows"])
    state = _asked(version, chat, impl)
    assert (state["answer"], state["plan"], state["results"]) == ("nobody knows", [], [])
    assert len(chat.asked) == 2


class FailingChat(LocalChat):
    """Breaks down over the second thing that it looks up."""

    def __init__(self) -> None:
        super().__init__()
        self._found = 0

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        self._found += messages[0]["content"] == prompts.FIND_SYSTEM
        if self._found == 2:
            raise ConnectionError("the model is gone")
        return await super().complete(messages, max_tokens=max_tokens)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_model_s_own_error_ends_the_run(version: str, impl: Implementation) -> None:
    with pytest.raises(ConnectionError, match="the model is gone"):
        _answers(version, FailingChat(), [PAINTERS], impl)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_that_broke_down_goes_on_where_it_stopped_in_another_process(version: str, impl: Implementation) -> None:
    """What the tasks of a run have in common is gone with the process; a task calls again what it needs of it."""
    saver, config = InMemorySaver(), {"configurable": {"thread_id": "1"}}

    def graph(chat: Chat) -> Any:
        made = build(version, chat=chat)
        made.checkpointer = saver
        return impl(made)

    async def break_and_resume() -> Any:
        with pytest.raises(ConnectionError):
            await graph(FailingChat()).ainvoke(dict(PAINTERS), config)
        return await graph(LocalChat()).ainvoke(None, config)

    answer = LLMCOMPILER.answer(asyncio.run(break_and_resume()))
    assert [answer] == _answers("flat", LocalChat(), [PAINTERS], plain_langgraph)


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
        await app.ainvoke(dict(REPLANNED), config)
        return await app.ainvoke(dict(PAINTERS), config)

    assert [LLMCOMPILER.answer(asyncio.run(ask_twice()))] == _answers("flat", LocalChat(), [PAINTERS], plain_langgraph)


@pytest.mark.parametrize("given", [PAINTERS, REPLANNED], ids=["painters", "replanned"])
def test_streamed_every_question_is_as_soon_as_its_limit(given: Mapping[str, Any]) -> None:
    """On a machine that takes no time itself."""
    flat = run(lambda: build("flat", chat=ScriptedChat()).ainvoke(dict(given)))
    app = alto_lg.accelerate(build("streaming", chat=ScriptedChat()))

    async def follow() -> tuple[float, float | None]:
        with record_spans() as spans:
            await app.ainvoke(dict(given))
        return LLMCOMPILER.limit_s(spans), LLMCOMPILER.first_result_limit_s(spans)

    outcome = run(follow)
    limit_s, first_s = outcome.result
    assert outcome.elapsed_s == pytest.approx(limit_s)
    assert outcome.elapsed_s < flat.elapsed_s
    assert first_s is not None
    assert 0 < first_s < limit_s / 2
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert statistics.dropped == 0
    assert statistics.early_starts >= 3


def _span(stage: str, item: tuple[int, ...], took_s: float) -> Span:
    return Span(stage, item, 10.0, 10.0 + took_s)


_ONE_ROUND = [
    _span("plan", (1,), 1.0),
    _span("work", (1, 1), 2.0),
    _span("work", (1, 2), 0.5),
    _span("needs", (1, 2, 1), 0.0),
    _span("join", (1,), 0.25),
]


def test_a_task_begins_at_the_end_of_the_plan_and_of_what_it_needs() -> None:
    assert limit.limit_s(_ONE_ROUND) == pytest.approx(1.0 + 2.0 + 0.5 + 0.25)
    assert limit.first_result_limit_s(_ONE_ROUND) == pytest.approx(3.0)


def test_a_task_whose_line_is_streamed_begins_when_that_is_written() -> None:
    lines = [_span("line", (1, 1), 0.25), _span("line", (1, 2), 0.75)]
    assert limit.limit_s([*_ONE_ROUND, *lines]) == pytest.approx(0.25 + 2.0 + 0.5 + 0.25)
    assert limit.first_result_limit_s([*_ONE_ROUND, *lines]) == pytest.approx(2.25)


def test_a_second_round_comes_behind_the_first_and_its_needs_of_that_are_there() -> None:
    second = [_span("plan", (2,), 1.0), _span("work", (2, 3), 1.0), _span("needs", (2, 3, 1), 0.0)]
    assert limit.limit_s([*_ONE_ROUND, *second, _span("join", (2,), 0.5)]) == pytest.approx(3.75 + 2.5)


@pytest.mark.parametrize("given", [PAINTERS, REPLANNED], ids=["painters", "replanned"])
@pytest.mark.parametrize("version", VERSIONS)
def test_on_plain_langgraph_every_question_takes_as_long_as_its_supersteps(
    version: str, given: Mapping[str, Any]
) -> None:
    async def follow() -> float:
        with record_spans() as spans:
            await build(version, chat=ScriptedChat()).ainvoke(dict(given))
        return LLMCOMPILER.in_supersteps_s(version, spans)

    outcome = run(follow)
    assert outcome.elapsed_s == pytest.approx(outcome.result)


def test_a_wave_takes_as_long_as_its_slowest_task() -> None:
    spans = [*_ONE_ROUND, _span("work", (1, 3), 1.0), _span("work", (1, 4), 0.25), _span("needs", (1, 4, 3), 0.0)]
    assert limit.in_supersteps_s("flat", spans) == pytest.approx(1.0 + 2.0 + 0.5 + 0.25)
    slower = [*spans, _span("work", (1, 5), 3.0)]
    assert limit.in_supersteps_s("flat", slower) == pytest.approx(1.0 + 3.0 + 0.5 + 0.25)
    assert limit.in_supersteps_s("streaming", slower) == pytest.approx(1.0 + 3.0 + 0.25)


def test_a_plan_without_tasks_takes_as_long_as_it_is_written() -> None:
    assert limit.limit_s([_span("plan", (1,), 1.0), _span("join", (1,), 0.5)]) == pytest.approx(1.5)
    assert limit.first_result_limit_s([_span("plan", (1,), 1.0)]) is None
    assert limit.first_result_limit_s([]) is None


def test_a_span_of_another_application_is_refused() -> None:
    with pytest.raises(ValueError, match="is not one of LLMCompiler, whose stages are plan, line, needs, work, join"):
        limit.limit_s([_span("rerank", (1,), 1.0)])


def test_the_graphs_can_be_drawn_with_all_their_edges() -> None:
    drawn = {
        version: {(edge.source, edge.target) for edge in build(version, chat=LocalChat()).get_graph().edges}
        for version in VERSIONS
    }
    both = {("__start__", "begin"), ("begin", "plan"), ("plan", "work"), ("plan", "join"), ("join", "__end__")}
    both |= {("join", "plan")}
    assert drawn["flat"] == both | {("work", "collect"), ("collect", "work"), ("collect", "join")}
    assert drawn["streaming"] == both | {("work", "join")}


def test_an_unknown_version_and_a_model_that_cannot_stream_are_refused() -> None:
    class Whole:
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            return ""

    with pytest.raises(ValueError, match="LLMCompiler has no version 'round'; choose one of flat, streaming"):
        build("round", chat=LocalChat())
    build("flat", chat=Whole())
    for make in (lambda: build("streaming", chat=Whole()), lambda: program(chat=Whole())):
        with pytest.raises(TypeError, match="Whole cannot stream"):
            make()


def test_llmcompiler_is_an_application() -> None:
    application: Application = LLMCOMPILER
    graph = application.build("flat", ModelEndpoint("http://127.0.0.1:9/v1", "m"), corpus=None)
    assert application.first_result_node in graph.nodes
    with pytest.raises(ValueError, match="those that its model plans"):
        application.sized([], 3)


def test_with_a_real_client_nothing_but_the_joiner_looks_like_it_may_pause_the_run() -> None:
    """A node that may would start in its own step only. `join` does in any case: it is the last of its round."""
    app: Any = alto_lg.accelerate(build("streaming", chat=OpenAIChat("http://127.0.0.1:9/v1", "m")))
    told = alto_lg.explain(app)
    assert any(note.startswith("streams: ") for note in told["plan"].notes)
    assert [node.node for node in told.nodes if node.writes_evidence == "unknown"] == []
    stages = app.nodes.acceleration.wired.plan.stages
    assert {name for name, stage in stages.items() if stage.may_interrupt or stage.touches_store} <= {"join"}
