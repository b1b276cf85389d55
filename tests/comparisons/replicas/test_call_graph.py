"""Call graphs from runs that are written down by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from alto_lg.comparisons.replicas.call_graph import (
    CallGraph,
    NoCallGraph,
    Run,
    TracedAnswer,
    TracedCall,
    Trigger,
    Waits,
    call_graph,
)

Times = Mapping[str, tuple[float, Sequence[float]]]
"""Name of a call → when it began, and when each of its tokens came; it ends with the last."""


def run_of(calls: Times, ended: float) -> Run:
    traced = []
    for name, (started, tokens) in sorted(calls.items(), key=lambda item: item[1][0]):
        answer = TracedAnswer(len(tokens), (1.0,) * (len(tokens) - 1), 1.0, None, ())
        traced.append(TracedCall((hash(name), 0), started, 10, (), [answer], list(tokens), tokens[-1]))
    return Run(0.0, ended, tuple(traced))


def graph_of(*runs: tuple[Times, float]) -> CallGraph:
    return call_graph("a request", [run_of(*one) for one in runs])


def test_a_chain() -> None:
    graph = graph_of(({"a": (0.0, [1.0, 2.0]), "b": (2.0, [3.0])}, 3.0))
    assert [call.after for call in graph.calls] == [Waits(), Waits((Trigger(0),))]
    assert graph.end == Waits((Trigger(1),))


def test_a_call_that_begins_with_a_token_of_another() -> None:
    graph = graph_of(({"a": (0.0, [1.0, 2.0, 3.0]), "b": (2.0, [4.0])}, 4.0))
    assert graph.calls[1].after == Waits((Trigger(0, 2),))
    assert graph.calls[0].answers[0].marks == (1, 2, 3)


def test_marks_hold_the_work_between_them() -> None:
    graph = graph_of(({"a": (0.0, [1.0, 2.0, 3.0, 4.0, 5.0]), "b": (4.0, [6.0])}, 6.0))
    answer = graph.calls[0].answers[0]
    assert (answer.marks, answer.work, answer.tokens) == ((1, 4, 5), (3.0, 1.0), 5)


def test_a_barrier_waits_for_all_that_were_never_the_last_as_well() -> None:
    """c is never the last of the three that d joins, and d waits for it all the same."""

    def run(a: float, b: float) -> tuple[Times, float]:
        last = max(a, b)
        return {"a": (0.0, [a]), "b": (0.0, [b]), "c": (0.0, [0.5]), "d": (last, [last + 1])}, last + 1

    graph = graph_of(run(1.0, 2.0), run(2.0, 1.0))
    assert graph.calls[3].after == Waits((Trigger(0), Trigger(1), Trigger(2)))


def test_what_was_taken_up_before_is_not_waited_for_again() -> None:
    def run(b: float, c: float) -> tuple[Times, float]:
        last = max(b, c)
        return {"a": (0.0, [1.0]), "b": (1.0, [b]), "c": (1.0, [c]), "d": (last, [last + 1])}, last + 1

    graph = graph_of(run(2.0, 3.0), run(3.0, 2.0))
    assert graph.calls[3].after == Waits((Trigger(1), Trigger(2)))


def test_the_first_of_several_is_enough_where_the_other_had_not_happened_yet() -> None:
    first = {"a": (0.0, [1.0, 5.0]), "b": (0.0, [2.0, 6.0]), "c": (1.0, [7.0])}
    second = {"a": (0.0, [2.0, 5.0]), "b": (0.0, [1.0, 6.0]), "c": (1.0, [7.0])}
    graph = graph_of((first, 7.0), (second, 7.0))
    assert graph.calls[2].after == Waits(first_of=(Trigger(0, 1), Trigger(1, 1)))


def test_a_call_that_begins_when_nothing_happened_is_refused() -> None:
    with pytest.raises(NoCallGraph, match="a request: a call begins when no other call has news"):
        graph_of(({"a": (0.0, [1.0]), "b": (1.5, [2.0])}, 2.0))


def test_runs_that_make_different_calls_are_refused() -> None:
    with pytest.raises(NoCallGraph, match="made different calls"):
        graph_of(({"a": (0.0, [1.0])}, 1.0), ({"b": (0.0, [1.0])}, 1.0))
