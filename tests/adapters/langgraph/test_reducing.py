"""Which keys a commit may change in place."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.channels.any_value import AnyValue
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.channels.delta import DeltaChannel
from langgraph.channels.last_value import LastValue
from langgraph.channels.topic import Topic

from alto_lg.adapters.langgraph.reducing import Reducers


def grow(left: list[int], right: list[int]) -> list[int]:
    left.extend(right)
    return left


def grow_by_all(state: list[int], writes: Sequence[list[int]]) -> list[int]:
    for write in writes:
        state.extend(write)
    return state


def gather(state: list[int], writes: Sequence[list[int]]) -> list[int]:
    return [*state, *(item for write in writes for item in write)]


class Own(LastValue[list[int]]):
    """A channel of a user's, which may do anything."""


@pytest.mark.parametrize(
    ("channel", "in_place"),
    [
        (LastValue(list), False),
        (AnyValue(list), False),
        (Topic(int, accumulate=True), False),
        (BinaryOperatorAggregate(list, operator.add), False),
        (BinaryOperatorAggregate(list, grow), True),
        (BinaryOperatorAggregate(list, operator.iadd), True),
        (DeltaChannel(gather), False),
        (DeltaChannel(grow_by_all), True),
        (Own(list), True),
    ],
)
def test_what_cannot_be_proven_to_leave_a_value_alone_may_change_it(channel: Any, in_place: bool) -> None:
    assert Reducers({"key": channel}).reduces_in_place("key") is in_place
    assert Reducers({"key": channel, "other": LastValue(int)}).any_in_place is in_place
