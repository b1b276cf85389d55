"""How long one request takes, given how long its pieces took.

True data dependencies: each step of the search needs the thoughts that the one before has kept. Within a step, each
kept thought is gone on from by itself; a proposed thought is valued as soon as it is known, which is at the end of its
proposal or, where proposals are streamed, when its line is written; thoughts that share a call are valued by it, and it
can be made when the first of them is known. The selection needs all values and the end of all proposals.

LangGraph's supersteps: in the flat versions no thought is valued before the last proposal of the step has ended; with a
subgraph for each thought that is gone on from, no thought is selected before the last of these has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span
from alto_lg.apps.paths import Paths, in_steps_s

STAGES = ("propose", "thought", "value", "select", "answer")
"""A thought goes from the start of its proposal to the moment at which its line was written.

Items are (step, place) of a proposal, (step, place, line) of a thought, (step, place, line, call) of a value and
(step,) of a selection: a call is known by its number in the run.
"""


@dataclass(slots=True)
class _Step:
    """How long the pieces of one step took.

    asked: of each call, the thoughts that it values.
    waits_s: of each place, the longest time that one of its thoughts waited for its value.
    """

    propose_s: dict[int, float] = field(default_factory=dict)
    written_s: dict[tuple[int, int], float] = field(default_factory=dict)
    call_s: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    asked: defaultdict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    waits_s: dict[int, float] = field(default_factory=dict)
    select_s: float = 0.0

    def value_ends_s(self) -> list[float]:
        """From the start of the step to the end of each call for a value."""
        paths = self.paths()
        return [paths.end_s(("value", call)) for call in self.call_s]

    def longest_s(self) -> float:
        """From the start of the step to the end of its selection."""
        paths = self.paths()
        calls = [("value", call) for call in self.call_s]
        paths.add("select", self.select_s, *(("propose", place) for place in self.propose_s), *calls)
        return paths.end_s("select")

    def paths(self) -> Paths:
        """Everything before the selection."""
        paths = Paths()
        for place, took_s in self.propose_s.items():
            paths.add(("propose", place), took_s)
        for call, took_s in self.call_s.items():
            known_s = min(map(self._known_s, self.asked[call]))
            paths.add(("value", call), known_s + took_s)
        return paths

    def _known_s(self, thought: tuple[int, int]) -> float:
        return self.written_s.get(thought, self.propose_s.get(thought[0], 0.0))


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    steps, answer_s = _steps(spans)
    return answer_s + sum(step.longest_s() for step in steps.values())


def first_value_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds until the first thought of the first step could be valued; None without thoughts."""
    steps, _ = _steps(spans)
    return min(steps[1].value_ends_s(), default=None) if 1 in steps else None


def in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    """Seconds of LangGraph's supersteps in one version of the graph.

    With a subgraph for each thought, what a thought waits for is its own values alone: those that it asked for, and
    those that another had asked for before it.
    """
    steps, answer_s = _steps(spans)
    tasks = list[Iterable[float]]()
    for step in steps.values():
        if version == "subgraph":
            tasks.append([proposed_s + step.waits_s.get(place, 0.0) for place, proposed_s in step.propose_s.items()])
        else:
            tasks += [step.propose_s.values(), step.waits_s.values()]
        tasks.append([step.select_s])
    return in_steps_s([*tasks, [answer_s]])


def _steps(spans: Sequence[Span]) -> tuple[dict[int, _Step], float]:
    steps, answer_s = defaultdict[int, _Step](_Step), 0.0
    for span in spans:
        took_s = span.ended - span.started
        match span.stage, span.item:
            case "propose", (step, place):
                steps[step].propose_s[place] = took_s
            case "thought", (step, place, line):
                steps[step].written_s[place, line] = took_s
            case "value", (step, place, line, call):
                steps[step].call_s[call] = max(took_s, steps[step].call_s[call])
                steps[step].asked[call].append((place, line))
                steps[step].waits_s[place] = max(took_s, steps[step].waits_s.get(place, 0.0))
            case "select", (step,):
                steps[step].select_s = took_s
            case "answer", ():
                answer_s = took_s
            case _:
                raise ValueError(
                    f"span {span.stage!r} of item {span.item} is not one of Tree of Thoughts, whose stages are "
                    f"{', '.join(STAGES)}"
                )
    return steps, answer_s
