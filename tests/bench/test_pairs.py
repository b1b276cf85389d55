"""Both sides take turns, A B B A, and a difference between their results ends the measurement."""

from __future__ import annotations

from typing import Any

import pytest

from bench.case import Sides, UnequalResults
from bench.function_case import FunctionCase
from bench.pairs import PAIRS_MIN, Pairs, drive, measure


def _noting(order: list[str], results: dict[str, Any]) -> Sides:
    def side(name: str) -> Any:
        order.append(name)
        return results[name]

    return Sides(lambda: side("plain"), lambda: side("ours"))


def test_the_sides_take_turns_at_being_first() -> None:
    order: list[str] = []
    pairs = Pairs("a case", _noting(order, {"plain": 1, "ours": 1}))
    drive(pairs, 4)
    assert order == ["plain", "ours", "ours", "plain"] * 2
    assert len(pairs.plain) == len(pairs.ours) == 4


@pytest.mark.parametrize("count", [1, 2])
def test_a_difference_between_the_sides_is_named_with_its_place_whichever_was_first(count: int) -> None:
    results = {"plain": {"found": [1, 2]}, "ours": {"found": [1, 2]}}
    pairs = Pairs("a case", _noting([], results))
    drive(pairs, count - 1)
    results["ours"] = {"found": [1, 3]}
    with pytest.raises(UnequalResults, match=r"a case: .*at \$\.found\[1\], LangGraph 2, accelerated 3"):
        drive(pairs, 1)


def test_however_long_a_run_takes_there_are_enough_pairs_and_the_first_two_are_not_counted() -> None:
    order: list[str] = []
    case = FunctionCase("a case", lambda: _noting(order, {"plain": 1, "ours": 1}))
    pairs = measure(case, seconds=1e-9)
    assert len(pairs.ours) == PAIRS_MIN
    assert order.count("ours") == PAIRS_MIN + 2
