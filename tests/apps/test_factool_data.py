"""The corpus and the questions that are shipped: complete, well formed, and of the size that was measured."""

from __future__ import annotations

from collections import Counter

from alto_lg.adapters.bm25 import BM25Index, terms
from alto_lg.apps import text
from alto_lg.apps.corpus import shipped_corpus
from alto_lg.apps.factool.inputs import read_questions


def test_there_are_at_least_two_hundred_passages_with_different_ids_titles_and_texts() -> None:
    corpus = shipped_corpus()
    assert len(corpus) >= 200
    for key in ("id", "title", "text"):
        assert max(Counter(passage[key] for passage in corpus).values()) == 1  # type: ignore[literal-required]


def test_a_passage_is_one_to_four_sentences_of_fifteen_to_seventy_words() -> None:
    for passage in shipped_corpus():
        assert 1 <= len(text.sentences(passage["text"])) <= 4, passage["id"]
        assert 15 <= len(passage["text"].split()) <= 70, passage["id"]


def test_there_are_at_least_forty_questions_and_no_two_are_the_same() -> None:
    requests = read_questions(None)
    assert len(requests) >= 40
    assert len({request.input["question"] for request in requests}) == len(requests)


def test_every_answer_has_four_to_eleven_labelled_claims_one_a_sentence() -> None:
    for request in read_questions(None):
        sentences = text.sentences(str(request.input["reference"]))
        assert len(sentences) == len(request.labels["claims"]), request.id
        assert 4 <= len(sentences) <= 11, request.id


def test_there_are_right_answers_and_wrong_ones_and_most_claims_are_right() -> None:
    requests = read_questions(None)
    right = [request for request in requests if all(claim["label"] for claim in request.labels["claims"])]
    labels = [claim["label"] for request in requests for claim in request.labels["claims"]]
    assert 10 <= len(right) <= len(requests) - 10
    assert 0.15 < labels.count(False) / len(labels) < 0.4


def test_every_claim_can_be_looked_up_in_a_passage_on_the_subject_of_its_question() -> None:
    corpus = shipped_corpus()
    index = BM25Index([f"{passage['title']}. {passage['text']}" for passage in corpus])
    for request in read_questions(None):
        for claim in request.labels["claims"]:
            found = [corpus[place]["id"].rpartition("-")[0] for place in index.search(claim["claim"], 3)]
            assert request.id in found, claim


def test_every_name_and_number_of_a_right_claim_is_in_the_passages_on_its_subject() -> None:
    for request in read_questions(None):
        about = [p for p in shipped_corpus() if p["id"].rpartition("-")[0] == request.id]
        told = " ".join(f"{passage['title']} {passage['text']}" for passage in about)
        for claim in (claim["claim"] for claim in request.labels["claims"] if claim["label"]):
            assert set(text.numbers(claim)) <= set(text.numbers(told)), claim
            names = {stem for word in text.words(claim)[1:] if text.is_name(word) for stem in terms(word)}
            assert names <= set(terms(told)), claim
