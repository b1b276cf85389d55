"""The limit of a search, and the score of several."""

from __future__ import annotations

from typing import Any

import pytest

from alto_lg.apps.base import Request, Span
from alto_lg.apps.tot import limit, scoring


def _span(stage: str, item: tuple[int, ...], took_s: float) -> Span:
    return Span(stage, item, 100.0, 100.0 + took_s)


_ONE_STEP = [
    _span("propose", (1, 0), 1.0),
    _span("propose", (1, 1), 3.0),
    _span("value", (1, 0, 0, 0), 0.5),
    _span("value", (1, 1, 0, 1), 2.0),
    _span("select", (1,), 0.25),
]


def test_the_longest_chain_of_a_step_counts() -> None:
    assert limit.limit_s(_ONE_STEP) == pytest.approx(3.0 + 2.0 + 0.25)
    assert limit.first_value_limit_s(_ONE_STEP) == pytest.approx(1.5)


def test_steps_and_the_answer_come_one_after_the_other() -> None:
    second = [_span("propose", (2, 0), 1.0), _span("value", (2, 0, 0, 2), 1.0), _span("select", (2,), 0.5)]
    assert limit.limit_s([*_ONE_STEP, *second, _span("answer", (), 0.125)]) == pytest.approx(5.25 + 2.5 + 0.125)


def test_a_thought_that_is_streamed_is_valued_when_its_line_is_written() -> None:
    written = [_span("thought", (1, 0, 0), 0.25), _span("thought", (1, 1, 0), 0.75)]
    assert limit.limit_s([*_ONE_STEP, *written]) == pytest.approx(3.0 + 0.25), "the proposal itself ends last"
    assert limit.first_value_limit_s([*_ONE_STEP, *written]) == pytest.approx(0.75)


def test_a_call_that_thoughts_share_can_begin_with_the_first_of_them() -> None:
    shared = [
        _span("propose", (1, 0), 1.0),
        _span("propose", (1, 1), 3.0),
        _span("value", (1, 0, 0, 0), 0.0),
        _span("value", (1, 1, 0, 0), 4.0),
    ]
    assert limit.limit_s(shared) == pytest.approx(1.0 + 4.0)


def test_a_step_without_thoughts_takes_as_long_as_its_proposals() -> None:
    assert limit.limit_s([_span("propose", (1, 0), 2.0), _span("select", (1,), 0.5)]) == pytest.approx(2.5)
    assert limit.first_value_limit_s([_span("propose", (1, 0), 2.0)]) is None
    assert limit.limit_s([]) == 0
    assert limit.first_value_limit_s([]) is None


@pytest.mark.parametrize("span", [_span("appraise", (1,), 1.0), _span("value", (1, 2), 1.0)])
def test_a_span_of_another_application_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="is not one of Tree of Thoughts, whose stages are propose, thought, value"):
        limit.limit_s([span])


def _answer(answer: str, *kept: str, thoughts: int = 0) -> dict[str, Any]:
    return {"answer": answer, "kept": [{"steps": f"Answer: {one} = 24"} for one in kept], "thoughts": [{}] * thoughts}


def test_a_search_is_scored_by_arithmetic_and_not_by_what_it_says_of_itself() -> None:
    requests = [Request(str(number), {"puzzle": "4 5 6 10"}) for number in range(4)]
    right, wrong = "(10 - 4) * 5 - 6", "10 - 4 * 5 - 6"
    answers = [
        _answer(right, right, thoughts=80) | {"solved": False},
        _answer(wrong, wrong, right, thoughts=90) | {"solved": True},
        _answer(wrong, wrong, thoughts=10),
        _answer("", thoughts=0),
    ]
    assert scoring.score(requests, answers) == {"solved": 0.25, "solved_by_any_kept": 0.5, "thoughts": 45}


def test_no_search_solves_nothing() -> None:
    assert scoring.score([], []) == {"solved": 0.0, "solved_by_any_kept": 0.0, "thoughts": 0.0}
