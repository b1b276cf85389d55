"""Rules: one test for each reason to wait, and one for each neighbour that must not wait."""

from __future__ import annotations

from typing import Any

import pytest

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.facts import Evidence, Fact, Keys
from alto_lg.engine.firing import Firing
from alto_lg.engine.frontier import Changes, Frontier
from alto_lg.engine.messages import Conditions
from alto_lg.engine.plan import Plan, Stage
from alto_lg.engine.rules import Rules
from engine.plans import Known, conditions, plan, stage

RUN = Ancestry.request()


def _why(
    one: Stage,
    *others: Stage,
    step: int = 3,
    outstanding: tuple[tuple[int, str], ...] = (),
    allowed: Conditions | None = None,
    values: Known | None = None,
    packet: str | None = None,
    mutating: bool = False,
) -> str | None:
    """Why a firing of `one` at `step` may not start while step 1 is committed, beside what is outstanding."""
    made = plan(one, *others)
    rules, frontier = _rules(made, allowed, values)
    for at, name in outstanding:
        frontier.add(at, name, changes=Changes.STATE if mutating else Changes.NOTHING)
    return rules.against_start(Firing(one, step, RUN.triggered(one.name, step), packet), 1)


def _rules(made: Plan, allowed: Conditions | None = None, values: Known | None = None) -> tuple[Rules, Frontier]:
    frontier = Frontier(made)
    return Rules(made, allowed or conditions(), values or Known(), frontier), frontier


def test_with_nothing_outstanding_nothing_waits() -> None:
    assert _why(stage("n", reads="p", writes="q")) is None


def test_a_stage_that_is_never_early_says_why() -> None:
    assert _why(stage("n", never_early="it is deferred")) == "it is deferred"


def test_a_barrier_waits() -> None:
    assert _why(stage("n", barrier=True)) == "it keeps a barrier"


@pytest.mark.parametrize("can_pause", [True, False])
def test_a_stage_that_may_interrupt_waits_where_the_run_can_pause(can_pause: bool) -> None:
    why = _why(stage("n", may_interrupt=True), allowed=conditions(can_pause=can_pause))
    assert why == ("it keeps a barrier" if can_pause else None)


def test_a_stage_that_the_run_pauses_before_waits() -> None:
    assert _why(stage("n"), allowed=conditions(stops_before=frozenset("n"))) == "it keeps a barrier"


def test_a_stage_that_the_run_pauses_after_does_not_wait_for_itself() -> None:
    assert _why(stage("n"), allowed=conditions(stops_after=frozenset("n"))) is None


def test_a_withheld_stage_gives_the_reason_of_the_run() -> None:
    assert _why(stage("n"), allowed=conditions(withheld={"n": "its cache is consulted"})) == "its cache is consulted"


@pytest.mark.parametrize("packet", ["packet", None])
def test_a_stage_that_may_change_what_others_left_outside_waits_for_it_to_be_known_and_frozen(
    packet: str | None,
) -> None:
    one, writer = stage("n", mutates_left=frozenset("p")), stage("x", writes="p")
    waits = "it changes an object outside the graph, in which a node may have left a value of the state"
    assert _why(one, writer, packet=packet) is None
    assert _why(one, writer, packet=packet, outstanding=((2, "x"),)) == waits
    assert _why(one, writer, packet=packet, values=Known(changeable_keys=frozenset("p"))) == waits
    assert _why(one, writer, packet=packet, values=Known(opaque=frozenset("p"))) == waits
    assert _why(one, writer, packet=packet, values=Known(changeable_keys=frozenset("q"))) is None


@pytest.mark.parametrize(("step", "why"), [(2, None), (3, "its step is beyond the recursion limit")])
def test_nothing_starts_beyond_the_recursion_limit(step: int, why: str | None) -> None:
    assert _why(stage("n"), step=step, allowed=conditions(last_step=2)) == why


@pytest.mark.parametrize(("step", "why"), [(3, None), (4, "its step is too far ahead")])
def test_nothing_starts_further_ahead_than_allowed(step: int, why: str | None) -> None:
    assert _why(stage("n"), step=step, allowed=conditions(max_steps_ahead=2)) == why


