"""Facts: sets of keys in which "every" is a value, and what they say about their evidence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alto_lg.engine.facts import Evidence, Fact, Keys, nothing, opaque, unknown

UNIVERSE = frozenset("pqrs")
key_sets = st.one_of(st.just(Keys.every()), st.frozensets(st.sampled_from("pqrs")).map(Keys.of))
facts = st.builds(Fact, key_sets, st.sampled_from(Evidence), st.sampled_from(("one", "other")))
derandomized = settings(derandomize=True, deadline=None)


@derandomized
@given(key_sets, key_sets)
def test_or_and_and_of_keys_are_union_and_intersection_in_every_universe(one: Keys, other: Keys) -> None:
    assert (one | other).within(UNIVERSE) == one.within(UNIVERSE) | other.within(UNIVERSE)
    assert (one & other).within(UNIVERSE) == one.within(UNIVERSE) & other.within(UNIVERSE)


@derandomized
@given(key_sets, st.sampled_from("pqrs"))
def test_membership_is_membership_in_every_universe(keys: Keys, name: str) -> None:
    assert (name in keys) == (name in keys.within(UNIVERSE))


def test_every_key_contains_names_that_nobody_thought_of() -> None:
    assert "anything" in Keys.every()
    assert Keys.every().is_every
    assert not Keys.of("a").is_every


def test_only_no_key_at_all_is_false() -> None:
    assert not Keys.of()
    assert Keys.of(["a"])
    assert Keys.every()


def test_names_outside_a_universe_are_left_out() -> None:
    assert Keys.of(["a", "z"]).within({"a", "b"}) == {"a"}
    assert Keys.every().within(()) == frozenset()


@pytest.mark.parametrize(
    ("keys", "text"), [(Keys.every(), "every key"), (Keys.of(), "nothing"), (Keys.of(["b", "a"]), "a, b")]
)
def test_keys_read_well(keys: Keys, text: str) -> None:
    assert str(keys) == text


@derandomized
@given(facts, facts)
def test_two_facts_together_are_as_weak_as_the_weaker_one(one: Fact, other: Fact) -> None:
    together = one | other
    order = list(Evidence)
    assert together.keys == one.keys | other.keys
    assert order.index(together.evidence) == max(order.index(one.evidence), order.index(other.evidence))
    assert together.why in (one.why, other.why)


@derandomized
@given(facts, facts)
def test_a_fact_never_claims_less_after_another_is_added(one: Fact, other: Fact) -> None:
    assert (one | other).keys.within(UNIVERSE) >= one.keys.within(UNIVERSE)


def test_the_reason_is_the_one_of_the_weaker_evidence() -> None:
    declared = Fact(Keys.of("a"), Evidence.HINT, "declared")
    assert (declared | unknown("not seen")).why == "not seen"
    assert (unknown("not seen") | declared).why == "not seen"
    assert (declared | nothing("read")).evidence is Evidence.CODE


def test_code_that_cannot_be_seen_may_do_everything() -> None:
    seen = opaque("it is not Python")
    for fact in (seen.reads, seen.writes, seen.goto, seen.mutates):
        assert fact == unknown("it is not Python")
    assert seen.leaks.is_every
    assert seen.mutates_outside and seen.assigns and seen.interrupts and seen.store
    assert not seen.visible


def test_nothing_touches_no_key_by_the_evidence_given() -> None:
    assert nothing("no code") == Fact(Keys.of(), Evidence.CODE, "no code")
    assert nothing("no code", Evidence.HINT).evidence is Evidence.HINT
