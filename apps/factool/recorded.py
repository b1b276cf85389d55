"""Outputs of GPT models in the runs that FacTool was published with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alto_lg.apps.factool import prompts
from alto_lg.apps.recorded import Recorded

RECORDED: Mapping[str, Recorded] = {
    "answer": Recorded(54, None, "50 answers of the knowledge questions; other sets have 93 and 184"),
    "extract": Recorded(58, None, "the same answers as lines of claims"),
    "make_queries": Recorded(20, 0.30, "mean by estimate; variation of 767 outputs"),
    "appraise": Recorded(122, 0.36, "719 verdicts"),
}
_STAGES = {
    prompts.ANSWER_SYSTEM: "answer",
    prompts.EXTRACT_SYSTEM: "extract",
    prompts.QUERIES_SYSTEM: "make_queries",
    prompts.APPRAISE_SYSTEM: "appraise",
}


def stage_of(messages: Sequence[Mapping[str, str]], answer: str) -> str:
    """The stage that sent a prompt."""
    return _STAGES[messages[0]["content"]]
