"""How long LangGraph's supersteps take, from the spans of a run; and the longest path that they are compared with."""

from __future__ import annotations

import pytest

from alto_lg.apps.base import Application, Span
from alto_lg.apps.factool.application import FACTOOL
from alto_lg.apps.ircot.application import IRCOT
from alto_lg.apps.llmcompiler.application import LLMCOMPILER
from alto_lg.apps.paths import Paths, in_steps_s
from alto_lg.apps.storm.application import STORM
from alto_lg.apps.tot.application import TOT
from alto_lg.apps.wikichat.application import WIKICHAT

Took = tuple[str, tuple[int, ...], float]

_CLAIMS: list[Took] = [
    ("answer", (), 1.0),
    ("extract", (), 2.0),
    ("make_queries", (0,), 3.0),
    ("make_queries", (1,), 1.0),
    ("retrieve", (0,), 0.25),
    ("retrieve", (1,), 0.5),
    ("rerank", (0,), 0.0),
    ("rerank", (1,), 0.0),
    ("appraise", (0,), 1.0),
    ("appraise", (1,), 4.0),
    ("verdict", (), 0.125),
]
_TURN: list[Took] = [
    ("make_queries", (), 1.0),
    ("recall", (), 3.0),
    ("search", (0, 0), 2.0),
    ("rerank", (0, 0), 1.0),
    ("search", (1, 0), 0.5),
    ("rerank", (1, 0), 2.0),
    ("dedupe", (), 0.25),
    ("filter", (0, 0, 0), 1.0),
    ("filter", (1, 0, 0), 2.0),
    ("draft", (), 1.0),
    ("refine", (), 1.0),
    ("cite", (), 0.5),
]
_SEARCH: list[Took] = [
    ("propose", (1, 0), 3.0),
    ("propose", (1, 1), 1.0),
    ("value", (1, 0, 0, 0), 1.0),
    ("value", (1, 1, 0, 1), 2.5),
    ("select", (1,), 0.25),
    ("answer", (), 0.125),
]
_PLANNED: list[Took] = [
    ("plan", (1,), 2.0),
    ("work", (1, 1), 3.0),
    ("work", (1, 2), 0.5),
    ("work", (1, 3), 1.0),
    ("work", (1, 4), 4.0),
    ("needs", (1, 3, 1), 0.0),
    ("needs", (1, 4, 2), 0.0),
    ("join", (1,), 0.25),
]


def spans(took: list[Took]) -> list[Span]:
    return [Span(stage, item, 7.0, 7.0 + took_s) for stage, item, took_s in took]


@pytest.mark.parametrize(
    ("application", "took", "flat_s", "subgraph_s", "limit_s"),
    [
        pytest.param(FACTOOL, _CLAIMS, 3.0 + 3.0 + 0.5 + 0.0 + 4.0 + 0.125, 3.0 + 5.5 + 0.125, 8.625, id="factool"),
        pytest.param(WIKICHAT, _TURN, 3.0 + 2.0 + 2.0 + 0.25 + 2.0 + 2.5, 5.5 + 0.25 + 2.0 + 2.5, 10.25, id="wikichat"),
        pytest.param(TOT, _SEARCH, 3.0 + 2.5 + 0.375, max(3.0 + 1.0, 1.0 + 2.5) + 0.375, 4.375, id="tot"),
    ],
)
def test_flat_graphs_wait_at_every_hop_and_subgraphs_at_their_ends(
    application: Application, took: list[Took], flat_s: float, subgraph_s: float, limit_s: float
) -> None:
    recorded = spans(took)
    assert application.in_supersteps_s("flat", recorded) == pytest.approx(flat_s)
    assert application.in_supersteps_s("streaming", recorded) == pytest.approx(flat_s), "LangGraph streams no updates"
    assert application.in_supersteps_s("subgraph", recorded) == pytest.approx(subgraph_s)
    assert application.limit_s(recorded) == pytest.approx(limit_s)
    assert application.limit_s(recorded) <= subgraph_s


