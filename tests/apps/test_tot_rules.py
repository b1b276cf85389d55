"""The model made of rules: it really plays, it makes mistakes, and its texts are as long as those of recorded runs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from statistics import mean, stdev

import pytest

from alto_lg.apps import tokens
from alto_lg.apps.tot import parsing, prompts, rules
from alto_lg.apps.tot.arithmetic import is_solution, numbers_in, value_of
from alto_lg.apps.tot.puzzles import computed_puzzles
from alto_lg.comparisons.sim.tokens import prompt_tokens

_STEPS = "10 - 4 = 6 (left: 5, 6, 6)\n5 * 6 = 30 (left: 6, 30)\n30 - 6 = 24 (left: 24)"


def _reply(messages: Sequence[dict[str, str]] | object, seed: int = 0) -> str:
    found = rules.reply(messages, seed)  # type: ignore[arg-type]
    assert found is not None
    return found


def _right(step: str) -> bool:
    calculation, _, result = step.partition(" (left")[0].partition(" = ")
    return value_of(calculation) == Fraction(result)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "4 5 6 10"}],
        [{"role": "system", "content": "You are a poet."}, {"role": "user", "content": "Numbers: 4, 5, 6, 10"}],
    ],
)
def test_a_prompt_of_another_application_is_left_to_others(messages: list[dict[str, str]]) -> None:
    assert rules.reply(messages, 0) is None


@pytest.mark.parametrize("messages", [prompts.proposing("", "", ""), prompts.finishing("", ""), prompts.valuing("")])
def test_a_prompt_without_numbers_is_answered_all_the_same(messages: Sequence[dict[str, str]]) -> None:
    assert parsing.proposals(_reply(messages), "") == []


def test_a_check_of_what_is_no_expression_finds_it_wrong() -> None:
    assert parsing.verdict(_reply(prompts.checking("4, 5, 6, 10", "4 +"))) == "impossible"


def test_every_line_of_a_proposal_is_a_step_and_most_are_right() -> None:
    steps = []
    for numbers in computed_puzzles()[::4]:
        text = _reply(prompts.proposing(numbers, "", numbers))
        found = parsing.proposals(text, numbers)
        assert len(found) == len(text.splitlines())
        steps += found
    share = mean(map(_right, steps))
    assert 0.9 < share < 0.99, "some mistakes are planted"


def test_a_step_is_sometimes_written_twice() -> None:
    found = [
        parsing.proposals(_reply(prompts.proposing("4, 5, 6, 10", "", "4, 5, 6, 10"), seed), "4, 5, 6, 10")
        for seed in range(40)
    ]
    assert any(len(set(steps)) < len(steps) for steps in found)


def test_the_steps_are_written_as_one_expression() -> None:
    numbers = numbers_in("4, 5, 6, 10")
    answers = [
        parsing.answer_of(line)
        for seed in range(30)
        for line in parsing.proposals(_reply(prompts.finishing("4, 5, 6, 10", _STEPS), seed), "24")
    ]
    solved = mean(is_solution(answer, numbers) for answer in answers)
    assert 0.5 < solved < 0.9, "some answers are spoiled"


def test_steps_that_do_not_fit_together_are_strung_together() -> None:
    text = _reply(prompts.finishing("4, 5, 6, 10", "10 - 4 = 7 (left: 5, 6, 7)\n5 * 8 = 40 (left: 6, 40)"))
    assert parsing.proposals(text, "24")


@pytest.mark.parametrize(
    ("left", "word"),
    [("5, 6, 6", "sure"), ("4, 6", "sure"), ("24", "sure"), ("1, 1, 1", "impossible"), ("7", "impossible")],
)
def test_numbers_are_judged_by_whether_they_come_to_24(left: str, word: str) -> None:
    said = [parsing.verdict(_reply(prompts.valuing(left), seed)) for seed in range(60)]
    assert said.count(word) > 30, "most judgements are right"
    assert None not in said


def test_some_judgements_are_wrong() -> None:
    said = {parsing.verdict(_reply(prompts.valuing("1, 1, 2"), seed)) for seed in range(200)}
    assert said == {"sure", "likely", "impossible"}


@pytest.mark.parametrize(
    ("answer", "word", "told"),
    [
        ("(10 - 4) * 5 - 6", "sure", "It uses 4, 5, 6 and 10, each once."),
        ("(10 - 4) * 5 - 5", "impossible", "It uses 5, which is not there to be used."),
        ("10 - 4 * 5 - 6", "impossible", "It uses 4, 5, 6 and 10, each once."),
    ],
)
def test_an_answer_is_checked_by_its_numbers_and_by_its_result(answer: str, word: str, told: str) -> None:
    texts = [_reply(prompts.checking("4, 5, 6, 10", answer), seed) for seed in range(40)]
    assert all(text.startswith(told) for text in texts)
    assert [parsing.verdict(text) for text in texts].count(word) > 30


def test_what_is_tried_is_worked_out_rightly() -> None:
    for seed in range(20):
        *tries, word = _reply(prompts.valuing("3, 7, 9"), seed).splitlines()
        sums = [line.split(" = ") for line in tries if " = " in line]
        assert word == "sure" or all(value_of(one) == Fraction(result) for one, result in sums)


def test_a_reply_depends_on_the_prompt_and_the_seed_only() -> None:
    messages = prompts.valuing("3, 7, 9")
    assert rules.reply(messages, 4) == rules.reply(messages, 4)
    assert len({rules.reply(messages, seed) for seed in range(20)}) > 1


def test_values_are_as_long_as_those_of_recorded_runs() -> None:
    lengths = [
        tokens.count(_reply(prompts.valuing(", ".join(numbers.split(", ")[1:])))) for numbers in computed_puzzles()
    ]
    assert 38 < mean(lengths) < 52
    assert 0.15 < stdev(lengths) / mean(lengths) < 0.4


@pytest.mark.parametrize(
    ("messages", "recorded"),
    [
        (prompts.proposing("4, 5, 6, 10", "", "4, 5, 6, 10"), 161),
        (prompts.finishing("4, 5, 6, 10", _STEPS), 424),
        (prompts.valuing("5, 6, 6"), 357),
        (prompts.checking("4, 5, 6, 10", "(10 - 4) * 5 - 6"), 279),
    ],
)
def test_prompts_are_about_as_long_as_those_of_the_original(messages: Sequence[dict[str, str]], recorded: int) -> None:
    assert 0.8 * recorded < len(prompt_tokens(messages)) < 1.7 * recorded
