"""Outputs of GPT-4 in the recorded searches that Tree of Thoughts was published with, 100 puzzles.

Proposals are in the recording. Judgements are not: their mean is what is left of all tokens that were paid for, by the
calls that were made. How they vary is not known; the rules vary them as verdicts within one request do (0.30).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alto_lg.apps.recorded import Recorded
from alto_lg.apps.tot import prompts
from alto_lg.apps.tot.parsing import count_of

_SOURCE = "recorded searches of GPT-4, 100 puzzles"
RECORDED: Mapping[str, Recorded] = {
    "propose, step 1": Recorded(166, None, _SOURCE),
    "propose, step 2": Recorded(101, 0.21, _SOURCE),
    "propose, step 3": Recorded(64, 0.19, _SOURCE),
    "propose, step 4": Recorded(81, 0.57, _SOURCE),
    "value": Recorded(44, None, "all tokens of these searches less the proposals, by calls"),
}


def stage_of(messages: Sequence[Mapping[str, str]], answer: str) -> str:
    """The stage that sent a prompt."""
    system, user = messages[0]["content"], messages[1]["content"]
    if system == prompts.FINISH_SYSTEM:
        return "propose, step 4"
    if system == prompts.PROPOSE_SYSTEM:
        return f"propose, step {5 - count_of(user.rpartition(prompts.LEFT_MARK)[2])}"
    return "value"
