"""Plans, last words and arithmetic: what is read of them, and that no text makes them fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from alto_lg.apps.llmcompiler import parsing
from alto_lg.apps.llmcompiler.calculator import calculated
from alto_lg.apps.llmcompiler.nodes import lines_up_to, ready
from alto_lg.apps.llmcompiler.planning_rules import planned
from alto_lg.apps.llmcompiler.state import Task

_PLAN: list[Task] = [
    {"number": 1, "tool": "look_up", "argument": "Who?"},
    {"number": 3, "tool": "look_up", "argument": "When was $1 born, ${1} or $9?"},
    {"number": 4, "tool": "calculate", "argument": "$3 - $1"},
]


@pytest.mark.parametrize(
    ("line", "tool", "argument"),
    [
        ('1. look_up("Who was it?")', "look_up", "Who was it?"),
        ("  2) look_up('Who was it?')  ", "look_up", "Who was it?"),
        ("3. calculate(($1 + $2) / 2)", "calculate", "($1 + $2) / 2"),
        ('4.look_up ( "two  spaces" )', "look_up", "two spaces"),
        ('5. look_up("Who wrote "Faust"?")', "look_up", 'Who wrote "Faust"?'),
        ("6. nothing()", "nothing", ""),
    ],
)
def test_a_line_is_a_number_a_tool_and_one_text(line: str, tool: str, argument: str) -> None:
    task = parsing.task_of(line, [])
    assert task is not None
    assert (task["tool"], task["argument"]) == (tool, argument)


@pytest.mark.parametrize("line", ["", "Thought: look_up it is", "1. look_up", 'look_up("x")', "1. join()", "join()"])
def test_any_other_line_is_no_task(line: str) -> None:
    assert parsing.task_of(line, []) is None


def test_a_plan_ends_with_join_and_takes_each_number_once_and_upwards() -> None:
    text = '1. a("x")\n3. b("y")\n2. c("z")\n3. d("w")\nJOIN()\n4. e("v")'
    assert [(task["number"], task["tool"]) for task in parsing.tasks_of(text, [])] == [(1, "a"), (3, "b")]
    assert [task["number"] for task in parsing.tasks_of('3. again("x")\n5. f("u")', _PLAN)] == [1, 3, 4, 5]


def test_no_plan_has_more_tasks_than_the_bound() -> None:
    text = "\n".join(f'{number}. look_up("x")' for number in range(1, 100))
    assert len(parsing.tasks_of(text, [])) == parsing.TASKS_MAX


def test_a_task_needs_each_earlier_task_that_it_names_once() -> None:
    assert [parsing.needs(task, _PLAN) for task in _PLAN] == [[], [1], [3, 1]]


def test_only_results_that_are_there_are_filled_in() -> None:
    assert parsing.filled_in("$1 of ${1}, $2, $12", {1: "A"}) == "A of A, $2, $12"


def test_a_task_can_be_called_when_all_that_it_needs_is_there() -> None:
    assert [call["number"] for call in ready(1, _PLAN, [])] == [1]
    done = {"number": 1, "tool": "look_up", "argument": "Who?", "result": "Ada"}
    (call,) = ready(2, _PLAN, [done])  # type: ignore[list-item]
    assert call == {"round": 2, "number": 3, "tool": "look_up", "argument": "When was Ada born, Ada or $9?"}


@given(some.text(alphabet=some.sampled_from("ab $1{}()\".,'\t\r\x0b\x1c\u2028"), max_size=30))
def test_a_task_reads_as_itself_again_from_the_lines_of_its_plan(argument: str) -> None:
    """The packets of the streaming graph hold lines, those of the flat one what was read of them."""
    task = parsing.task_of(f"1. look_up({argument})", [])
    if task is not None:
        assert parsing.tasks_of(lines_up_to(task, [task]), []) == [task]


@given(some.text(max_size=60))
def test_no_text_makes_reading_or_calculating_fail(text: str) -> None:
    parsing.tasks_of(text, [])
    answer, missing = parsing.joined(text)
    assert not (answer and missing)
    assert "\n" not in parsing.found(text)
    assert calculated(text)


@pytest.mark.parametrize(
    ("text", "answer", "missing"),
    [
        ("Thought: so.\nAnswer: 54", "54", ""),
        ("Answer: **the Amazon**.", "the Amazon", ""),
        ("Answer: no\nAnswer: yes\nbecause", "yes", ""),
        ("Thought: no.\nReplan: the year ", "", "the year"),
        ("Replan:", "", "nothing was said of what is missing"),
        ("It is\n42.", "42", ""),
        ("", "", ""),
    ],
)
def test_the_last_word_is_an_answer_or_what_is_missing(text: str, answer: str, missing: str) -> None:
    assert parsing.joined(text) == (answer, missing)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1937 - 1883", "54"),
        ("3,776 metres - 348 metres", "3428"),
        ("9.2 million square kilometres / 2", "4600000"),
        ("0.1 + 0.2", "0.30"),
        ("(1 + 2) × 3 ÷ -2", "-4.50"),
        ("6400 kilometres / 80 kilometres", "80"),
        ("1 / (2 - 2)", "error: '1 / (2 - 2)' divides by zero"),
        ("unknown - 4", "error: 'unknown - 4' is no expression of numbers, + - * / and brackets"),
        ("2 ** 999999999", "error: '2 ** 999999999' is no expression of numbers, + - * / and brackets"),
        ("__import__('os')", "error: \"__import__('os')\" is no expression of numbers, + - * / and brackets"),
        ("1e999 + 1", "error: '1e999 + 1' is no expression of numbers, + - * / and brackets"),
        ("1e300 * 1e300 / 7", "error: '1e300 * 1e300 / 7' is no expression of numbers, + - * / and brackets"),
    ],
)
def test_an_expression_comes_to_a_number_or_to_a_reason(expression: str, result: str) -> None:
    assert calculated(expression) == result


@pytest.mark.parametrize("expression", ["(" * 200 + "1" + ")" * 200, "1 + " * 70 + "1", "-" * 200 + "1", "9" * 301])
def test_an_expression_that_is_too_much_is_refused(expression: str) -> None:
    assert calculated(expression).startswith("error: ")


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        (
            "How many years passed between the birth of the painter of The Last Supper and the death of Mozart?",
            [
                '1. look_up("Who was the painter of The Last Supper?")',
                '2. look_up("In which year was $1 born?")',
                '3. look_up("In which year did Mozart die?")',
                '4. calculate("$3 - $2")',
            ],
        ),
        (
            "Which opened first, the Globe or the Eiffel Tower?",
            [
                '1. look_up("In which year did the Globe open?")',
                '2. look_up("In which year did the Eiffel Tower open?")',
            ],
        ),
        ("Who was Ada?", ['1. look_up("Who was Ada?")']),
    ],
)
def test_the_rules_plan_what_can_be_looked_up_by_itself(question: str, lines: list[str]) -> None:
    assert planned(question).lines == lines
