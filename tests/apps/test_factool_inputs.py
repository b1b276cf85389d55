"""The user's files: what is read, and what is refused with file, line and reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alto_lg.apps.base import InputError
from alto_lg.apps.corpus import read_corpus
from alto_lg.apps.factool import FACTOOL
from alto_lg.apps.factool.inputs import read_questions

_PASSAGE = '{"id": "a", "title": "T", "text": "Some text."}'
_QUESTION = '{"question": "Q?", "answer": "A."}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{path}: the file is empty"),
        ("\n \n", "{path}: the file is empty"),
        ("[1]", "{path}:1: expected a JSON object, got list"),
        (
            _PASSAGE + "\n{",
            "{path}:2: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (_PASSAGE + "\n\n" + _PASSAGE, "{path}:3: id 'a' is used twice"),
        ('{"id": "a", "title": "T"}', "{path}:1: key 'text' must be text that is not empty, got None"),
        ('{"id": 5, "title": "T", "text": "x"}', "{path}:1: key 'id' must be text that is not empty, got 5"),
        ('{"id": "a", "title": " ", "text": "x"}', "{path}:1: key 'title' must be text that is not empty, got ' '"),
    ],
)
def test_a_malformed_corpus_is_refused_before_any_work(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        FACTOOL.workload(corpus=path, questions=None)
    assert str(refused.value) == message.format(path=path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{path}: the file is empty"),
        ('"text"', "{path}:1: expected a JSON object, got str"),
        ('{"answer": "A."}', "{path}:1: key 'question' must be text that is not empty, got None"),
        ('{"question": "Q?", "answer": ""}', "{path}:1: key 'answer' must be text that is not empty, got ''"),
        ('{"prompt": "", "response": "A."}', "{path}:1: key 'prompt' must be text that is not empty, got ''"),
        (
            _QUESTION + "\n" + '{"prompt": "P?", "response": 3}',
            "{path}:2: key 'response' must be text that is not empty, got 3",
        ),
        ('{"question": "Q?", "claims": {}}', "{path}:1: key 'claims' must be a list, got dict"),
        ('{"question": "Q?", "claims": ["c"]}', "{path}:1: claim 0 must be an object, got str"),
        (
            '{"question": "Q?", "claims": [{"claim": "c", "label": "yes"}]}',
            "{path}:1: the label of claim 0 must be true or false, got 'yes'",
        ),
        (
            '{"question": "Q?", "claims": [{"label": true}]}',
            "{path}:1: key 'claim' must be text that is not empty, got None",
        ),
        (
            '{"id": "x", "question": "Q?"}\n{"id": "x", "question": "R?"}',
            "{path}:2: id 'x' is used twice",
        ),
    ],
)
def test_a_malformed_question_file_is_refused_before_any_work(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        FACTOOL.workload(corpus=None, questions=path)
    assert str(refused.value) == message.format(path=path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_corpus(tmp_path / "none")
    with pytest.raises(InputError, match="no such file"):
        read_questions(tmp_path / "none")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\xff")
    with pytest.raises(InputError, match=r"a\.txt: not UTF-8 text \(byte 3\)"):
        read_corpus(tmp_path)
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_questions(tmp_path / "a.txt")


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.txt file with text"):
        read_corpus(tmp_path)


def test_a_folder_of_text_files_becomes_passages_of_whole_sentences(tmp_path: Path) -> None:
    sentence = "This sentence has exactly ten words in it, I counted."
    (tmp_path / "Old_Bridge.txt").write_text("A heading\n" + " ".join([sentence] * 16), encoding="utf-8")
    (tmp_path / "notes.md").write_text("Not read.", encoding="utf-8")
    passages = read_corpus(tmp_path)
    assert [passage["id"] for passage in passages] == ["Old_Bridge-0", "Old_Bridge-1", "Old_Bridge-2"]
    assert {passage["title"] for passage in passages} == {"Old Bridge"}
    assert [passage["text"].count(sentence) for passage in passages] == [7, 7, 2]


def test_questions_are_read_in_this_form_and_in_factool_s(tmp_path: Path) -> None:
    theirs = {"prompt": "P?", "response": "R.", "claims": [{"claim": "R.", "label": False}], "label": False}
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": "mine", "question": "Q?"}\n' + json.dumps(theirs), encoding="utf-8")
    mine, other = read_questions(path)
    assert (mine.id, mine.input, mine.labels) == ("mine", {"question": "Q?"}, {})
    assert (other.id, other.input) == ("factool-2", {"question": "P?", "reference": "R."})
    assert other.labels == {"claims": [{"claim": "R.", "label": False}]}