@pytest.mark.parametrize(("at", "waits"), [(1, True), (2, True), (3, False)])
def test_a_barrier_of_an_earlier_step_holds_up_later_ones_and_not_its_own(at: int, waits: bool) -> None:
    why = _why(stage("n"), stage("wall", barrier=True), outstanding=((at, "wall"),))
    assert why == (f"'wall' of step {at} is, or may lead to, a barrier" if waits else None)


def test_what_may_lead_to_a_barrier_before_the_step_holds_it_up() -> None:
    others = (stage("x", may="wall"), stage("wall", barrier=True))
    assert _why(stage("n"), *others, outstanding=((1, "x"),)) == "'x' of step 1 is, or may lead to, a barrier"
    assert _why(stage("n"), *others, outstanding=((2, "x"),)) is None, "the barrier would be in the same step"


def test_a_pause_before_a_stage_holds_up_its_whole_step() -> None:
    allowed = conditions(stops_before=frozenset({"wall"}))
    why = _why(stage("n"), stage("x", may="wall"), stage("wall"), outstanding=((2, "x"),), allowed=allowed)
    assert why == "'x' of step 2 is, or may lead to, a barrier"


def test_a_pause_after_a_stage_holds_up_the_steps_after_it() -> None:
    allowed = conditions(stops_after=frozenset({"wall"}))
    others = (stage("x", may="wall"), stage("wall"))
    assert _why(stage("n"), *others, outstanding=((2, "x"),), allowed=allowed) is None
    assert _why(stage("n"), *others, outstanding=((1, "x"),), allowed=allowed) is not None


@pytest.mark.parametrize("has_store", [True, False])
@pytest.mark.parametrize("packet", ["packet", None])
def test_the_store_is_touched_in_order_where_there_is_one(has_store: bool, packet: str | None) -> None:
    why = _why(
        stage("n", touches_store=True),
        stage("x", touches_store=True),
        outstanding=((2, "x"),),
        allowed=conditions(has_store=has_store),
        packet=packet,
    )
    assert why == ("'x' of step 2 may touch the store" if has_store else None)


def test_a_stage_that_leaves_the_store_alone_does_not_wait_for_those_that_touch_it() -> None:
    why = _why(stage("n"), stage("x", touches_store=True), outstanding=((2, "x"),), allowed=conditions(has_store=True))
    assert why is None


def test_a_reader_waits_for_a_writer_of_an_earlier_step() -> None:
    why = _why(stage("n", reads="p"), stage("x", writes="p"), outstanding=((2, "x"),))
    assert why == "'x' of step 2 may still write what it reads"


def test_a_reader_does_not_wait_for_writers_of_other_keys() -> None:
    assert _why(stage("n", reads="p"), stage("x", writes="q"), outstanding=((2, "x"),)) is None


def test_a_reader_of_everything_waits_for_any_writer() -> None:
    one = stage("n")
    everything = Fact(Keys.every(), Evidence.UNKNOWN, "not seen")
    reader = Stage("n", everything, one.route_reads, one.writes, one.mutates)
    assert _why(reader, stage("x", writes="q"), outstanding=((2, "x"),)) is not None
    assert _why(reader, stage("x"), outstanding=((2, "x"),)) is None


def test_a_value_that_only_the_commit_can_compute_is_waited_for() -> None:
    why = _why(stage("n", reads="p"), values=Known(opaque=frozenset("p")))
    assert why == "what it reads is known only after the commit"


@pytest.mark.parametrize("changeable", [True, False])
def test_a_reader_waits_for_whoever_may_change_its_value_in_place(changeable: bool) -> None:
    values = Known(changeable_keys=frozenset("p" if changeable else ""))
    why = _why(stage("n", reads="p"), stage("x", mutates="p"), outstanding=((2, "x"),), values=values, mutating=True)
    assert why == ("'x' of step 2 may change what it reads in place" if changeable else None)


