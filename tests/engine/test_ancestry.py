"""Ancestry: the order of commits, and what a firing belongs to."""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.pregel import _algo

from alto_lg.engine.ancestry import Ancestry

REQUEST = Ancestry.request()
names = st.sampled_from(("a", "b", "ab", "B", "extract", "é"))
Origins = list[list[tuple[str, int]]]
"""For each step, the sends of each firing: to whom, and how many."""


def _mixed(firings: Sequence[Ancestry]) -> list[Ancestry]:
    return random.Random(1).sample(firings, len(firings))


def _langgraph_key(path: tuple[Any, ...]) -> Any:
    text = _algo.task_path_str(path)
    # Older versions sort by the text itself.
    return getattr(_algo, "writes_sort_key", str)(text)


@st.composite
def runs(draw: st.DrawFn) -> list[list[tuple[Ancestry, tuple[Any, ...]]]]:
    """Steps of firings, each with the path that LangGraph would give its task, in LangGraph's order."""
    steps: list[list[tuple[Ancestry, tuple[Any, ...]]]] = []
    senders: list[Ancestry] = [REQUEST]
    for step in range(draw(st.integers(1, 4))):
        pulled = draw(st.sets(names, max_size=3))
        found = [(REQUEST.triggered(name, step), ("__pregel_pull", name)) for name in pulled]
        number = itertools.count()
        for sender in senders:  # LangGraph collects the sends of a step in the order in which writes are applied
            for index in range(draw(st.sampled_from((0, 1, 2, 3, 11)))):
                ancestry = sender.sent(draw(names), step, index, run=REQUEST)
                found.append((ancestry, ("__pregel_push", next(number))))
        found.sort(key=lambda one: _langgraph_key(one[1]))
        steps.append(found)
        senders = [ancestry for ancestry, _ in found][:6]
    return steps


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), st.integers(0, 1000))
def test_sorting_by_order_is_sorting_as_langgraph_does(
    steps: Sequence[Sequence[tuple[Ancestry, tuple[Any, ...]]]], seed: int
) -> None:
    for expected in steps:
        shuffled = list(expected)
        random.Random(seed).shuffle(shuffled)
        shuffled.sort(key=lambda one: one[0].order)
        assert [path for _, path in shuffled] == [path for _, path in expected]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(runs())
def test_firings_of_one_run_are_in_a_total_order(steps: Sequence[Sequence[tuple[Ancestry, Any]]]) -> None:
    firings = [ancestry for step in steps for ancestry, _ in step]
    for one, other in itertools.pairwise(firings):
        assert one < other
        assert not other < one
        assert one != other
    assert sorted(_mixed(firings)) == firings
    assert len(set(firings)) == len(firings)


def test_the_eleventh_packet_comes_after_the_tenth() -> None:
    sender = REQUEST.triggered("split", 0)
    packets = [sender.sent("work", 1, index, run=REQUEST) for index in range(12)]
    assert sorted(_mixed(packets)) == packets


def test_triggered_stages_come_before_packets_of_the_same_step() -> None:
    sender = REQUEST.triggered("a", 0)
    assert REQUEST.triggered("z", 1) < sender.sent("a", 1, 0, run=REQUEST)


def test_packets_are_ordered_by_their_sender_and_not_by_their_stage() -> None:
    first, second = REQUEST.triggered("a", 0), REQUEST.triggered("b", 0)
    assert first.sent("z", 1, 5, run=REQUEST) < second.sent("a", 1, 0, run=REQUEST)


def test_packets_of_the_input_come_in_their_order() -> None:
    packets = [REQUEST.sent("work", 0, index, run=REQUEST) for index in range(3)]
    assert sorted(_mixed(packets)) == packets


def test_a_long_chain_of_packets_is_still_compared() -> None:
    split = REQUEST.triggered("split", 0)
    ends = []
    for index in range(2):
        item = split.sent("hop", 1, index, run=REQUEST)
        for step in range(2, 3000):
            item = item.sent("hop", step, 0, run=REQUEST)
        ends.append(item)
    assert ends[0].order < ends[1].order


