"""How many puzzles were solved. An answer is checked by arithmetic, against the numbers of its request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import Any

from alto_lg.apps.base import Request
from alto_lg.apps.tot.arithmetic import is_solution, numbers_in
from alto_lg.apps.tot.parsing import answer_of
from alto_lg.apps.tot.puzzles import read_puzzle


def score(requests: Sequence[Request], answers: Sequence[Any]) -> dict[str, float]:
    """Shares of all puzzles: solved by the best thought, and by any that was kept; and the thoughts of one search."""
    results = list(_results(requests, answers))
    return {
        "solved": mean(solved for solved, _ in results) if results else 0.0,
        "solved_by_any_kept": mean(any_solved for _, any_solved in results) if results else 0.0,
        "thoughts": mean(len(answer["thoughts"]) for answer in answers) if answers else 0.0,
    }


def _results(requests: Sequence[Request], answers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[bool, bool]]:
    for request, answer in zip(requests, answers, strict=True):
        numbers = numbers_in(read_puzzle(request.input["puzzle"]))
        kept = [is_solution(answer_of(thought["steps"]), numbers) for thought in answer["kept"]]
        yield is_solution(answer["answer"], numbers), any(kept)
