"""Passages and turns, likeness, citations, scores, and the limit: each on its own."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alto_lg.apps.base import InputError, Request, Span
from alto_lg.apps.corpus import Passage
from alto_lg.apps.wikichat import WIKICHAT
from alto_lg.apps.wikichat.citing import cited
from alto_lg.apps.wikichat.inputs import in_windows, own_passages, read_passages, read_turns
from alto_lg.apps.wikichat.likeness import Different
from alto_lg.apps.wikichat.scoring import score
from alto_lg.apps.wikichat.state import Note


def _passage(text: str, identity: str = "a-1") -> Passage:
    return {"id": identity, "title": "T", "text": text}


# ── passages and turns ──────────────────────────────────────────────────────────────────────────────────────────


def test_windows_hold_every_sentence_and_never_mix_subjects() -> None:
    passages = read_passages(None)
    assert max(Counter(passage["id"] for passage in passages).values()) == 1
    for one in own_passages():
        subject = one["id"].rpartition("-")[0]
        told = " ".join(window["text"] for window in passages if window["id"].rpartition("-")[0] == subject)
        assert all(sentence in told for sentence in one["text"].split(". "))
    assert {passage["id"].rpartition("-")[0] for passage in passages} == {
        one["id"].rpartition("-")[0] for one in own_passages()
    }


def test_a_window_moves_on_by_one_sentence_and_the_last_one_ends_with_the_subject() -> None:
    told = ("S0. S1. S2.", "S3. S4. S5.", "S6. S7.")
    windows = in_windows([*(_passage(text, f"a-{place}") for place, text in enumerate(told)), _passage("X.", "b-1")])
    assert [one["text"].split()[0] for one in windows] == ["S0.", "S1.", "S2.", "S3.", "X."]
    assert windows[3]["text"].endswith("S7.")
    assert [one["id"] for one in windows] == ["a-1", "a-2", "a-3", "a-4", "b-1"]


def test_few_passages_of_the_package_are_so_alike_that_one_is_left_out() -> None:
    different = Different()
    stayed = [different.is_new(passage) for passage in read_passages(None)]
    assert 0 < stayed.count(False) < 0.15 * len(stayed)


def test_passages_of_the_user_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps(_passage("Some text.")), encoding="utf-8")
    assert read_passages(path) == [_passage("Some text.")]


def test_the_package_s_own_conversations_have_several_turns_and_subjects_of_its_corpus() -> None:
    requests = read_turns(None)
    known = {passage["id"].rpartition("-")[0] for passage in own_passages()}
    assert len(requests) >= 25
    assert all(request.then for request in requests)
    assert all(set(request.labels["subjects"]) <= known for request in requests)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{path}: the file is empty"),
        ('{"question": ""}', "{path}:1: key 'question' must be text that is not empty, got ''"),
        ('{"question": "Q?", "history": "x"}', "{path}:1: key 'history' must be a list, got str"),
        ('{"question": "Q?", "history": ["x"]}', "{path}:1: turn 0 of the history must be an object, got str"),
        (
            '{"question": "Q?", "history": [{"user": "a"}]}',
            "{path}:1: key 'agent' must be text that is not empty, got None",
        ),
        ('{"question": "Q?", "subjects": [3]}', "{path}:1: key 'subjects' must be a list of texts, got [3]"),
        ('{"question": "Q?", "then": "R?"}', "{path}:1: key 'then' must be a list of texts, got 'R?'"),
        ('{"id": "x", "question": "Q?"}\n{"id": "x", "question": "R?"}', "{path}:2: id 'x' is used twice"),
    ],
)
def test_a_malformed_file_of_turns_is_refused_before_any_work(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        WIKICHAT.workload(corpus=None, questions=path)
    assert str(refused.value) == message.format(path=path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; give a JSONL file of turns"):
        read_turns(tmp_path / "none")


# ── likeness ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_of_passages_that_are_alike_stays() -> None:
    different = Different()
    texts = ["one two three four five six", "ONE two three, four five six!", "seven", "", "", "one two three four five"]
    assert [different.is_new(_passage(text)) for text in texts] == [True, False, True, True, False, False]


def test_a_passage_is_compared_with_those_that_stayed_only() -> None:
    """The second is like the first, the third like the second but not like the first."""
    letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    texts = [" ".join(letters), " ".join([*letters[1:], "k"]), " ".join([*letters[2:], "k", "l"])]
    different = Different()
    assert [different.is_new(_passage(text)) for text in texts] == [True, False, True]


# ── citations ───────────────────────────────────────────────────────────────────────────────────────────────────


def _notes(count: int) -> list[Note]:
    return [{"place": [0, 0, n], "passage": _passage("x", f"p-{n}"), "points": ["x"]} for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("text", "shifted", "order"),
    [
        ("Bees fly [3]. Ice melts [1].", "Bees fly [1]. Ice melts [2].", ["p-3", "p-1"]),
        ("Bees fly [2, 3]. Ice melts [3][2].", "Bees fly [1][2]. Ice melts [2][1].", ["p-2", "p-3"]),
        ("Bees fly [9]. Ice melts [0].", "Bees fly. Ice melts.", []),
        ("Bees fly [2][2].", "Bees fly [1][1].", ["p-2"]),
        ("Nothing is known.", "Nothing is known.", []),
        ("", "", []),
    ],
)
def test_numbers_are_shifted_to_the_order_in_which_they_come(text: str, shifted: str, order: list[str]) -> None:
    answer, references = cited(text, _notes(3))
    assert answer == shifted
    assert [reference["id"] for reference in references] == order
    assert [reference["number"] for reference in references] == list(range(1, len(order) + 1))


# ── scores ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _answer(text: str, *references: tuple[str, str]) -> dict[str, Any]:
    listed = [
        {"number": n, "id": identity, "title": "T", "text": body} for n, (identity, body) in enumerate(references, 1)
    ]
    return {"answer": text, "references": listed}


BEES = ("bees-1", "Bees fly far in summer. In 1901 they were counted.")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("Bees fly far [1].", 1.0),
        ("Bees fly far. They were counted in 1901 [1].", 1.0),
        ("They were counted in 1902 [1].", 0.0),
        ("Whales sing songs [1].", 0.0),
        ("Bees fly far [1]. Whales sing songs.", 0.5),
    ],
)
def test_a_sentence_is_borne_out_by_what_it_cites_or_not(text: str, share: float) -> None:
    request = Request("a", {}, {"subjects": ["bees"]})
    assert score([request], [_answer(text, BEES)])["sentences_borne_out"] == share


def test_references_and_subjects_are_compared_with_the_labels() -> None:
    requests = [Request("a", {}, {"subjects": ["bees", "whales"]}), Request("b", {}, {})]
    answers = [_answer("Bees fly far [1]. Ice melts [2].", BEES, ("ice-1", "Ice melts.")), _answer("No.")]
    scores = score(requests, answers)
    assert (scores["references_on_subject"], scores["subjects_covered"], scores["turns_answered"]) == (0.5, 0.5, 0.5)


def test_no_answers_have_no_score() -> None:
    assert set(score([], []).values()) == {0.0}


# ── the limit ───────────────────────────────────────────────────────────────────────────────────────────────────


def _spans(*pieces: tuple[str, tuple[int, ...], float]) -> list[Span]:
    return [Span(stage, item, 100.0, 100.0 + seconds) for stage, item, seconds in pieces]


WHOLE = (("make_queries", (), 1.0), ("recall", (), 4.0), ("draft", (), 2.0), ("refine", (), 1.0), ("cite", (), 0.0))
CHAINS = (("rerank", (0, 0), 1.0), ("rerank", (0, 1), 3.0), ("rerank", (1, 0), 1.0))
FILTERS = (("filter", (0, 0, 0), 1.0), ("filter", (0, 1, 0), 2.0), ("filter", (1, 0, 0), 3.0))


def test_where_lists_are_finished_first_the_path_goes_through_both_branches() -> None:
    spans = _spans(*WHOLE, *CHAINS, *FILTERS)
    assert WIKICHAT.limit_s(spans) == pytest.approx(5 + 3 + 2 + 1)
    assert WIKICHAT.first_result_limit_s(spans) == pytest.approx(5 + 1)


WRITTEN = (("query", (0,), 0.2), ("query", (1,), 0.4), ("fact", (0,), 0.5))


def test_where_they_stream_a_passage_waits_for_all_before_it() -> None:
    spans = _spans(*WHOLE, *CHAINS, *FILTERS, *WRITTEN)
    # The second query has its passages at 3.4, and so the fact, which had its own at 1.5, is decided on then.
    assert WIKICHAT.first_result_limit_s(spans) == pytest.approx(1.2 + 1)
    assert WIKICHAT.limit_s(spans) == pytest.approx(3.4 + 3 + 2 + 1)


def test_the_draft_waits_for_the_tenth_note_only() -> None:
    many = [("filter", (0, 0, rank), 0.1) for rank in range(10)]
    used = [("used", (0, 0, rank), 0.0) for rank in range(10)]
    spans = _spans(*WHOLE, *CHAINS, *FILTERS[1:], *many, *used, *WRITTEN)
    # The notes are there at 1.3 and the turn at 4.3, but the fact's passage is read until 6.4.
    assert WIKICHAT.limit_s(spans) == pytest.approx(6.4)
    late = [*(span for span in spans if span.stage != "draft"), *_spans(("draft", (), 7.0))]
    assert WIKICHAT.limit_s(late) == pytest.approx(1.3 + 7 + 1)


def test_the_turns_of_a_conversation_take_as_long_as_each_of_them() -> None:
    first, second = _spans(*WHOLE, *CHAINS, *FILTERS, *WRITTEN), _spans(*WHOLE)
    later = [replace(span, started=span.started + 50, ended=span.ended + 50) for span in second]
    both = [*later, *first]
    assert WIKICHAT.limit_s(both) == pytest.approx(WIKICHAT.limit_s(first) + WIKICHAT.limit_s(second))
    assert WIKICHAT.first_result_limit_s(both) == WIKICHAT.first_result_limit_s(first)
    for version in WIKICHAT.versions:
        each = [WIKICHAT.in_supersteps_s(version, spans) for spans in (first, second)]
        assert WIKICHAT.in_supersteps_s(version, both) == pytest.approx(sum(each))


def test_a_turn_without_passages_has_no_first_result() -> None:
    spans = _spans(*WHOLE)
    assert WIKICHAT.limit_s(spans) == pytest.approx(4 + 2 + 1)
    assert WIKICHAT.first_result_limit_s(spans) is None


def test_a_span_of_another_application_is_refused() -> None:
    with pytest.raises(ValueError, match="span of an unknown stage 'appraise'; WikiChat has make_queries"):
        WIKICHAT.limit_s(_spans(("appraise", (0,), 1.0)))
