"""Reducers: useful on any graph, associative, and harmless to what they are given."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation
from hypothesis import given
from hypothesis import strategies as st
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from alto_lg import reducers
from alto_lg.adapters.langgraph.analysis import reducer_is_pure

LISTS: dict[str, Callable[..., Any]] = {
    "concatenate": reducers.concatenate,
    "distinct": reducers.distinct,
    "union": reducers.union,
    "count": reducers.count,
    "first": reducers.first(3),
    "top": reducers.top(3),
    "top by": reducers.top(2, by=lambda item: item % 3),
    "keep": reducers.keep(lambda item: item % 2 == 0),
}
updates = st.lists(st.integers(0, 9), max_size=6)
every_reducer = pytest.mark.parametrize("reducer", LISTS.values(), ids=LISTS)


@every_reducer
@given(before=updates, one=updates, other=updates)
def test_folding_two_updates_first_makes_no_difference(reducer: Any, before: Any, one: Any, other: Any) -> None:
    start = reducer([], before)
    assert reducer(reducer(start, one), other) == reducer(start, reducer(one, other))


@every_reducer
@given(before=updates, update=updates)
def test_nothing_is_changed_in_place(reducer: Any, before: Any, update: Any) -> None:
    kept = copy.copy(before), copy.copy(update)
    reducer(before, update)
    assert (before, update) == kept


@pytest.mark.parametrize("reducer", [reducers.union, reducers.count], ids=["union", "count"])
@given(one=updates, other=updates)
def test_what_is_said_to_commute_does(reducer: Any, one: Any, other: Any) -> None:
    start = reducer([], [])
    assert reducer(reducer(start, one), other) == reducer(reducer(start, other), one)


def test_these_commute_and_no_others() -> None:
    assert [name for name, one in LISTS.items() if reducers.commutes(one)] == ["union", "count"]
    assert reducers.commutes(reducers.total)
    assert not reducers.commutes(operator.add)


def test_of_equal_items_the_first_stay_at_the_top() -> None:
    top = reducers.top(2, by="score")
    a, b, c, d = ({"name": name, "score": score} for name, score in (("a", 1), ("b", 2), ("c", 2), ("d", 2)))
    assert top(top([], [a, b]), [c, d]) == [b, c]


def test_a_count_takes_numbers_collections_and_nothing() -> None:
    assert reducers.count(reducers.count(reducers.count(0, [1, 2]), 3), None) == 5


@pytest.mark.parametrize("make", [reducers.first, reducers.top])
def test_a_limit_below_nothing_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="must be 0 or more, got -1"):
        make(-1)


@pytest.mark.parametrize("reducer", [*LISTS.values(), reducers.total], ids=[*LISTS, "total"])
def test_the_analysis_knows_that_they_change_nothing(reducer: Any) -> None:
    assert reducer_is_pure(reducer)[0]


def test_a_function_of_the_users_that_changes_items_is_seen() -> None:
    def touched(item: dict[str, int]) -> int:
        item["seen"] = 1
        return item["score"]

    assert not reducer_is_pure(reducers.top(1, by=touched))[0]


class State(TypedDict, total=False):
    found: Annotated[list[int], reducers.concatenate]
    best: Annotated[list[int], reducers.top(2)]
    seen: Annotated[set[int], reducers.union]
    number: Annotated[int, reducers.count]
    sum: Annotated[int, reducers.total]
    even: Annotated[list[int], reducers.keep(lambda item: item % 2 == 0)]
    earliest: Annotated[list[int], reducers.first(2)]


def test_they_work_as_reducers_of_a_graph(impl: Implementation) -> None:
    def node(*items: int) -> Any:
        def write(state: State) -> dict[str, Any]:
            some = list(items)
            every = dict.fromkeys(("found", "best", "even", "earliest", "number"), some)
            return {**every, "seen": set(items), "sum": sum(items)}

        return write

    builder = StateGraph(State)
    for name, items in (("a", (4, 1)), ("b", (2, 7)), ("c", (3,))):
        builder.add_node(name, node(*items))
        builder.add_edge(START, name)
    assert impl(builder.compile()).invoke({}) == {
        "found": [4, 1, 2, 7, 3],
        "best": [7, 4],
        "seen": {1, 2, 3, 4, 7},
        "number": 5,
        "sum": 17,
        "even": [4, 2],
        "earliest": [4, 1],
    }
