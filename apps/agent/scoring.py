"""How many of the labelled years and measures the agent's answers name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from alto_lg.apps.base import Request


def score(requests: Sequence[Request], answers: Sequence[Any]) -> dict[str, float]:
    """The share of the labelled numbers that stand in the answers, and how many tools were called in a turn."""
    years, measures = list[bool](), list[bool]()
    for request, answer in zip(requests, answers, strict=True):
        if "years" in request.labels:
            years.append(_stands(f"{request.labels['years']} years", answer["answer"]))
        if "measure" in request.labels:
            measures.append(_stands(request.labels["measure"], answer["answer"]))
    turns = [len(turn) for answer in answers for turn in answer["turns"]]
    return {
        **({"years_right": sum(years) / len(years)} if years else {}),
        **({"measures_right": sum(measures) / len(measures)} if measures else {}),
        "calls_a_turn": sum(turns) / len(turns) if turns else 0.0,
    }


def _stands(wanted: str, said: str) -> bool:
    return re.search(rf"(?<![\d,.]){re.escape(wanted)}", said) is not None
