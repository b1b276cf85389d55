"""Questions with short answers: what is read, what is refused, and how an answer is compared with the right one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from alto_lg.apps import matching
from alto_lg.apps.base import InputError, Request
from alto_lg.apps.ircot import IRCOT
from alto_lg.apps.llmcompiler import LLMCOMPILER
from alto_lg.apps.questions import labelled, read_passages, read_questions

HOTPOT = "ALTO_LG_HOTPOTQA"
"""Names the variable that says where a sample of HotpotQA's development set lies."""
_HOTPOT_ENTRY = {
    "question": "Q?",
    "answer": "A",
    "context": {"title": ["One Thing", "Two"], "sentences": [["It is.", " It  was."], []]},
}


def _file(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_line_has_a_question_and_may_have_an_id_and_answers(tmp_path: Path) -> None:
    lines = ['{"question": " Who  was it? "}', '{"question": "Q?", "id": "q", "answer": ["A", "B"]}', ""]
    path = _file(tmp_path, "questions.jsonl", "\n".join(lines))
    assert read_questions(path) == [
        Request("question-1", {"question": "Who was it?"}),
        Request("q", {"question": "Q?"}, {"answers": ["A", "B"]}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.jsonl", "", "{path}: the file is empty"),
        ("q.jsonl", '{"answer": "A."}', "{path}:1: key 'question' must be text that is not empty, got None"),
        (
            "q.jsonl",
            '{"question": "Q?", "answer": 3}',
            "{path}:1: key 'answer' must be a text or a list of texts, got 3",
        ),
        (
            "q.jsonl",
            '{"question": "Q?", "answer": [" "]}',
            "{path}:1: key 'answer' must be a text or a list of texts, got [' ']",
        ),
        ("q.jsonl", '{"question": "Q?", "id": "a"}\n{"question": "R?", "id": "a"}', "{path}:2: id 'a' is used twice"),
        ("q.json", "{}", "{path}: expected a list of objects, as HotpotQA has it"),
        ("q.json", "[1]", "{path}: expected a list of objects, as HotpotQA has it"),
        ("q.json", "[]", "{path}: the file is empty"),
        ("q.json", "[{}]", "{path}:1: key 'question' must be text that is not empty, got None"),
    ],
)
@pytest.mark.parametrize("application", [IRCOT, LLMCOMPILER], ids=lambda one: one.name)
def test_a_malformed_file_of_questions_is_refused_before_any_work(
    application: Any, name: str, content: str, message: str, tmp_path: Path
) -> None:
    path = _file(tmp_path, name, content)
    with pytest.raises(InputError) as refused:
        application.workload(corpus=None, questions=path)
    assert str(refused.value) == message.format(path=path)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (None, "key 'context' must hold 'title'"),
        ({"title": ["a"], "sentences": ["b"]}, "key 'context' must hold 'title'"),
        ({"title": ["a"], "sentences": [[3]]}, "key 'context' must hold 'title'"),
        ({"title": ["a", "b"], "sentences": [["c"]]}, "key 'context' has 2 titles for 1 paragraphs"),
        ({"title": [], "sentences": []}, "no question of this file has paragraphs"),
    ],
)
def test_a_malformed_file_of_paragraphs_is_refused(context: Any, reason: str, tmp_path: Path) -> None:
    path = _file(tmp_path, "hotpot.json", [{"question": "Q?", "context": context}])
    with pytest.raises(InputError, match=reason):
        IRCOT.workload(corpus=path, questions=None)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; give a JSONL file of questions"):
        read_questions(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no such file; give a corpus"):
        read_passages(tmp_path / "none.json")


def test_one_file_in_hotpotqa_s_form_has_questions_and_passages(tmp_path: Path) -> None:
    path = _file(tmp_path, "hotpot.json", [_HOTPOT_ENTRY, {**_HOTPOT_ENTRY, "question": "R?"}])
    assert [request.input["question"] for request in read_questions(path)] == ["Q?", "R?"]
    assert read_passages(path) == [{"id": "one-thing", "title": "One Thing", "text": "It is. It was."}]


@pytest.mark.skipif(HOTPOT not in os.environ, reason=f"{HOTPOT} names no file: give a sample of HotpotQA as JSON")
def test_a_real_sample_of_hotpotqa_is_read_whole() -> None:
    path = Path(os.environ[HOTPOT])
    requests = IRCOT.workload(corpus=path, questions=path)
    assert len(requests) == len(json.loads(path.read_text(encoding="utf-8")))
    assert all(request.labels["answers"] for request in requests)
    assert len(read_passages(path)) > len(requests)


@pytest.mark.parametrize("application", [IRCOT, LLMCOMPILER], ids=lambda one: one.name)
def test_the_package_s_own_questions_all_have_answers(application: Any) -> None:
    requests = application.workload(corpus=None, questions=None)
    assert len(requests) > 25
    assert all(request.labels["answers"] for request in requests)


@pytest.mark.parametrize(
    ("given", "right", "is_same", "shared"),
    [
        ("The Brooklyn Bridge.", "brooklyn bridge", True, 1.0),
        ("6,400", "6400", True, 1.0),
        ("Florey", "Florey and Chain", False, 0.5),
        ("Chain and Florey", "Florey and Chain", False, 1.0),
        ("", "Bonn", False, 0.0),
        ("Vienna", "Bonn", False, 0.0),
    ],
)
def test_case_punctuation_and_articles_count_for_nothing(given: str, right: str, is_same: bool, shared: float) -> None:
    assert matching.is_same(given, right) is is_same
    assert matching.shared(given, right) == pytest.approx(shared)


def test_of_several_right_answers_the_closest_counts_and_unlabelled_requests_do_not() -> None:
    requests = [Request("a", {}, {"answers": ["x", "y z"]}), Request("b", {}, {"answers": ["x"]}), Request("c", {})]
    scores = matching.score(labelled(requests, ["y", "x", "anything"]))
    assert scores == {"exact": 0.5, "words_shared": pytest.approx((2 / 3 + 1) / 2), "labelled": 2.0}
    assert matching.score([]) == {"exact": 0.0, "words_shared": 0.0, "labelled": 0.0}
