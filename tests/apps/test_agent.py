"""The agent: its library, the rules that drive it, its graphs as they are, and the same by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from sim.loop import run
from watching.scripted import ScriptedModel, call, said

import alto_lg
from alto_lg.apps.agent import AGENT, build
from alto_lg.apps.agent.inputs import read_questions
from alto_lg.apps.agent.library import Library
from alto_lg.apps.agent.prompts import LOOK_UP, OPEN, SEARCH, SYSTEM
from alto_lg.apps.agent.recording import Recorder
from alto_lg.apps.agent.rules import reply
from alto_lg.apps.agent.tools import OWN_LATENCY_MS, Latency
from alto_lg.apps.base import InputError, ModelEndpoint, Request, Span
from alto_lg.apps.corpus import read_corpus
from alto_lg.apps.spans import record_spans
from alto_lg.comparisons.arms import arms_of, choose_arms
from alto_lg.comparisons.processes import Task
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.comparisons.turns import workers

_CALLS = re.compile(r"<tool_call>(.*?)</tool_call>")
_CALL_S = 0.5
QUESTION = read_questions(None)[0]


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(read_corpus(None))


def texts_of(library: Library, question: str) -> list[str]:
    """What the rules say, turn by turn."""
    answers = {SEARCH: library.search, OPEN: library.open, LOOK_UP: library.look_up}
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
    said: list[str] = []
    for _ in range(5):
        text = reply(messages, 0)
        assert text is not None
        said.append(text)
        messages.append({"role": "assistant", "content": text})
        for written in _CALLS.findall(text):
            (argument,) = json.loads(written)["arguments"].values()
            messages.append({"role": "tool", "content": answers[json.loads(written)["name"]](argument)})
        if not _CALLS.search(text):
            return said
    raise AssertionError(f"the rules go on and on: {said}")


def asked_of(request: Request) -> str:
    return str(request.input["messages"][0]["content"])


# The library.


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("330 / 0.3048", "330 / 0.3048 = 1,083"),
        ("8,848.86 / 0.3048", "8,848.86 / 0.3048 = 29,032"),
        ("1953 - 1914", "1953 - 1914 = 39.00"),
        ("0.5 * 0.5", "0.5 * 0.5 = 0.2500"),
        ("-2 + 1", "-2 + 1 = -1.000"),
        ("1 / 0", "1 / 0 has no value."),
    ],
)
def test_an_expression_of_two_numbers_is_worked_out(library: Library, expression: str, value: str) -> None:
    assert library.look_up(expression) == value


@pytest.mark.parametrize("code", ["__import__('os')", "2 ** 999999999", "1 + 1 + 1", "(1).__class__ * 2"])
def test_anything_else_is_looked_up_as_words_and_never_run(library: Library, code: str) -> None:
    assert " = " not in library.look_up(code)


def test_what_the_library_does_not_have_is_said(library: Library) -> None:
    assert library.search("xylophones") == "No passage tells of 'xylophones'."
    assert library.open("nowhere-1") == "There is no passage 'nowhere-1'; search first."
    assert library.look_up("xylophones") == "No measure is known for 'xylophones'."


def test_a_corpus_without_measures_has_none() -> None:
    bare = Library([{"id": "a", "title": "A", "text": "It is green."}])
    assert bare.look_up("how green").startswith("No measure is known")
    assert bare.search("green") == "[a] A: It is green."


# The rules.


def test_a_question_takes_two_turns_of_three_calls_and_an_answer(library: Library) -> None:
    first, second, answer = texts_of(library, asked_of(QUESTION))
    names = [[json.loads(one)["name"] for one in _CALLS.findall(text)] for text in (first, second)]
    assert names == [[SEARCH, SEARCH, LOOK_UP], [OPEN, OPEN, LOOK_UP]]
    assert f"{QUESTION.labels['years']} years" in answer and QUESTION.labels["measure"] in answer


def test_the_rules_answer_from_what_the_tools_gave(library: Library) -> None:
    other = Library(
        [{**one, "text": one["text"].replace("1953", "1954")} for one in read_corpus(None) if one["id"] != "everest-1"]
    )
    assert "in 1953 [everest-2]" in texts_of(library, asked_of(QUESTION))[-1]
    changed = texts_of(other, asked_of(QUESTION))[-1]
    assert "in 1954 [everest-2]" in changed
    assert QUESTION.labels["measure"] not in changed


def test_most_of_the_shipped_questions_are_answered_right(library: Library) -> None:
    requests = AGENT.workload(corpus=None, questions=None)
    answers = [{"answer": texts_of(library, asked_of(one))[-1], "turns": []} for one in requests]
    scores = AGENT.score(requests, answers)
    assert 0.85 < scores["years_right"] < 1, "the rules make mistakes, and the score shows them"
    assert scores["measures_right"] == 1


@pytest.mark.parametrize("question", ["Who wrote the Principia?", "What is a xylophone?"])
def test_any_other_question_is_searched_and_answered_with_a_passage_or_not_at_all(
    library: Library, question: str
) -> None:
    answer = texts_of(library, question)[-1]
    assert "[newton-2]" in answer or answer == "The library does not tell of that."


def test_the_rules_leave_other_prompts_alone() -> None:
    assert reply([{"role": "system", "content": "You are a poet."}, {"role": "user", "content": "Hello"}], 0) is None


# Inputs and times.


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"question": " "}', "key 'question' must be text"),
        ('{"question": "Why?", "years": "7"}', "key 'years' must be a whole number"),
        ('{"question": "Why?", "measure": 7}', "key 'measure' must be text"),
    ],
)
def test_a_malformed_question_is_refused_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "Why?"}\n' + line + "\n")
    with pytest.raises(InputError, match=f":2: {said}"):
        read_questions(path)


def test_a_call_always_takes_the_same_time_and_calls_differ() -> None:
    times = [Latency().of_s(SEARCH, f"query {number}") for number in range(50)]
    least, most = (bound / 1000 for bound in OWN_LATENCY_MS[SEARCH])
    assert least <= min(times) < max(times) <= most
    assert len(set(times)) == 50
    assert times[7] == Latency().of_s(SEARCH, "query 7") != Latency(seed=1).of_s(SEARCH, "query 7")


# The graphs, on virtual time.


def scripted(library: Library) -> ScriptedModel:
    """The rules' answers to the first question, each call half a second of writing."""
    scripts: list[Any] = []
    for turn, text in enumerate(texts_of(library, asked_of(QUESTION))):
        calls = [json.loads(one) for one in _CALLS.findall(text)]
        written = [
            call(one["name"], one["arguments"], 10 * turn + place, seconds=_CALL_S) for place, one in enumerate(calls)
        ]
        scripts.append([piece for one in written for piece in one] or said(text))
    return ScriptedModel(scripts=scripts, callbacks=[Recorder()])


