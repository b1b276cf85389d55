"""Outlook: who may run beside whom, what holds a stage up, and what could be declared about it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from alto_lg.engine.facts import Advice, Evidence, Fact, Keys, unknown
from alto_lg.engine.outlook import Outlook, outlooks
from alto_lg.engine.plan import Plan, Stage
from engine.plans import join, plan, stage


def _outlook(made: Plan, name: str) -> Outlook:
    (found,) = [one for one in outlooks(made) if one.stage.name == name]
    return found


def _fork(*, after: Stage | None = None, slow: Stage | None = None) -> Plan:
    """fast and after on one side, slow on the other; after may start while slow still runs."""
    return plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="after"),
        slow or stage("slow", writes="late"),
        after or stage("after"),
        keys="p late",
    )


def test_there_is_one_outlook_for_each_stage_in_the_order_of_the_graph() -> None:
    assert [one.stage.name for one in outlooks(_fork())] == ["fork", "fast", "slow", "after"]


def test_a_stage_behind_a_fast_branch_may_start_beside_the_slow_one() -> None:
    found = _outlook(_fork(), "after")
    assert found.rivals == ("slow",)
    assert found.starts_early
    assert found.reasons == ()


def test_where_the_run_can_pause_a_stage_that_may_do_so_holds_up_whoever_would_pass_it() -> None:
    pausing = _fork(slow=stage("slow", may_interrupt=True))
    assert _outlook(pausing, "after").starts_early
    (held,) = [one for one in outlooks(pausing, can_pause=True) if one.stage.name == "after"]
    assert not held.starts_early
    assert held.reasons == (
        "'slow' may pause the run by interrupt() or unseen code, and with a checkpointer nothing passes it",
    )


def test_stages_of_the_same_step_are_no_rivals() -> None:
    assert "slow" not in _outlook(_fork(), "fast").rivals


def test_a_chain_has_no_rivals() -> None:
    made = plan(stage("a", certain="b"), stage("b", certain="c"), stage("c"))
    for found in outlooks(made):
        assert found.rivals == ()
        assert not found.starts_early
        assert found.reasons == ("nothing that does not lead to it runs beside it",)


def test_items_of_one_fan_out_are_rivals_of_each_other() -> None:
    made = plan(stage("split", may="one"), stage("one", may="two"), stage("two"))
    assert "one" in _outlook(made, "two").rivals


def test_the_sources_of_a_join_are_no_rivals_of_its_target() -> None:
    made = plan(
        stage("fork", certain="near far"),
        stage("near", may="target"),
        stage("far", certain="farther"),
        stage("farther", may="target"),
        stage("target"),
        joins=[join("near farther", "target")],
    )
    assert {"near", "farther"}.isdisjoint(_outlook(made, "target").rivals)


def test_a_loop_may_be_gone_round_while_anything_else_still_runs() -> None:
    made = plan(
        stage("fork", certain="head slow"),
        stage("head", may="body"),
        stage("body", may="head"),
        stage("slow", certain="slower"),
        stage("slower", certain="slowest"),
        stage("slowest"),
    )
    assert {"slow", "slower", "slowest"} <= set(_outlook(made, "body").rivals)


def test_a_rival_that_may_write_what_a_stage_reads_holds_it_up() -> None:
    found = _outlook(_fork(after=stage("after", reads="late")), "after")
    assert not found.starts_early
    (reason,) = found.reasons
    assert reason == "'slow' may write late (the test says so), which it reads (the test says so)"


def test_no_more_than_three_keys_are_named() -> None:
    reader = stage("after", reads="a b c d")
    (reason,) = _outlook(_fork(after=reader, slow=stage("slow", writes="a b c d")), "after").reasons
    assert "may write a, b, c, … (" in reason


def test_a_rival_that_keeps_a_barrier_holds_everything_up() -> None:
    (reason,) = _outlook(_fork(slow=stage("slow", barrier=True)), "after").reasons
    assert reason == "'slow' is declared a barrier"


def test_a_rival_that_may_change_values_in_place_is_named() -> None:
    found = _outlook(_fork(slow=stage("slow", mutates="p")), "after")
    assert not found.starts_early
    assert found.reasons == (
        "'slow' may change a value in place (the test says so); values that cannot be changed are safe",
    )


def test_a_rival_that_may_change_what_was_left_outside_is_named() -> None:
    found = _outlook(_fork(slow=stage("slow", mutates_left=frozenset("p"))), "after")
    assert found.reasons == (
        "'slow' may change a value in place (it changes objects outside the graph); values that cannot be changed "
        "are safe",
    )


def test_rivals_that_hold_a_stage_up_in_the_same_way_share_a_clause() -> None:
    made = plan(
        stage("fork", certain="fast slow slower"),
        stage("fast", certain="after"),
        stage("slow", writes="late"),
        stage("slower", writes="late"),
        stage("after", reads="late"),
    )
    (reason,) = _outlook(made, "after").reasons
    assert reason.startswith("'slow', 'slower' may write late")


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"barrier": True}, "it is declared a barrier"),
        ({"never_early": "it is deferred"}, "it is deferred"),
    ],
)
def test_a_stage_that_holds_itself_up_gives_that_as_the_only_reason(traits: dict[str, object], reason: str) -> None:
    found = _outlook(_fork(after=stage("after", **traits)), "after")  # type: ignore[arg-type]
    assert not found.starts_early
    assert found.reasons == (reason,)
    assert found.hints == ()
    assert found.rivals == ("slow",)


def test_a_reader_of_everything_is_told_to_declare_its_reads() -> None:
    reader = replace(stage("after"), reads=unknown("it hands the state on"))
    found = _outlook(_fork(after=reader), "after")
    assert found.hints == ("declare what 'after' reads: alto_lg.node(reads=[…])",)


def test_a_writer_of_everything_is_told_to_declare_its_writes() -> None:
    writer = replace(stage("slow"), writes=unknown("it returns a variable"))
    found = _outlook(_fork(after=stage("after", reads="p"), slow=writer), "after")
    assert found.hints == ("declare what 'slow' writes: alto_lg.node(writes=[…])",)


def test_either_declaration_is_offered_where_each_would_do() -> None:
    writer = replace(stage("slow"), writes=unknown("it returns a variable"))
    reader = replace(stage("after"), reads=unknown("it hands the state on"))
    hints = _outlook(_fork(after=reader, slow=writer), "after").hints
    assert {hint.split(":")[0] for hint in hints} == {"declare what 'after' reads", "declare what 'slow' writes"}


def test_facts_that_the_code_proves_cannot_be_declared_away() -> None:
    found = _outlook(_fork(after=stage("after", reads="late")), "after")
    assert found.hints == ()


def test_a_barrier_is_no_matter_of_reads() -> None:
    reader = replace(stage("after"), reads=unknown("it hands the state on"))
    found = _outlook(_fork(after=reader, slow=stage("slow", barrier=True)), "after")
    assert found.hints == ()


def test_facts_from_a_schema_may_be_narrowed_by_a_declaration() -> None:
    reader = replace(stage("after"), reads=Fact(Keys.of(["p", "late"]), Evidence.SCHEMA, "its input schema"))
    assert _outlook(_fork(after=reader), "after").hints == ("declare what 'after' reads: alto_lg.node(reads=[…])",)


def test_advice_about_the_code_of_a_stage_is_passed_on() -> None:
    advice = Advice("two calls are awaited one after another", "flow.py:12")
    assert _outlook(_fork(after=replace(stage("after"), advice=(advice,))), "after").advice == (advice,)


def test_a_long_chain_beside_a_rival_has_an_outlook() -> None:
    names = [f"s{number}" for number in range(1200)]
    links = [stage(one, certain=[after]) for one, after in itertools.pairwise(names)]
    made = plan(stage("fork", certain=["slow", names[0]]), stage("slow"), *links, stage(names[-1]))
    assert _outlook(made, names[-1]).starts_early
