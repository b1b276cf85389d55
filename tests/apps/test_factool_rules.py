"""The model made of rules: each of its tasks, done on the text of the prompt."""

from __future__ import annotations

import inspect
import json
from statistics import mean, stdev

import pytest

from alto_lg.apps import subjects, text
from alto_lg.apps.corpus import Passage, shipped_corpus
from alto_lg.apps.factool import judging, parsing, prompts, rules
from alto_lg.apps.factool.inputs import read_questions
from alto_lg.apps.lengths import token_count

_BRIDGE: Passage = {
    "id": "b",
    "title": "The Old Bridge",
    "text": "The Old Bridge at Carrow opened in May 1841. John Sands built it of granite. It has nine arches.",
}


def _judged(claim: str, *evidence: Passage) -> bool | None:
    reply = rules.reply(prompts.appraising(claim, evidence), 0)
    assert reply is not None
    factual = json.loads(reply)["factuality"]
    assert factual in (True, False, None)
    return bool(factual) if factual is not None else None


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "hello"}],
        [{"role": "system", "content": "You are a poet."}, {"role": "user", "content": "Claim: Bees fly."}],
    ],
)
def test_a_prompt_of_another_application_is_left_to_others(messages: list[dict[str, str]]) -> None:
    assert rules.reply(messages, 0) is None


def test_a_reference_is_restated_word_for_word() -> None:
    assert rules.reply(prompts.answering("Who?", "Ada did it. In 1901."), 0) == "Ada did it. In 1901."


def test_a_shipped_question_gets_its_shipped_answer_however_it_is_punctuated() -> None:
    request = read_questions(None)[3]
    asked = str(request.input["question"]).rstrip("?.").upper()
    assert rules.reply(prompts.answering(asked, None), 0) == request.input["reference"]


def test_an_unknown_question_is_answered_from_the_corpus() -> None:
    reply = rules.reply(prompts.answering("How many locks lift ships to Gatun Lake?", None), 0)
    assert reply is not None
    assert "Gatun Lake" in reply


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("Ada Lee was born in Rome. She moved to Oslo.", ["Ada Lee was born in Rome.", "Ada Lee moved to Oslo."]),
        ("The Nile is long. Its delta is wide.", ["The Nile is long.", "The Nile's delta is wide."]),
        ("Ada Lee sang. In 1901, she left.", ["Ada Lee sang.", "In 1901, Ada Lee left."]),
        ("Dr. J. R. Poe lived at St. Ives. He wrote.", ["Dr. J. R. Poe lived at St. Ives.", "Dr. J. R. Poe wrote."]),
        ("Is it so? The Moon is round.", ["The Moon is round."]),
        ("", []),
    ],
)
def test_claims_stand_alone(answer: str, claims: list[str]) -> None:
    reply = rules.reply(prompts.extracting(answer), 0)
    assert reply is not None
    assert parsing.claims(reply) == claims


def test_a_sentence_with_no_subject_before_it_is_left_as_it_is() -> None:
    assert list(subjects.standing_alone(["It rained."])) == ["It rained."]


def test_two_different_queries_are_written_and_the_second_holds_every_content_word() -> None:
    claim = "Edmond Halley paid for the printing of the Principia in 1687."
    reply = rules.reply(prompts.querying(claim), 0)
    assert reply is not None
    short, long = parsing.queries(reply, claim)
    assert "Halley" in short
    assert len(short) < len(long)
    assert all(word in long for word in ("Halley", "printing", "Principia", "1687"))


@pytest.mark.parametrize(
    ("claim", "factual"),
    [
        ("The Old Bridge opened in May 1841.", True),
        ("The Old Bridge opened in May 1847.", False),
        ("John Sands built the Old Bridge.", True),
        ("Peter Marsh built the Old Bridge.", False),
        ("The Old Bridge has nine arches.", True),
        ("The Old Bridge has 9 arches.", True),
        ("The Old Bridge has twelve arches.", False),
        ("The Old Bridge is at Norwood and opened in 1841.", False),
        ("Whales sing in winter near Iceland.", None),
    ],
)
def test_a_claim_is_judged_by_its_names_and_numbers(claim: str, factual: bool | None) -> None:
    assert _judged(claim, _BRIDGE) is factual


def test_without_evidence_nothing_is_decided() -> None:
    assert _judged("The Old Bridge opened in May 1841.") is None


def test_the_same_claim_is_judged_by_the_evidence_and_not_by_knowledge() -> None:
    other: Passage = {**_BRIDGE, "text": _BRIDGE["text"].replace("1841", "1847")}
    assert _judged("The Old Bridge opened in May 1847.", other) is True


def test_a_false_claim_comes_with_its_error_and_the_sentence_that_corrects_it() -> None:
    reply = rules.reply(prompts.appraising("The Old Bridge opened in May 1847.", [_BRIDGE]), 0)
    read = parsing.appraisal(reply or "")
    assert "1847" in (read.error or "")
    assert read.correction == "The Old Bridge at Carrow opened in May 1841."


def test_a_reply_depends_on_the_prompt_and_the_seed_only() -> None:
    messages = prompts.appraising("The Old Bridge opened in May 1847.", shipped_corpus()[:3])
    assert rules.reply(messages, 4) == rules.reply(messages, 4)
    assert len({rules.reply(messages, seed) for seed in range(20)}) > 1


def test_the_lengths_of_verdicts_vary_as_in_the_recorded_runs() -> None:
    passages = shipped_corpus()
    lengths = [
        token_count(rules.reply(prompts.appraising(one["text"].split(". ")[0], passages[i : i + 3]), 0) or "")
        for i, one in enumerate(passages[:200])
    ]
    assert 100 < mean(lengths) < 140
    assert 0.25 < stdev(lengths) / mean(lengths) < 0.45
    assert max(lengths) <= 424


def test_no_rule_reads_a_label() -> None:
    source = "".join(inspect.getsource(module) for module in (rules, judging, subjects, text))
    assert '"label' not in source
    assert ".labels" not in source