def test_a_subgraph_hangs_under_the_firing_that_runs_it() -> None:
    outer = REQUEST.triggered("research", 1)
    inner = outer.triggered("search", 0)
    packet = inner.sent("page", 1, 2, run=outer)
    assert str(packet) == "request ▸ research ▸ search ▸ page#2"
    assert packet.run == outer
    assert inner.parent == outer


def test_firings_of_a_subgraph_commit_with_the_firing_that_runs_it() -> None:
    first, second = REQUEST.triggered("a", 1), REQUEST.triggered("b", 1)
    inside = [first.triggered("z", step) for step in range(3)]
    later = [second.triggered("a", 0)]
    following = REQUEST.triggered("a", 2)
    ordered = [REQUEST, first, *inside, second, *later, following]
    assert sorted(_mixed(ordered)) == ordered


def test_a_triggered_firing_gathers_and_hangs_under_its_run() -> None:
    sender = REQUEST.triggered("split", 0)
    packet = sender.sent("work", 1, 0, run=REQUEST)
    assert str(packet) == "request ▸ split ▸ work#0"
    assert str(REQUEST.triggered("gather", 2)) == "request ▸ gather"


def test_at_finds_the_nearest_level_of_a_stage() -> None:
    first = REQUEST.triggered("split", 0).sent("work", 1, 3, run=REQUEST)
    again = first.sent("check", 2, 0, run=REQUEST).sent("work", 3, 1, run=REQUEST)
    assert again.at("work") is again
    assert first.at("work") is first
    assert again.at("check") is again.parent
    assert again.at("request") is REQUEST
    assert again.at("nobody") is None


def test_indices_say_which_item_of_which_item() -> None:
    item = REQUEST.triggered("split", 0).sent("work", 1, 3, run=REQUEST).sent("part", 2, 1, run=REQUEST)
    assert item.indices() == (3, 1)
    assert REQUEST.indices() == ()


def test_is_within_holds_at_a_level_and_everywhere_below_it() -> None:
    split = REQUEST.triggered("split", 0)
    item = split.sent("work", 1, 3, run=REQUEST)
    part = item.sent("part", 2, 1, run=REQUEST)
    assert part.is_within(item)
    assert item.is_within(item)
    assert not item.is_within(part)
    assert not split.sent("work", 1, 2, run=REQUEST).is_within(item)


def test_levels_go_from_the_top_down() -> None:
    item = REQUEST.triggered("split", 0).sent("work", 1, 3, run=REQUEST)
    assert [level.stage for level in item.levels()] == ["request", "split", "work"]


def test_equal_identities_are_equal_whoever_made_them() -> None:
    one, other = (Ancestry.request().triggered("a", 1).sent("b", 2, 0, run=Ancestry.request()) for _ in range(2))
    assert one is not other
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    "other",
    [
        REQUEST.triggered("b", 1),
        REQUEST.triggered("a", 2),
        REQUEST.sent("a", 1, 0, run=REQUEST),
        REQUEST.triggered("a", 0).triggered("a", 1),
        "request ▸ a",
    ],
    ids=str,
)
def test_another_stage_step_index_or_parent_is_another_identity(other: object) -> None:
    assert REQUEST.triggered("a", 1) != other


def test_an_ancestry_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        REQUEST.stage = "other"  # type: ignore[misc]


def test_an_ancestry_is_the_same_in_another_process_however_long_its_chain() -> None:
    request = Ancestry.request()
    inner = request.triggered("subgraph", 1).sent("deep", 2, 3, run=request)
    long = inner
    for step in range(3000):
        long = long.sent("hop", step, step % 7, run=inner)
    for one in (request, inner, long):
        again = pickle.loads(pickle.dumps(one))
        assert again == one
        assert again.order == one.order
        assert (again.run is None) == (one.run is None)
        assert again.run == one.run
