"""How the model made of rules reads: chains over several passages, and the words that answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from alto_lg.apps.reading_rules import Kind, Reading, answer_in, kind_of

_PASSAGES = [
    ("Penguins", "Penguins cannot fly through the air. They swim with their wings."),
    (
        "Vale Bridge",
        "The Vale Bridge was designed by Ines Corran in 1911. It has nine arches, while the old one had four.",
    ),
    ("Ines Corran", "Ines Corran was born in Aldis on 4 May 1870. She died in 1932."),
]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("In which year did it open?", "year"),
        ("When did it open?", "year"),
        ("How many arches has it?", "amount"),
        ("How high is it?", "amount"),
        ("Who built it?", "name"),
        ("Where is it?", "name"),
        ("Name it.", "thing"),
    ],
)
def test_a_question_asks_for_a_kind_of_answer(question: str, kind: Kind) -> None:
    assert kind_of(question) == kind


def test_a_chain_goes_on_from_what_a_sentence_names() -> None:
    reading = Reading("In which city was the designer of the Vale Bridge born?", _PASSAGES)
    chain = reading.chain()
    assert chain == [
        "The Vale Bridge was designed by Ines Corran in 1911.",
        "Ines Corran was born in Aldis on 4 May 1870.",
    ]
    assert reading.answer(chain) == "Aldis"
    assert reading.chain(chain) == []


def test_what_the_passages_do_not_tell_is_not_answered() -> None:
    reading = Reading("Who was the first king of Tull?", _PASSAGES)
    assert reading.best() is None
    assert reading.chain() == []
    assert reading.answer([]) == ""


def test_a_sentence_that_names_nothing_of_its_title_is_told_with_it() -> None:
    reading = Reading("Who lives in the old mill?", [("Aldis", "There is an old mill by the river.")])
    assert reading.chain() == ["Aldis: There is an old mill by the river."]


def test_a_sentence_is_cut_where_it_goes_on_to_something_else() -> None:
    best = Reading("How many arches has the Vale Bridge?", _PASSAGES[1:2]).best()
    assert best is not None
    assert "while" not in best.sentence


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("In which year did it open?", "Begun in 1901, the hall was opened in 1911.", "1911"),
        ("In which year was it?", "It was in 27 BC.", "27 BC"),
        ("How high is it?", "In 1911 it was 3,776 metres high.", "3,776 metres"),
        ("How many people came?", "On 4 May 1911 about 900 people came.", "900 people"),
        ("Who designed it?", "In May the hall was designed by Ines Corran.", "Ines Corran"),
        ("In which city did Ada live?", "Ada Byron lived in Aldis.", "Aldis"),
        ("Which two people built it?", "Harrow and Rook built it.", "Harrow and Rook"),
        ("How many?", "Nobody counted.", ""),
    ],
)
def test_the_answer_is_of_the_kind_that_is_asked_for(question: str, sentence: str, answer: str) -> None:
    assert answer_in(question, sentence, kind_of(question), question) == answer


@given(some.text(max_size=40), some.lists(some.tuples(some.text(max_size=20), some.text(max_size=80)), max_size=3))
def test_no_text_makes_reading_fail_and_no_chain_is_endless(question: str, passages: list[tuple[str, str]]) -> None:
    reading = Reading(question, passages)
    chain = reading.chain()
    assert len(chain) == len(set(chain)) <= 4
    assert isinstance(reading.answer(chain), str)
