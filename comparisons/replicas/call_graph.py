"""Which model call of a request waits for what: a graph inferred from runs whose times were made to differ. Pure.

The runs are made on an idle server that wakes up for every token by itself, so that two things hardly ever happen at
once, and on a virtual clock, on which an engine's own work takes no time. So a call begins at the very moment at which
the last thing that it waits for happened: a token of another call, or its end. Over runs with different times, a call
that waits for one thing shows the same one each time; a call that joins several shows now this one, now that one. If
each of these had happened in every run, it waits for all of them, and for whatever else always ended before it and
nobody has taken up; if not, for the first.

Always true: no knowledge of an application or an engine goes into a graph; a call that begins when nothing happened is
an error, because a simulation could not say when it begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from alto_lg.comparisons.errors import ComparisonError

_AT_ONCE_S = 1e-9


class NoCallGraph(ComparisonError):
    """What waits for what cannot be told from the runs."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a call waits for. call: its place in the graph. tokens: so many of its first answer; None: all of it."""

    call: int
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """What a call waits for: all of these, and the first of those. Neither: it begins with the request."""

    all: tuple[Trigger, ...] = ()
    first_of: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a call.

    marks: the tokens after which somebody is told, the first and the last of them among these; none if it is empty.
    work: from each mark to the next; 1 is a token without jitter.
    blocks: numbers of the full cache blocks of prompt and answer together.
    """

    marks: tuple[int, ...]
    work: tuple[float, ...]
    prefill_factor: float
    first_token_s: float | None
    blocks: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """How many were written, to the end or until the client left."""
        return self.marks[-1] if self.marks else 0


@dataclass(frozen=True, slots=True)
class Call:
    """One model call of a request. route: its prompt as the client's scheduler knows it, `alto_lg.routing.chain`."""

    after: Waits
    prompt_tokens: int
    route: tuple[int, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class CallGraph:
    """The calls of one request, each after all that it waits for. end: what the request's own end waits for."""

    request: str
    calls: tuple[Call, ...]
    end: Waits

    @property
    def prompt_tokens(self) -> int:
        """Read by the model; several answers to one prompt read it as often."""
        return sum(call.prompt_tokens * len(call.answers) for call in self.calls)

    @property
    def completion_tokens(self) -> int:
        """Written by the model."""
        return sum(answer.tokens for call in self.calls for answer in call.answers)


@dataclass(frozen=True, slots=True)
class TracedAnswer:
    """An answer of a run. work: of the second and each later token."""

    tokens: int
    work: tuple[float, ...]
    prefill_factor: float
    first_token_s: float | None
    blocks: tuple[int, ...]

    def marked(self, asked_for: Iterable[int]) -> Answer:
        """The same, known at the tokens that are asked for."""
        marks = tuple(sorted({1, *asked_for, self.tokens} if self.tokens else ()))
        work = tuple(sum(self.work[before - 1 : after - 1]) for before, after in pairwise(marks))
        return Answer(marks, work, self.prefill_factor, self.first_token_s, self.blocks)


@dataclass(slots=True)
class TracedCall:
    """When a call began, when each token of its first answer was written, and when all its answers had ended.

    key: what the call asks, and how many have asked the same before it in the run. ended: None if the client left.
    """

    key: tuple[int, int]
    started: float
    prompt_tokens: int
    route: tuple[int, ...]
    answers: list[TracedAnswer]
    token_times: list[float] = field(default_factory=list)
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a request: from when to when, and its calls in the order in which they began."""

    started: float
    ended: float
    calls: tuple[TracedCall, ...]


def call_graph(request: str, runs: Sequence[Run]) -> CallGraph:
    """The graph of a request from several runs of it; lengths and work are those of the first."""
    place = {call.key: at for at, call in enumerate(runs[0].calls)}
    if any({call.key for call in run.calls} != place.keys() for run in runs):
        raise NoCallGraph(f"request {request}: its runs made different calls, so their order tells nothing.")
    timelines = [_Timeline(run, place) for run in runs]
    waits: list[Waits] = []
    for at in place.values():
        waits.append(_waits(request, timelines, [timeline.begun[at] for timeline in timelines], waits))
    end = _waits(request, timelines, [run.ended for run in runs], waits)
    asked = {trigger for one in (*waits, end) for trigger in (*one.all, *one.first_of)}
    calls = tuple(
        Call(waits[at], call.prompt_tokens, call.route, tuple(_answers(call, at, asked)))
        for at, call in enumerate(runs[0].calls)
    )
    return CallGraph(request, calls, end)


def _answers(call: TracedCall, at: int, asked: set[Trigger]) -> Iterator[Answer]:
    tokens = [one.tokens for one in asked if one.call == at and one.tokens is not None]
    for choice, answer in enumerate(call.answers):
        yield answer.marked(() if choice else tokens)


class _Timeline:
    """One run, its calls by their places in the graph."""

    def __init__(self, run: Run, place: dict[tuple[int, int], int]) -> None:
        self.started = run.started
        self._calls = {place[call.key]: call for call in run.calls}
        self.begun = {at: call.started for at, call in self._calls.items()}

    def at(self, moment: float) -> set[Trigger]:
        """What happened at that very moment. The last token of a call and its end are one: its end."""
        found = set[Trigger]()
        for at, call in self._calls.items():
            if call.ended is not None and abs(call.ended - moment) < _AT_ONCE_S:
                found.add(Trigger(at))
                continue
            numbered = enumerate(call.token_times, start=1)
            found |= {Trigger(at, number) for number, when in numbered if abs(when - moment) < _AT_ONCE_S}
        return found

    def had_happened(self, trigger: Trigger, moment: float) -> bool:
        """Whether it happened by then."""
        call = self._calls[trigger.call]
        if trigger.tokens is not None:
            return len(call.token_times) >= trigger.tokens and call.token_times[trigger.tokens - 1] <= moment
        return call.ended is not None and call.ended <= moment + _AT_ONCE_S


def _waits(request: str, runs: Sequence[_Timeline], moments: Sequence[float], earlier: Sequence[Waits]) -> Waits:
    """What begins at these moments, one of each run. earlier: of the calls that begin before it in the first run."""
    if all(moment - run.started < _AT_ONCE_S for run, moment in zip(runs, moments, strict=True)):
        return Waits()
    last = [run.at(moment) for run, moment in zip(runs, moments, strict=True)]
    if common := set.intersection(*last):
        return Waits((min(common, key=lambda one: (one.tokens is not None, one.call)),))
    if not all(last):
        raise NoCallGraph(
            f"request {request}: a call begins when no other call has news, so something else takes time; on this "
            "clock only model calls may."
        )
    seen = {one for found in last if len(found) == 1 for one in found}
    always = {one for one in seen if _always(runs, moments, one)}
    if seen - always:
        # What it begins with had, in another run, not happened yet: the first of several is enough.
        return Waits(first_of=tuple(sorted(seen, key=_order)))
    before = [
        at
        for at in range(len(earlier))
        if all(run.begun[at] < moment for run, moment in zip(runs, moments, strict=True))
    ]
    taken_up = {one.call for at in before for one in earlier[at].all if one.tokens is None}
    ended = {Trigger(at) for at in before if at not in taken_up and _always(runs, moments, Trigger(at))}
    return Waits(tuple(sorted(ended | always, key=_order)))


def _always(runs: Sequence[_Timeline], moments: Sequence[float], trigger: Trigger) -> bool:
    return all(run.had_happened(trigger, moment) for run, moment in zip(runs, moments, strict=True))


def _order(trigger: Trigger) -> tuple[int, int]:
    return trigger.call, trigger.tokens or 0