async def recorded(app: Any) -> tuple[Any, list[Span]]:
    with record_spans() as spans:
        state = await app.ainvoke(dict(QUESTION.input))
    return AGENT.answer(state), spans


@pytest.mark.parametrize("version", AGENT.versions)
def test_every_version_gives_the_same_and_takes_as_long_as_it_must(
    impl: Implementation, library: Library, version: str
) -> None:
    app = impl(build(version, chat=scripted(library)))
    outcome = run(lambda: recorded(app))
    answer, spans = outcome.result
    assert [len(turn) for turn in answer["turns"]] == [3, 3]
    assert answer["answer"] == texts_of(library, asked_of(QUESTION))[-1]
    early = impl is not plain_langgraph and version.endswith("early")
    if early:
        statistics = alto_lg.statistics(app)
        assert statistics is not None and (statistics.early_tools, statistics.dropped_tools) == (6, 0)
        assert AGENT.limit_s(spans) < AGENT.in_supersteps_s(version, spans) - 0.2
    expected = AGENT.limit_s(spans) if early else AGENT.in_supersteps_s(version, spans)
    assert outcome.elapsed_s == pytest.approx(expected)
    first = AGENT.first_result_limit_s(spans)
    assert first is not None and 0 < first < AGENT.limit_s(spans)


def test_the_limit_counts_each_tool_from_the_end_of_its_call() -> None:
    spans = [
        Span("model", (), 0.0, 1.0),
        Span("call", (0, 11), 0.0, 0.4),
        Span("call", (1, 22), 0.0, 1.0),
        Span(SEARCH, (11,), 1.0, 1.9),
        Span(LOOK_UP, (22,), 1.0, 1.1),
        Span("model", (), 1.9, 2.4),
    ]
    assert AGENT.limit_s(spans) == pytest.approx(0.4 + 0.9 + 0.5)
    assert AGENT.in_supersteps_s("react", spans) == pytest.approx(1.0 + 0.9 + 0.5)
    assert AGENT.first_result_limit_s(spans) == pytest.approx(1.0 + 0.1)
    assert AGENT.first_result_limit_s(spans[-1:]) is None


# All arms, on a server.


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ModelEndpoint]:
    with SimulatedServer(SimOptions(time_scale=0.02)) as server:
        yield ModelEndpoint(server.base_url, server.model)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sync", "left_out"), [(False, ()), (True, ("langgraph-create-agent", "alto-create-agent", "asyncio"))]
)
def test_all_arms_give_the_same_answer_and_note_their_pieces(
    endpoint: ModelEndpoint, sync: bool, left_out: tuple[str, ...]
) -> None:
    arms = [arm for arm in choose_arms(None, arms_of(AGENT)) if arm.peer is None and arm.name not in left_out]
    task = Task("agent", endpoint, None, None, timeout_s=60, sync=sync)
    with workers(arms, task) as (started, _):
        told = {worker.arm.name: worker.run(0, 0) for worker in started}
    reference = told["langgraph-react"]
    assert "22 years" in reference.answer["answer"]
    for name, one in told.items():
        assert one.answer == reference.answer, name
        stages = [span.stage for span in one.spans]
        assert (stages.count("model"), stages.count("call")) == (3, 6), name
        assert sum(stage in OWN_LATENCY_MS for stage in stages) == 6, name
        assert one.early is None or one.early.early_tools == (6 if name.endswith("early") else 0), name
        assert one.first_result_s is not None and one.limit_s <= one.latency_s, name
