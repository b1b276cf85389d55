"""The shortest time that one request could have taken, given how long its pieces took.

True data dependencies: a turn begins when all tools of the turn before have ended; each tool needs its own call, whole,
and nothing else of the answer. Where a model does not stream, a call is whole with the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.apps.agent.prompts import ABOUT
from alto_lg.apps.agent.recording import CALL, MODEL
from alto_lg.apps.base import Span


@dataclass(frozen=True, slots=True)
class Turn:
    """An answer of the model, and the tools that it called.

    tools: their names. tools_s: how long each took. whole_s: from the start of the answer until its call was whole.
    """

    model_s: float
    tools: tuple[str, ...]
    tools_s: tuple[float, ...]
    whole_s: tuple[float, ...]

    @property
    def limit_s(self) -> float:
        """Each tool begins when its call is whole."""
        return max(self.model_s, *(self.ends_s or (0.0,)))

    @property
    def in_supersteps_s(self) -> float:
        """All tools begin when the answer has ended."""
        return self.model_s + max(self.tools_s, default=0.0)

    @property
    def ends_s(self) -> tuple[float, ...]:
        """Seconds from the start of the answer to the end of each tool."""
        return tuple(whole + took for whole, took in zip(self.whole_s, self.tools_s, strict=True))


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    return sum(turn.limit_s for turn in turns_of(spans))


def first_result_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds along the path of the tool whose result could be there first; None where no tool was called."""
    before_s = 0.0
    for turn in turns_of(spans):
        if turn.ends_s:
            return before_s + min(turn.ends_s)
        before_s += turn.limit_s
    return None


def in_supersteps_s(spans: Sequence[Span]) -> float:
    """Seconds that LangGraph's steps take."""
    return sum(turn.in_supersteps_s for turn in turns_of(spans))


def turns_of(spans: Sequence[Span]) -> list[Turn]:
    """The turns of a request; a tool belongs to the answer that had begun last when it did."""
    answers = sorted((span for span in spans if span.stage == MODEL), key=lambda span: span.started)
    ends = [*(span.started for span in answers[1:]), float("inf")]
    return [_turn(answer, end, spans) for answer, end in zip(answers, ends, strict=False)]


def _turn(answer: Span, end: float, spans: Sequence[Span]) -> Turn:
    now = [span for span in spans if answer.started <= span.started < end]
    whole_s = {span.item[1]: span.ended - span.started for span in now if span.stage == CALL}
    tools = [span for span in now if span.stage in ABOUT]
    model_s = answer.ended - answer.started
    return Turn(
        model_s=model_s,
        tools=tuple(span.stage for span in tools),
        tools_s=tuple(span.ended - span.started for span in tools),
        whole_s=tuple(whole_s.get(span.item[0], model_s) for span in tools),
    )
