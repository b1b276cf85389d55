"""Levels: where the items of a group meet, on graphs by hand and against every way through random ones."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.convert import plan_of
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.levels import group_level, group_of
from alto_lg.engine.plan import Plan, Stage
from engine.plans import join, plan, stage


def _sends(name: str, targets: str, **rest: Any) -> Stage:
    return stage(name, may=targets, triggers=frozenset(), **rest)


def test_what_is_triggered_by_name_gathers_the_run() -> None:
    made = plan(stage("a", certain="b"), stage("b"))
    assert group_level(made, "a") is group_level(made, "b") is None


def test_a_join_of_a_fan_out_gathers_the_run() -> None:
    made = plan(_sends("split", "work"), stage("work"), stage("gather"), joins=[join("split work", "gather")])
    assert group_level(made, "work") == "split"
    assert group_level(made, "gather") is None


def test_nested_fan_outs_meet_at_the_level_above() -> None:
    made = plan(_sends("extract", "appraise"), _sends("appraise", "cite"), _sends("cite", "check"), stage("check"))
    levels = {name: group_level(made, name) for name in made.stages}
    assert levels == {"extract": None, "appraise": "extract", "cite": "appraise", "check": "cite"}


def test_two_senders_meet_at_what_is_above_both() -> None:
    made = plan(_sends("begin", "left right"), _sends("left", "meet"), _sends("right", "meet"), stage("meet"))
    assert group_level(made, "meet") == "begin"


def test_a_stage_that_sends_itself_packets_meets_above_the_loop() -> None:
    made = plan(_sends("begin", "split"), _sends("split", "split leaf"), stage("leaf"))
    assert group_level(made, "split") == "begin"
    assert group_level(made, "leaf") == "split"


def test_packets_of_the_input_hang_under_the_run() -> None:
    made = plan(_sends("__start__", "work"), _sends("work", "deeper"), stage("deeper"))
    assert group_level(made, "work") is None
    assert group_level(made, "deeper") == "work"


def test_what_may_be_triggered_as_well_as_sent_gathers_the_run() -> None:
    made = plan(stage("begin", may="work"), stage("work"))
    assert group_level(made, "work") is None


def test_an_unknown_stage_is_an_error() -> None:
    with pytest.raises(KeyError):
        group_level(plan(stage("a")), "b")


class State(TypedDict, total=False):
    question: str
    evidence: Annotated[list[Any], operator.add]
    count: Annotated[int, alto_lg.reducers.count]


def _graph() -> Plan:
    """extract sends claims, each claim sends queries; one reader a claim, one of a stream, one of a value."""

    def extract(state: State) -> Command[Any]:
        return Command(goto=[Send("claim", {"claim": number}) for number in range(3)])

    def claim(state: dict[str, Any]) -> Command[Any]:
        return Command(goto=[Send("query", {**state, "query": number}) for number in range(2)])

    def query(state: dict[str, Any]) -> dict[str, Any]:
        return {"evidence": [dict(state)]}

    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim"))
    async def appraise(state: State) -> dict[str, Any]:
        return {}

    @alto_lg.reading(evidence=alto_lg.Stream())
    async def report(state: State) -> dict[str, Any]:
        return {}

    graph = StateGraph(State)
    graph.add_node("extract", extract, destinations=("claim",))
    graph.add_node("claim", claim, destinations=("query",))
    for node in (query, appraise, report):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "extract")
    graph.add_edge("query", "appraise")
    graph.add_edge("query", "report")
    return plan_of(graph.compile(), {})


def test_the_levels_of_a_real_graph_come_from_its_edges_and_its_readers_declarations() -> None:
    made = _graph()
    levels = {name: group_level(made, name) for name in ("extract", "claim", "query", "appraise", "report")}
    assert levels == {"extract": None, "claim": "extract", "query": "claim", "appraise": "claim", "report": None}


NAMES = ("a", "b", "c", "d", "e")


@st.composite
def _graphs(draw: st.DrawFn) -> Plan:
    some = st.sets(st.sampled_from(NAMES), max_size=2)
    return plan(*(stage(n, may=draw(some), triggers=frozenset(draw(some)), sends=frozenset(draw(some))) for n in NAMES))


def _ancestries(made: Plan, hops: int) -> list[Ancestry]:
    """All that can come about in so many hops from stages that are triggered, or that nobody leads to."""
    run = Ancestry.request()
    triggered = {target for one in made.stages.values() for target in one.by_name}
    sent = {target for one in made.stages.values() for target in one.by_packet}
    level = [run.triggered(name, 0) for name in NAMES if name in triggered or name not in sent]
    found = list(level)
    for _ in range(hops):
        level = [
            each.sent(target, each.step + 1, index, run=run)
            for each in level
            for target in sorted(made.stages[each.stage].by_packet)
            for index in range(2)
        ][:200]
        found += level
    return found


@settings(max_examples=100, deadline=None, derandomize=True)
@given(_graphs())
def test_every_firing_has_its_level_above_it_whatever_way_it_came(made: Plan) -> None:
    above: dict[str, list[list[str]]] = {}
    for ancestry in _ancestries(made, 4):
        names = [level.stage for level in ancestry.levels()][1:-1]
        above.setdefault(ancestry.stage, []).append(names)
    for name, ways in above.items():
        level = group_level(made, name)
        if level is not None:
            assert all(level in way for way in ways)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(_graphs())
def test_every_firing_hangs_below_its_group_and_is_not_the_group(made: Plan) -> None:
    for ancestry in _ancestries(made, 3):
        group = group_of(ancestry, group_level(made, ancestry.stage))
        assert group is not None
        assert ancestry.is_within(group)
        assert group != ancestry


def test_a_group_of_the_run_is_the_run_and_of_a_subgraph_its_own() -> None:
    request = Ancestry.request()
    caller = request.triggered("caller", 1)
    inner = caller.triggered("inner", 0)
    assert group_of(request.triggered("a", 1), None) is request
    assert group_of(inner, None) is caller
    packet = inner.sent("leaf", 1, 0, run=caller)
    assert group_of(packet, "inner") is inner
