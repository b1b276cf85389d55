"""Frontier: what may still happen before a step, against everything that then does happen."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alto_lg.engine.frontier import Changes, Frontier, Pointstamp
from alto_lg.engine.plan import STORE_KEY, Plan
from engine.plans import plan, stage
from engine.test_plan import KEYS, NAMES, graphs

thorough = settings(max_examples=200, deadline=None, derandomize=True)
LAST_STEP = 6


@dataclass(frozen=True, slots=True)
class _Happened:
    """One firing that ended: what it wrote, and whether it changed something in place."""

    step: int
    stage: str
    wrote: frozenset[str]
    mutated: bool


def _execute(made: Plan, seed: int, look: Callable[[Frontier, list[_Happened]], None]) -> list[_Happened]:
    """A random execution: any outstanding firing ends next, and activates and writes any part of what it may.

    `look` is called before each end with the frontier and what has ended so far. A stage that takes lists in part is
    triggered by name: it fires once in a step, and may have ended before all that trigger it.
    """
    draw = random.Random(seed)
    frontier = Frontier(made)
    outstanding: list[Pointstamp] = []
    ended: list[_Happened] = []

    known: set[Pointstamp] = set()

    def add(step: int, name: str) -> None:
        if made.stages[name].unfinished:
            if (step, name) in known:
                return
            known.add((step, name))
        frontier.add(step, name, changes=Changes.STATE if made.stages[name].may_mutate else Changes.NOTHING)
        outstanding.append((step, name))

    for name in draw.sample(sorted(made.stages), draw.randint(1, len(made.stages))):
        add(0, name)
    while outstanding and len(ended) < 60:
        look(frontier, ended)
        step, name = outstanding.pop(draw.randrange(len(outstanding)))
        one = made.stages[name]
        if step < LAST_STEP:
            for successor in one.successors:
                for _ in range(draw.choice((0, 1, 1, 2))):
                    add(step + 1, successor)
        may_write = made.reach.writes(name, 0)
        wrote = frozenset(key for key in may_write if draw.random() < 0.7)
        frontier.remove(step, name, changes=Changes.STATE if one.may_mutate else Changes.NOTHING)
        if one.unfinished:
            frontier.fire(step, name)
        ended.append(_Happened(step, name, wrote, one.may_mutate and draw.random() < 0.7))
    return ended


@thorough
@given(graphs(), st.integers(0, 10_000), st.sets(st.sampled_from((*KEYS, STORE_KEY))), st.integers(0, LAST_STEP + 1))
def test_keys_that_are_settled_at_a_step_are_never_written_before_it_again(
    made: Plan, seed: int, keys: set[str], step: int
) -> None:
    settled_after: list[int] = []

    def look(frontier: Frontier, ended: list[_Happened]) -> None:
        if frontier.unsettled(frozenset(keys), step) is None:
            settled_after.append(len(ended))

    ended = _execute(made, seed, look)
    if settled_after:
        for later in ended[settled_after[0] :]:
            assert later.step >= step or later.wrote.isdisjoint(keys)
        assert settled_after == list(range(settled_after[0], len(ended))), "what is settled stays settled"


@thorough
@given(graphs(), st.integers(0, 10_000), st.sets(st.sampled_from(NAMES)), st.integers(0, LAST_STEP))
def test_a_stage_that_may_not_fire_any_more_does_not(made: Plan, seed: int, names: set[str], until: int) -> None:
    impossible_after: list[int] = []

    def look(frontier: Frontier, ended: list[_Happened]) -> None:
        if frontier.may_fire(frozenset(names), until) is None:
            impossible_after.append(len(ended))

    ended = _execute(made, seed, look)
    if impossible_after:
        for later in ended[impossible_after[0] :]:
            assert later.step > until or later.stage not in names


@thorough
@given(graphs(), st.integers(0, 10_000), st.sampled_from(NAMES), st.integers(1, LAST_STEP))
def test_a_stage_that_nothing_may_trigger_at_a_step_is_not_triggered_then(
    made: Plan, seed: int, name: str, step: int
) -> None:
    impossible_after: list[tuple[int, int]] = []

    def look(frontier: Frontier, ended: list[_Happened]) -> None:
        if frontier.may_trigger(name, step) is None:
            # One that is outstanding at that very step already is no news.
            impossible_after.append((len(ended), frontier._outstanding[step, name]))

    ended = _execute(made, seed, look)
    if impossible_after:
        count, known = impossible_after[0]
        later = [one for one in ended[count:] if (one.step, one.stage) == (step, name)]
        assert len(later) <= known


@thorough
@given(graphs(), st.integers(0, 10_000), st.integers(0, LAST_STEP + 1))
def test_where_no_mutator_is_before_a_step_nothing_is_changed_in_place_before_it(
    made: Plan, seed: int, step: int
) -> None:
    safe_after: list[int] = []

    def look(frontier: Frontier, ended: list[_Happened]) -> None:
        if frontier.mutator_before(step) is None:
            safe_after.append(len(ended))

    ended = _execute(made, seed, look)
    if safe_after:
        assert not any(later.mutated and later.step < step for later in ended[safe_after[0] :])


@thorough
@given(graphs(), st.integers(0, 10_000))
def test_an_answer_names_a_firing_that_is_outstanding(made: Plan, seed: int) -> None:
    def look(frontier: Frontier, ended: list[_Happened]) -> None:
        everything = frozenset((*KEYS, STORE_KEY))
        for step in range(LAST_STEP + 2):
            answers = (
                frontier.unsettled(everything, step),
                frontier.mutator_before(step),
                frontier.may_fire(frozenset(made.stages), step),
            )
            for stamp in answers:
                assert stamp is None or frontier._outstanding[stamp] > 0

    _execute(made, seed, look)


stamps = st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans())


@thorough
@given(st.lists(stamps, max_size=12), st.randoms(use_true_random=False))
def test_counts_are_what_was_added_less_what_was_removed(
    added: list[tuple[int, str, bool]], draw: random.Random
) -> None:
    frontier = Frontier(plan(stage("a"), stage("b")))
    expected: Counter[Pointstamp] = Counter()
    for step, name, mutates in added:
        frontier.add(step, name, changes=Changes.STATE if mutates else Changes.NOTHING)
        expected[step, name] += 1
    mutating = Counter((step, name) for step, name, mutates in added if mutates)
    draw.shuffle(added)
    for step, name, mutates in added:
        expected[step, name] -= 1
        mutating[step, name] -= mutates
        moved = frontier.remove(step, name, changes=Changes.STATE if mutates else Changes.NOTHING)
        fell_to_zero = not expected[step, name] or (mutates and not mutating[step, name])
        assert moved == fell_to_zero
        assert [frontier.count_at(at) for at in range(4)] == [
            sum(count for (time, _), count in expected.items() if time == at) for at in range(4)
        ]
    assert frontier.mutator_before(99) is None
    assert frontier.may_fire(frozenset("ab"), 99) is None


def test_removing_what_was_never_added_is_an_error_that_names_it() -> None:
    with pytest.raises(AssertionError, match=r"\(3, 'a'\) was removed more often than added"):
        Frontier(plan(stage("a"))).remove(3, "a")


def test_a_firing_of_the_same_step_or_a_later_one_settles_nothing_and_unsettles_nothing() -> None:
    frontier = Frontier(plan(stage("a", writes="p")))
    frontier.add(2, "a")
    assert frontier.unsettled(frozenset("p"), 2) is None
    assert frontier.unsettled(frozenset("p"), 3) == (2, "a")
    assert frontier.unsettled(frozenset("q"), 3) is None


def test_a_write_two_edges_away_counts_only_from_two_steps_on() -> None:
    made = plan(stage("a", certain="b"), stage("b", certain="c"), stage("c", writes="p"))
    frontier = Frontier(made)
    frontier.add(0, "a")
    assert frontier.unsettled(frozenset("p"), 2) is None
    assert frontier.unsettled(frozenset("p"), 3) == (0, "a")


def test_a_mutator_that_was_found_harmless_is_none_though_what_follows_it_may_be() -> None:
    made = plan(stage("a", mutates="p", may="b"), stage("b", mutates="p"))
    frontier = Frontier(made)
    frontier.add(0, "a")
    assert frontier.mutator_before(1) is None
    assert frontier.mutator_before(2) == (0, "a")


def test_who_may_write_a_key_that_is_reduced_in_place_is_a_mutator_until_its_commit() -> None:
    made = plan(stage("a", may="b"), stage("b", writes="p"), stage("c", writes="q"), in_place="p")
    frontier = Frontier(made)
    frontier.add(0, "a")
    frontier.add(0, "c")
    assert frontier.mutator_before(1) is None
    assert frontier.mutator_before(2) == (0, "a")
    frontier.remove(0, "a")
    frontier.add(1, "b")
    assert frontier.mutator_before(2) == (1, "b")
    frontier.remove(1, "b")
    assert frontier.mutator_before(2) is None
    frontier.reduce(1, "b")
    assert frontier.mutator_before(1) is None
    assert frontier.mutator_before(2) == (1, "b")


def test_a_cleared_frontier_is_empty() -> None:
    frontier = Frontier(plan(stage("a", writes="p", mutates="p")))
    frontier.add(0, "a", changes=Changes.STATE)
    frontier.reduce(0, "a")
    frontier.clear()
    assert frontier.unsettled(frozenset("p"), 9) is None
    assert frontier.mutator_before(9) is None
    assert frontier.count_at(0) == 0
