"""Outputs of GPT models in the published runs of WikiChat, and the row of a turn that is made of them.

The row: 2 queries of 17 tokens, 7 facts of 25, 20 passages with 86 tokens of statements each, a draft and a better turn
of 120. None of them has a recorded variation; the rules take 0.30, which verdicts within one request have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alto_lg.apps.recorded import Recorded
from alto_lg.apps.wikichat import prompts

RECORDED: Mapping[str, Recorded] = {
    "make_queries": Recorded(34, None, "queries of published runs, without the marks around them"),
    "recall": Recorded(175, None, "row: 7 facts of 25; published runs have 0 to 12 of 24"),
    "rerank, 20 passages": Recorded(68, None, "estimate for a JSON list"),
    "rerank, 10 passages": Recorded(38, None, "estimate for a JSON list"),
    "filter": Recorded(86, None, "statements of published runs, 10 to 155"),
    "filter, nothing": Recorded(10, None, "published runs"),
    "draft": Recorded(120, None, "estimate"),
    "refine": Recorded(120, None, "estimate"),
}
_STAGES = {
    prompts.QUERIES_SYSTEM: "make_queries",
    prompts.RECALL_SYSTEM: "recall",
    prompts.RERANK_SYSTEM: "rerank",
    prompts.FILTER_SYSTEM: "filter",
    prompts.DRAFT_SYSTEM: "draft",
    prompts.REFINE_SYSTEM: "refine",
}


def stage_of(messages: Sequence[Mapping[str, str]], answer: str) -> str:
    """The stage that sent a prompt, with what its length depends on most."""
    stage = _STAGES[messages[0]["content"]]
    if stage == "rerank":
        return f"rerank, {answer.count(',') + 1} passages"
    if stage == "filter" and answer.startswith("None"):
        return "filter, nothing"
    return stage
