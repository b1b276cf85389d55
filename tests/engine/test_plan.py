"""Plan: what a firing may lead to, against a walk over every path."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alto_lg.engine.facts import Evidence, Fact, Keys
from alto_lg.engine.plan import STORE_KEY, Plan, Reach
from engine.plans import plan, stage

NAMES = ("a", "b", "c", "d", "e")
KEYS = ("p", "q")
thorough = settings(max_examples=200, deadline=None, derandomize=True)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """Up to five stages with any edges. Those that take lists in part are triggered by name only."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    some = st.sets(st.sampled_from(names), max_size=3)
    keys = st.sets(st.sampled_from(KEYS), max_size=1)
    readers = draw(some)
    stages = [
        stage(
            name,
            writes=draw(keys),
            mutates=draw(keys),
            certain=(certain := draw(some)),
            may=(may := draw(some)),
            sends=frozenset((certain | may) - readers),
            unfinished=frozenset({"p"} if name in readers else ()),
            touches_store=draw(st.booleans()),
            mutates_left=frozenset(draw(st.sets(st.sampled_from(KEYS), max_size=1))),
        )
        for name in names
    ]
    return plan(*stages, keys=KEYS)


def _exactly(made: Plan, name: str, hops: int) -> set[str]:
    """Stages at the end of a path of so many hops."""
    at = {name}
    for _ in range(hops):
        at = {after for one in at for after in made.stages[one].successors}
    return at


def _within(made: Plan, name: str, hops: int) -> set[str]:
    return set().union(*(_exactly(made, name, count) for count in range(hops + 1)))


hops = st.integers(-2, 9)


@thorough
@given(graphs(), st.sampled_from(NAMES), hops)
def test_stages_in_reach_are_those_at_the_end_of_some_path(made: Plan, name: str, count: int) -> None:
    if name in made.stages:
        assert made.reach.stages(name, count) == _within(made, name, count)


@thorough
@given(graphs(), st.sampled_from(NAMES), hops)
def test_keys_in_reach_are_those_that_some_stage_in_reach_may_write(made: Plan, name: str, count: int) -> None:
    if name in made.stages:
        expected: set[str] = set()
        for reached in _within(made, name, count):
            expected |= made.stages[reached].writes.keys.within(made.keys)
            expected |= {STORE_KEY} if made.stages[reached].touches_store else set()
        assert made.reach.writes(name, count) == expected


@thorough
@given(graphs(), st.sampled_from(NAMES), hops)
def test_mutators_in_reach_leave_out_the_firing_itself_but_not_its_stage(made: Plan, name: str, count: int) -> None:
    if name in made.stages:
        later = set().union(*(_exactly(made, name, at) for at in range(1, count + 1)))
        assert made.reach.mutating(name, count) == {one for one in later if made.stages[one].may_mutate}


@thorough
@given(graphs(), st.sampled_from(NAMES), st.integers(0, 30))
def test_reach_grows_with_the_hops_and_then_stays(made: Plan, name: str, count: int) -> None:
    if name in made.stages:
        assert made.reach.stages(name, count) <= made.reach.stages(name, count + 1)
        if count >= len(made.stages):
            assert made.reach.stages(name, count) == made.reach.stages(name, 10_000)


@thorough
@given(graphs(), st.sampled_from(NAMES), st.integers(0, 12))
def test_what_is_exactly_so_many_hops_away_is_never_left_out(made: Plan, name: str, count: int) -> None:
    if name in made.stages:
        assert made.reach.exactly(name, count) >= _exactly(made, name, count)
        assert made.reach.exactly(name, count) <= made.reach.stages(name, count)


@thorough
@given(graphs(), st.sampled_from(NAMES), st.integers(0, 12))
def test_where_nothing_is_known_ahead_all_that_is_exactly_so_far_away_is_ahead(
    made: Plan, name: str, count: int
) -> None:
    if name in made.stages:
        ahead = made.reach.ahead(name, count, frozenset())
        assert [set(level) for level in ahead] == [_exactly(made, name, at) for at in range(count + 1)]


def test_a_firing_that_is_known_hides_what_only_it_leads_to() -> None:
    made = plan(
        stage("a", may="b c", sends=frozenset("c")),
        stage("b", certain="d", sends=frozenset()),
        stage("c", certain="e", sends=frozenset()),
        stage("d"),
        stage("e"),
    )
    assert made.reach.ahead("a", 2, frozenset({(1, "b")})) == ({"a": False}, {"c": True}, {"e": True})
    assert made.reach.ahead("a", 2, frozenset({(1, "b")}), sent_all=True)[2] == {"e": True}
    assert made.reach.ahead("a", 2, frozenset({(1, "b"), (1, "c")}))[2] == {"e": True}, "a packet to c is another one"
    assert made.reach.ahead("a", 2, frozenset({(1, "b"), (1, "c")}), sent_all=True)[2] == {}
    assert made.reach.ahead("a", 2, frozenset({(2, "d")}))[2] == {"e": True}


@thorough
@given(graphs(), st.lists(st.tuples(st.sampled_from(NAMES), hops), max_size=12))
def test_an_answer_does_not_depend_on_what_was_asked_before(made: Plan, asked: list[tuple[str, int]]) -> None:
    for name, count in asked:
        if name in made.stages:
            fresh = Reach(made.stages, made.keys, made.reducing)
            assert made.reach.stages(name, count) == fresh.stages(name, count)
            assert made.reach.writes(name, count) == fresh.writes(name, count)
            assert made.reach.mutating(name, count) == fresh.mutating(name, count)


def test_a_stage_that_may_write_everything_writes_the_keys_of_the_plan() -> None:
    everything = Fact(Keys.every(), Evidence.UNKNOWN, "not seen")
    one = stage("a")
    made = plan(type(one)("a", one.reads, one.route_reads, everything, one.mutates), keys="p q")
    assert made.reach.writes("a", 0) == {"p", "q"}


def test_a_key_that_no_plan_has_is_not_written() -> None:
    made = Plan({"a": stage("a", writes="p z")}, frozenset({"p"}))
    assert made.reach.writes("a", 0) == {"p"}


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        plan(stage("a")).keys = frozenset()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("traits", "state", "packet"),
    [
        ({}, False, False),
        ({"mutates": "p"}, True, True),
        ({"assigns": True}, False, True),
        ({"mutates_left": frozenset({"p"})}, True, False),
        ({"mutates_outside": True}, False, False),
    ],
)
def test_what_may_change_the_state_or_a_packet_in_place(traits: dict[str, object], state: bool, packet: bool) -> None:
    one = stage("a", **traits)  # type: ignore[arg-type]
    assert one.may_mutate is state
    assert one.may_change_packet is packet