@pytest.mark.parametrize("application", [FACTOOL, STORM, WIKICHAT, TOT])
def test_a_run_in_which_nothing_was_done_took_no_time(application: Application) -> None:
    assert application.in_supersteps_s("flat", []) == application.limit_s([]) == 0.0


_ARTICLE: list[Took] = [
    ("draft", (), 2.0),
    ("relate", (), 1.0),
    ("contents", (), 0.25),
    ("personas", (), 3.0),
    *[(stage, (0, 0), took_s) for stage, took_s in (("ask", 1.0), ("query", 1.0), ("answer", 5.0))],
    *[(stage, (1, 0), took_s) for stage, took_s in (("ask", 2.0), ("query", 0.5), ("answer", 1.0))],
    ("search", (0, 0, 0), 0.25),
    ("search", (1, 0, 0), 0.5),
    ("search", (1, 0, 1), 0.5),
    ("ask", (1, 1), 4.0),
    ("refine", (), 3.0),
    ("write", (0,), 4.0),
    ("write", (1,), 6.0),
    ("lead", (), 2.0),
    ("publish", (), 0.125),
]


def test_the_interviews_of_an_article_go_side_by_side_or_each_for_itself() -> None:
    recorded, ending_s = spans(_ARTICLE), 3.0 + 6.0 + 2.0 + 0.125
    turns_s = (2.0 + 1.0 + 1.0 + 5.0) + 4.0
    assert STORM.in_supersteps_s("flat", recorded) == pytest.approx(2.0 + 0.25 + 3.0 + turns_s + ending_s)
    # In the streaming graph the related articles and the editors are one node, and so are queries and searches.
    assert STORM.in_supersteps_s("streaming", recorded) == pytest.approx(4.25 + turns_s - 1.0 + ending_s)
    second_s = 3.5 + 1.0 + 4.0
    assert STORM.in_supersteps_s("subgraph", recorded) == pytest.approx(4.25 + second_s + ending_s)
    assert STORM.limit_s(recorded) == pytest.approx(4.25 + second_s - 0.5 + ending_s), "searches need no order"


def test_a_piece_starts_when_the_last_of_what_it_needs_has_ended() -> None:
    paths = Paths()
    paths.add("a", 1.0)
    paths.add("b", 2.0)
    paths.add("join", 0.5, "a", "b")
    paths.add("free", 0.25)
    assert (paths.end_s("join"), paths.end_s("free"), paths.end_s("a", "free"), paths.end_s()) == (2.5, 0.25, 1.0, 0.0)


def test_a_piece_is_added_once_and_after_what_it_needs() -> None:
    paths = Paths()
    with pytest.raises(KeyError, match="later"):
        paths.add("join", 1.0, "later")
    paths.add("later", 1.0)
    with pytest.raises(ValueError, match="'later' was added before"):
        paths.add("later", 1.0)


def test_steps_follow_each_other_and_are_as_long_as_their_longest_task() -> None:
    assert in_steps_s([[1.0, 3.0], [], [2.0]]) == 5.0


def test_tasks_of_a_plan_wait_wave_by_wave_for_those_that_they_do_not_need() -> None:
    recorded = spans(_PLANNED)
    assert LLMCOMPILER.in_supersteps_s("flat", recorded) == pytest.approx(2.0 + 3.0 + 4.0 + 0.25)
    assert LLMCOMPILER.in_supersteps_s("streaming", recorded) == pytest.approx(2.0 + 4.5 + 0.25)
    assert LLMCOMPILER.limit_s(recorded) == pytest.approx(2.0 + 4.5 + 0.25)


def test_pieces_that_all_need_each_other_take_the_same_either_way() -> None:
    recorded = spans([("retrieve", (0,), 0.5), ("reason", (0,), 1.0), ("read", (), 2.0)])
    assert IRCOT.in_supersteps_s("flat", recorded) == IRCOT.limit_s(recorded) == 3.5
