"""The model made of rules: each of its tasks, done on the text of the prompt."""

from __future__ import annotations

import inspect
import json
from statistics import mean, stdev

import pytest

from alto_lg.adapters.bm25 import terms
from alto_lg.apps.corpus import Passage
from alto_lg.apps.lengths import token_count
from alto_lg.apps.wikichat import parsing, prompts, rules
from alto_lg.apps.wikichat.inputs import read_passages, read_turns
from alto_lg.apps.wikichat.state import Note

_BRIDGE: Passage = {
    "id": "b",
    "title": "The Old Bridge",
    "text": "The Old Bridge at Carrow opened in May 1841. John Sands built it of granite. It has nine arches.",
}
_WOOD: Passage = {"id": "w", "title": "Carrow Wood", "text": "Carrow Wood is an oak wood. It is open to walkers."}


def _said(messages: list[dict[str, str]], seed: int = 0) -> str:
    said = rules.reply(messages, seed)
    assert said is not None
    return said


def _dialogue(question: str, *earlier: tuple[str, str]) -> str:
    return prompts.dialogue_of([{"user": user, "agent": agent} for user, agent in earlier], question)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "hello"}],
        [{"role": "system", "content": "You are a poet."}, {"role": "user", "content": "Conversation:\nUser: Hi"}],
    ],
)
def test_a_prompt_of_another_application_is_left_to_others(messages: list[dict[str, str]]) -> None:
    assert rules.reply(messages, 0) is None


@pytest.mark.parametrize(
    ("dialogue", "queries"),
    [
        (_dialogue("Who was Ada Lovelace?"), ["Ada Lovelace"]),
        (_dialogue("How did Mozart and Beethoven die?"), ["Mozart die", "Beethoven die"]),
        (_dialogue("And when was he born?", ("Who was Mozart?", "A composer.")), ["Mozart born", "Mozart"]),
        (_dialogue("Good morning!"), []),
        (_dialogue("Thank you, that was nice.", ("Who was Mozart?", "A composer.")), []),
        (_dialogue("What do whales eat?"), ["whales eat", "eat whales"]),
    ],
)
def test_queries_name_what_is_asked_about(dialogue: str, queries: list[str]) -> None:
    written = parsing.queries(_said(prompts.querying(dialogue)))
    assert len(written) == len(queries)
    for query, named in zip(written, queries, strict=True):
        assert set(terms(named)) <= set(terms(query))


def test_small_talk_recalls_nothing() -> None:
    assert parsing.facts(_said(prompts.recalling(_dialogue("Hello there!")))) == []


def test_what_is_recalled_is_on_every_subject_and_not_all_of_it_is_right() -> None:
    facts = parsing.facts(_said(prompts.recalling(_dialogue("What do you know about Jupiter, Apollo 11 and Newton?"))))
    assert all(any(name in fact for fact in facts) for name in ("Jupiter", "Apollo", "Newton"))
    known = " ".join(passage["text"] for passage in read_passages(None))
    turns = [prompts.dialogue_of([], str(request.input["question"])) for request in read_turns(None)]
    recalled = {fact for dialogue in turns for fact in parsing.facts(_said(prompts.recalling(dialogue)))}
    numbers = {word for fact in recalled for word in fact.split() if word.isdigit()}
    assert 0 < len(numbers - set(known.replace(".", " ").replace(",", " ").split())) < len(numbers) / 2


def test_passages_are_ordered_by_the_rare_words_of_the_query() -> None:
    other: Passage = {**_WOOD, "title": "Carrow", "text": "Carrow has a bridge."}
    order = json.loads(_said(prompts.reranking("old bridge Carrow builder", [_WOOD, other, _BRIDGE])))
    assert order == ["3", "2", "1"]


def test_equal_passages_keep_their_order() -> None:
    assert parsing.ranking(_said(prompts.reranking("whales", [_WOOD, _WOOD, _BRIDGE])), 3, 3) == [0, 1, 2]


def test_a_passage_about_something_else_has_no_points() -> None:
    assert parsing.points(_said(prompts.filtering(_dialogue("Who built the Old Bridge?"), _WOOD))) == []


def test_points_stand_alone_and_say_what_the_passage_says() -> None:
    points = parsing.points(_said(prompts.filtering(_dialogue("Who built the Old Bridge?"), _BRIDGE), seed=3))
    assert points
    allowed = set(_BRIDGE["text"].replace(".", "").split()) | {"Sands"}
    assert all(set(point.replace(".", "").split()) <= allowed for point in points)
    assert not any(point.startswith("It ") for point in points)


def _note(passage: Passage, *points: str) -> Note:
    return {"place": [0, 0, 0], "passage": passage, "points": list(points)}


def test_a_draft_cites_the_note_of_each_statement_and_says_nothing_twice() -> None:
    notes = [_note(_BRIDGE, "The Old Bridge opened in 1841."), _note(_WOOD, "The Old Bridge opened in 1841.", "Oaks.")]
    draft = _said(prompts.drafting(_dialogue("When did the Old Bridge open?"), notes))
    assert draft == "The Old Bridge opened in 1841 [1]. Oaks [2]."


def test_without_notes_nothing_is_made_up() -> None:
    assert "could not find" in _said(prompts.drafting(_dialogue("Who was Ada Lovelace?"), []))
    assert "could not find" not in _said(prompts.drafting(_dialogue("Thank you!"), []))


def test_refining_mends_the_four_faults() -> None:
    draft = "Ada sang [1]. It rained. Bees are loud [2]. Ada danced [1]. Ada sang [1]. Ada laughed [3]."
    mended = "Ada sang. Ada danced [1]. Ada laughed [3]. Bees are loud [2]."
    assert _said(prompts.refining(_dialogue("Who?"), draft)) == mended


def test_a_reply_depends_on_the_prompt_and_the_seed_only() -> None:
    messages = prompts.filtering(_dialogue("What is known about Jupiter?"), read_passages(None)[95])
    assert _said(messages, 4) == _said(messages, 4)
    messages = prompts.recalling(_dialogue("What is known about Jupiter and Newton?"))
    assert len({_said(messages, seed) for seed in range(20)}) > 1


def test_the_lengths_are_those_of_recorded_runs() -> None:
    """Points: 86 tokens, from 10 to 155; facts: 12 at most. Small subjects hold less than could be said of them."""
    lengths = []
    for passage in read_passages(None)[::2]:
        subject = passage["id"].rpartition("-")[0].replace("-", " ").title()
        points = _said(prompts.filtering(_dialogue(f"Tell me about {subject}."), passage))
        lengths += [token_count(points)] if not points.startswith("None") else []
    assert len(lengths) > 50
    assert 65 < mean(lengths) < 100
    assert 0.2 < stdev(lengths) / mean(lengths) < 0.45
    assert max(lengths) <= 170


def test_the_prompts_are_constant_and_as_long_as_prompts_with_examples_are() -> None:
    assert token_count(prompts.QUERIES_SYSTEM) > 500
    assert token_count(prompts.RECALL_SYSTEM) > 800
    assert token_count(prompts.FILTER_SYSTEM) > 1000
    first, second = prompts.querying("User: a"), prompts.querying("User: b")
    assert first[0] == second[0]


def test_no_example_of_a_prompt_is_in_the_corpus() -> None:
    told = " ".join(passage["text"] for passage in read_passages(None))
    assert not any(name in told for name in ("Carrow", "Ennor", "Port Aldis", "Tamsin Rook", "Orrin", "Brass Comet"))


def test_no_rule_reads_a_label() -> None:
    source = inspect.getsource(rules)
    assert '"subjects"' not in source
    assert ".labels" not in source
