"""The shortest time that one question could have taken, given how long its pieces took.

True data dependencies: a task can be called when it is known, which is at the end of its plan or, where plans are
streamed, when its line is written, and when the tasks that it needs have ended. The joiner needs all tasks and the end
of the plan; a second plan needs the joiner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span

STAGES = ("plan", "line", "needs", "work", "join")
"""A line goes from the start of the plan to the moment at which it was written; needs has no length.

Items are (round,) of a plan and of a joiner, (round, task) of a line and of a task, (round, task, needed task).
"""


@dataclass(slots=True)
class _Round:
    """How long the pieces of one round took."""

    plan_s: float = 0.0
    join_s: float = 0.0
    written_s: dict[int, float] = field(default_factory=dict)
    work_s: dict[int, float] = field(default_factory=dict)
    needed: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def ends_s(self, *, streamed: bool = True) -> dict[int, float]:
        """From the start of the round to the end of each task; tasks need those of smaller numbers only.

        streamed: whether a line is known when it is written; else at the end of the plan.
        """
        ends: dict[int, float] = {}
        for number in sorted(self.work_s):
            known_s = self.written_s.get(number, self.plan_s) if streamed else self.plan_s
            # A task of an earlier round has ended before this one began.
            started_s = max([known_s, *(ends.get(other, 0.0) for other in self.needed[number])])
            ends[number] = started_s + self.work_s[number]
        return ends

    def waves_s(self) -> list[float]:
        """The longest task of each wave: a task is in the wave behind the last one of those that it needs."""
        waves: dict[int, int] = {}
        longest_s = list[float]()
        for number in sorted(self.work_s):
            waves[number] = max((waves[other] + 1 for other in self.needed[number] if other in waves), default=0)
            longest_s += [0.0] * (waves[number] + 1 - len(longest_s))
            longest_s[waves[number]] = max(longest_s[waves[number]], self.work_s[number])
        return longest_s


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    return sum(max([one.plan_s, *one.ends_s().values()]) + one.join_s for one in _rounds(spans).values())


def in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    """Seconds of LangGraph's supersteps: waves in `flat`, one step of tasks that wait for each other in `streaming`."""
    rounds = _rounds(spans).values()
    if version == "flat":
        return sum(one.plan_s + sum(one.waves_s()) + one.join_s for one in rounds)
    return sum(max([one.plan_s, *one.ends_s(streamed=False).values()]) + one.join_s for one in rounds)


def first_result_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds until the first task of the first plan could end; None without tasks."""
    rounds = _rounds(spans)
    return min(rounds[1].ends_s().values(), default=None) if 1 in rounds else None


def _rounds(spans: Sequence[Span]) -> dict[int, _Round]:
    rounds = defaultdict[int, _Round](_Round)
    for span in spans:
        took_s = span.ended - span.started
        match span.stage, span.item:
            case "plan", (turn,):
                rounds[turn].plan_s = took_s
            case "join", (turn,):
                rounds[turn].join_s = took_s
            case "line", (turn, task):
                rounds[turn].written_s[task] = took_s
            case "work", (turn, task):
                rounds[turn].work_s[task] = took_s
            case "needs", (turn, task, needed):
                rounds[turn].needed[task].append(needed)
            case _:
                raise ValueError(
                    f"span {span.stage!r} of item {span.item} is not one of LLMCompiler, whose stages are "
                    f"{', '.join(STAGES)}"
                )
    return rounds