@pytest.mark.parametrize("changeable", [True, False])
def test_a_stage_that_may_change_its_value_in_place_waits(changeable: bool) -> None:
    values = Known(changeable_keys=frozenset("p" if changeable else ""))
    why = _why(stage("n", reads="p", mutates="p"), values=values)
    assert why == ("it may change a value in place" if changeable else None)


def test_what_a_sibling_may_still_lead_to_in_the_same_step_waits() -> None:
    others = (stage("x", may="n"),)
    assert _why(stage("n"), *others, outstanding=((2, "x"),)) == "'x' of step 2 may still lead to it, in the same step"
    assert _why(stage("n"), *others, outstanding=((1, "x"),)) is None, "that would be another firing"
    assert _why(stage("n", pure=True), *others, outstanding=((2, "x"),)) is None
    assert _why(stage("n"), *others, outstanding=((2, "x"),), allowed=conditions(chains=True)) is None
    assert _why(stage("n"), *others, outstanding=((2, "x"),), packet="packet") is None


@pytest.mark.parametrize("traits", [{"mutates": "p"}, {"assigns": True}])
@pytest.mark.parametrize("shared", [True, False])
def test_a_packet_that_its_receiver_may_change_waits_if_others_hold_it(traits: dict[str, Any], shared: bool) -> None:
    why = _why(stage("n", **traits), packet="packet", values=Known(shared=shared))
    assert why == ("it may change a value of its packet in place" if shared else None)


@pytest.mark.parametrize("shared", [True, False])
def test_a_packet_that_another_may_change_waits_if_others_hold_it(shared: bool) -> None:
    why = _why(
        stage("n"),
        stage("x", mutates="p"),
        outstanding=((2, "x"),),
        packet="packet",
        values=Known(shared=shared),
        mutating=True,
    )
    assert why == ("'x' of step 2 may change a value of its packet in place" if shared else None)


def test_a_packet_does_not_wait_for_the_state_that_its_stage_would_read() -> None:
    assert _why(stage("n", reads="p"), stage("x", writes="p"), outstanding=((2, "x"),), packet="packet") is None


@pytest.mark.parametrize("of_the_run", [True, False])
def test_a_stage_that_cannot_wait_half_way_waits_for_what_its_edges_read(of_the_run: bool) -> None:
    one = stage("n", routes="p", gate_at_start=not of_the_run)
    writer = stage("x", writes="p")
    allowed = conditions(gate_at_start=of_the_run)
    why = _why(one, writer, outstanding=((2, "x"),), allowed=allowed)
    assert why == "'x' of step 2 may still write what it reads"
    assert _why(stage("n", routes="p"), writer, outstanding=((2, "x"),)) is None


def test_conditional_edges_wait_for_what_they_read() -> None:
    one = stage("n", routes="p")
    rules, frontier = _rules(plan(one, stage("x", writes="p")))
    frontier.add(2, "x")
    firing = Firing(one, 3, RUN.triggered("n", 3))
    assert rules.against_routing(firing) == "'x' of step 2 may still write what it reads"
    frontier.remove(2, "x")
    assert rules.against_routing(firing) is None


def test_conditional_edges_that_read_nothing_never_wait() -> None:
    one = stage("n")
    rules, frontier = _rules(plan(one, stage("x", writes="p", mutates="p")), values=Known(opaque=frozenset("p")))
    frontier.add(2, "x", changes=Changes.STATE)
    assert rules.against_routing(Firing(one, 3, RUN.triggered("n", 3))) is None


def test_values_are_asked_for_only_when_they_are_settled() -> None:
    values = Known()
    _why(stage("n", reads="p"), stage("x", writes="p"), outstanding=((2, "x"),), values=values)
    assert values.asked == []


def test_a_barrier_that_several_steps_ahead_cannot_reach_is_no_obstacle() -> None:
    others = (stage("x", may="y"), stage("y", may="wall"), stage("wall", barrier=True))
    assert _why(stage("n"), *others, step=2, outstanding=((1, "x"),)) is None
