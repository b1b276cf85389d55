"""How long one question takes, given how long its pieces took.

True data dependencies: a task can be called when it is known, which is at the end of its plan or, where plans are
streamed, when its line is written, and when the tasks that it needs have ended. The joiner needs all tasks and the end
of the plan; a second plan needs the joiner.

LangGraph's supersteps: in the flat version the tasks that are ready wait for each other, wave by wave; in the streaming
one all tasks are of one step, and each waits for what it needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span
from alto_lg.apps.paths import Paths, in_steps_s

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

    def tasks_end_s(self, *, streamed: bool = True) -> list[float]:
        """From the start of the round to the end of each task; tasks need those of smaller numbers only."""
        paths = Paths()
        for number in sorted(self.work_s):
            known = ("known", number)
            paths.add(known, self.written_s.get(number, self.plan_s) if streamed else self.plan_s)
            paths.add(number, self.work_s[number], known, *self.needs(number))
        return [paths.end_s(number) for number in self.work_s]

    def needs(self, number: int) -> list[int]:
        """The tasks of this round that a task waits for: one of an earlier round has ended before this one began."""
        return [other for other in self.needed[number] if other in self.work_s]

    def waves_s(self) -> list[list[float]]:
        """The tasks by how many others they wait for, one after the other."""
        waves = dict[int, int]()
        for number in sorted(self.work_s):
            waves[number] = 1 + max((waves[other] for other in self.needs(number)), default=0)
        return [
            [self.work_s[number] for number, of in waves.items() if of == wave] for wave in sorted(set(waves.values()))
        ]


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    return sum(max([one.plan_s, *one.tasks_end_s()]) + one.join_s for one in _rounds(spans).values())


def first_result_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds until the first task of the first plan could end; None without tasks."""
    rounds = _rounds(spans)
    return min(rounds[1].tasks_end_s(), default=None) if 1 in rounds else None


def in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    """Seconds of LangGraph's supersteps in one version of the graph."""
    rounds = _rounds(spans).values()
    if version == "streaming":
        return sum(max([one.plan_s, *one.tasks_end_s(streamed=False)]) + one.join_s for one in rounds)
    return sum(in_steps_s([[one.plan_s], *one.waves_s(), [one.join_s]]) for one in rounds)


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
