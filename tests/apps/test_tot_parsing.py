"""Reading what a model wrote: steps, answers and judgements, in the forms in which models write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg import split
from alto_lg.apps.tot import parsing

_STEP = "10 - 4 = 6 (left: 5, 6, 6)"


@pytest.mark.parametrize(
    "line",
    [
        "10 - 4 = 6 (left: 5, 6, 6)",
        "1. 10 - 4 = 6 (left: 5, 6, 6)",
        "12) 10 - 4 = 6 (left: 6 5 6)",
        "- 10 − 4 = 6 (numbers left: 6, 6 and 5)",
        "* **10-4=6** (left: 5, 6, 6)",
        "  10 - 4 = 6 [Left: 5 6 6].",
        "10 - 4 = 6 (left: 5, 6, 6)\r",
        "10 - 4 = 6 (left: 5, 6, 6.)",
    ],
)
def test_a_step_is_read_however_it_is_written(line: str) -> None:
    assert parsing.proposal(line, "4, 5, 6, 10") == _STEP


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Here are some steps:",
        "10 - 4 = 6",
        "10 - 4 (left: 5, 6, 6)",
        "10 - 4 = 6 (left: 5, 6)",
        "10 - 4 = 6 (left: 4, 5, 6, 10)",
        "10 ** 4 = 6 (left: 5, 6, 6)",
        "10 - 4 = six (left: 5, 6, 6)",
        "1/0 - 4 = 6 (left: 5, 6, 6)",
        "10 - 4 = 6 (left: 5, 6, 6) and then 5 + 6",
        "Answer: (10 - 4) * 5 - 6 = 24",
    ],
)
def test_a_line_that_is_no_step_for_these_numbers_is_left_out(line: str) -> None:
    assert parsing.proposal(line, "4, 5, 6, 10") == ""


def test_a_wrong_step_is_a_step() -> None:
    found = parsing.proposal("10 - 4 = 7 (left: 5, 6, 7)", "4, 5, 6, 10")
    assert parsing.left_after(found) == "5, 6, 7"


@pytest.mark.parametrize(
    "line",
    [
        "Answer: (10 - 4) * 5 - 6 = 24",
        "1. answer: (10 − 4) × 5 - 6 = 24.",
        "**Answer:** (10 - 4)  *  5 - 6 = 24",
    ],
)
def test_an_answer_is_read_when_one_number_is_left(line: str) -> None:
    found = parsing.proposal(line, "24")
    assert found == "Answer: (10 - 4) * 5 - 6 = 24"
    assert parsing.answer_of(f"1 + 23 = 24 (left: 24)\n{found}") == "(10 - 4) * 5 - 6"


@pytest.mark.parametrize("line", ["Answer: 24", "(10 - 4) * 5 - 6 = 24", "Answer: x * 5 = 24", "Answer:  = 24"])
def test_anything_else_is_no_answer(line: str) -> None:
    assert parsing.proposal(line, "24") == ""


def test_what_is_left_is_what_the_last_step_says() -> None:
    assert parsing.left_after("10 - 4 = 6 (left: 5, 6, 6)\n6 * 5 = 30 (left: 6, 30)") == "6, 30"
    assert parsing.left_after("30 - 6 = 24 (left: 24)\nAnswer: (10 - 4) * 5 - 6 = 24") == ""
    assert parsing.left_after("") == ""


def test_steps_without_an_answer_have_none() -> None:
    assert parsing.answer_of("10 - 4 = 6 (left: 5, 6, 6)") == ""
    assert parsing.answer_of("") == ""


@pytest.mark.parametrize(
    "head", ["", "Answer", "Answer:", "Answer: (", "1. 10 - 4 = 6 (left:", "10 - 4 = 6", "10 - 4 = 6 (left: 5,"]
)
@pytest.mark.parametrize("filling", [" ", "*", ":", "1", "(", "-", "\t ", "1 ", "= "])
def test_a_long_line_that_is_nothing_is_found_out_before_the_test_s_time_is_over(head: str, filling: str) -> None:
    line = head + filling * 20_000
    assert parsing.proposal(line, "24") == parsing.proposal(line, "4, 5, 6, 10") == ""


_LINES = st.sampled_from(
    ["10 - 4 = 6 (left: 5, 6, 6)", "2. 4 + 5 = 9 (left: 6, 9, 10)", "Some prose.", "", "6 / 4 = 3/2 (left: 3/2, 5, 10)"]
)
_PROSE = st.lists(_LINES | st.text(max_size=12), max_size=6)


@given(lines=_PROSE, cuts=st.lists(st.integers(1, 9), max_size=30), ending=st.sampled_from(["\n", "\r\n"]))
def test_lines_read_while_they_are_written_give_what_the_whole_text_gives(
    lines: list[str], cuts: list[int], ending: str
) -> None:
    text = ending.join(lines)
    pieces, start = [], 0
    for size in cuts:
        pieces.append(text[start : start + size])
        start += size
    read = [parsing.proposal(line, "4, 5, 6, 10") for line in split.lines(iter([*pieces, text[start:]]))]
    assert [found for found in read if found] == parsing.proposals(text, "4, 5, 6, 10")


@given(
    st.text(alphabet="0123456789+-*/=().,: leftLEFTanswerANSWER\n", max_size=60), st.sampled_from(["24", "4, 6", ""])
)
def test_no_text_makes_reading_fail(text: str, left: str) -> None:
    for found in parsing.proposals(text, left):
        assert parsing.left_after(found) or parsing.answer_of(found), "what stands for nothing must not be proposed"
        assert parsing.proposals(found, left) == [found], "what has been read is written as it is read"
    assert parsing.value([text, text]) >= 0


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("5 + 6 = 11\nimpossible", "impossible"),
        ("It is likely at first.\nSure.", "sure"),
        ("**LIKELY**", "likely"),
        ("I am unsure, surely, unlikely.", None),
        ("", None),
    ],
)
def test_the_last_judgement_counts(text: str, verdict: str | None) -> None:
    assert parsing.verdict(text) == verdict


def test_the_value_is_the_sum_of_what_the_samples_are_worth() -> None:
    assert parsing.value(["sure", "likely", "impossible"]) == pytest.approx(21.001)
    assert parsing.value(["sure", "no judgement", "sure"]) == 40
    assert parsing.value([]) == 0


def test_numbers_are_listed_in_one_way_whatever_their_order() -> None:
    assert parsing.listed("10, 8/3 and 5") == parsing.listed("5 10 8/3") == "8/3, 5, 10"
