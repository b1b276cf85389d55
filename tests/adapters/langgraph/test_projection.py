"""Projection: the value of a key at a later step, against the same writes applied for real."""

from __future__ import annotations

import copy
import operator
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.channels.any_value import AnyValue
from langgraph.channels.base import BaseChannel
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValue
from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph.message import add_messages

from alto_lg.adapters.langgraph.projection import MISSING, Projection, StateView, is_changeable
from alto_lg.adapters.langgraph.reducing import Reducers

Channels = Mapping[str, BaseChannel[Any, Any, Any]]
Writes = list[dict[str, list[Any]]]
"""For each step from the base on, what was written to each key, in order."""


def _first(left: Any, right: Any) -> Any:
    return left or right


MAKERS: dict[str, Callable[[], BaseChannel[Any, Any, Any]]] = {
    "last": lambda: LastValue(int),
    "any": lambda: AnyValue(int),
    "ephemeral": lambda: EphemeralValue(int, guard=False),
    "untracked": lambda: UntrackedValue(int, guard=False),
    "topic": lambda: Topic(int),
    "all": lambda: Topic(int, accumulate=True),
    "sum": lambda: BinaryOperatorAggregate(int, operator.add),
    "first": lambda: BinaryOperatorAggregate(int, _first),
}


def _channels() -> dict[str, BaseChannel[Any, Any, Any]]:
    channels = {}
    for name, make in MAKERS.items():
        channels[name] = make()
        channels[name].key = name
    return channels


def _projection(channels: Channels, writes: Writes, base: int = 3) -> Projection:
    def values_at(step: int, key: str) -> Sequence[Any]:
        return writes[step - base].get(key, ()) if 0 <= step - base < len(writes) else ()

    return Projection(channels, lambda: base, values_at, Reducers(channels))


def _apply(channels: Channels, writes: Writes) -> None:
    """What LangGraph does at each commit: every channel hears of the step, with or without values."""
    for step in writes:
        for key, channel in channels.items():
            channel.update(step.get(key, []))


def _get(channel: BaseChannel[Any, Any, Any]) -> Any:
    try:
        return channel.get()
    except EmptyChannelError:
        return MISSING


def _one_at_most(name: str) -> bool:
    return name == "last"


@st.composite
def writes(draw: st.DrawFn) -> Writes:
    steps: Writes = []
    for _ in range(draw(st.integers(0, 4))):
        step: dict[str, list[Any]] = defaultdict(list)
        for name in MAKERS:
            step[name] = draw(st.lists(st.integers(0, 9), max_size=1 if _one_at_most(name) else 3))
        steps.append(step)
    return steps


@settings(max_examples=150, deadline=None, derandomize=True)
@given(writes(), writes())
def test_a_projected_value_is_the_one_that_applying_the_writes_gives(before: Writes, ahead: Writes) -> None:
    channels = _channels()
    _apply(channels, before)
    real = {key: channel.copy() for key, channel in channels.items()}
    _apply(real, ahead)
    projection = _projection(channels, ahead)
    for key in channels:
        assert projection.computable(key, 3 + len(ahead))
        assert projection.value(key, 3 + len(ahead)) == _get(real[key]), key


@settings(max_examples=100, deadline=None, derandomize=True)
@given(writes(), writes())
def test_looking_ahead_leaves_langgraphs_channels_as_they_are(before: Writes, ahead: Writes) -> None:
    channels = _channels()
    _apply(channels, before)
    was = {key: copy.deepcopy(_get(channel)) for key, channel in channels.items() if _get(channel) is not MISSING}
    projection = _projection(channels, ahead)
    for key in channels:
        projection.value(key, 3 + len(ahead))
    assert {key: _get(channel) for key, channel in channels.items() if _get(channel) is not MISSING} == was


def test_the_value_at_the_base_is_the_committed_one() -> None:
    channels = _channels()
    channels["last"].update([7])
    projection = _projection(channels, [{"last": [8]}])
    assert projection.value("last", 3) == 7
    assert projection.channel("last", 3) is channels["last"]
    assert projection.value("last", 4) == 8


def test_a_key_that_was_never_written_is_missing() -> None:
    assert _projection(_channels(), []).value("last", 5) is MISSING
    assert not is_changeable(MISSING)


def test_two_writes_that_langgraph_will_refuse_are_not_computable() -> None:
    channels = _channels()
    projection = _projection(channels, [{"last": [1, 2]}])
    assert not projection.computable("last", 4)
    with pytest.raises(InvalidUpdateError):
        projection.channel("last", 4)


def test_a_reducer_that_cannot_be_run_twice_is_not_computable() -> None:
    calls: list[int] = []

    def counting(left: int, right: int) -> int:
        calls.append(1)
        return left + right

    channels: Channels = {"n": BinaryOperatorAggregate(int, counting)}
    assert not _projection(channels, [{"n": [1]}]).computable("n", 4)
    assert _projection(channels, [{}]).computable("n", 4), "nothing was written, so nothing is reduced"
    assert calls == []


def test_a_reducer_that_changes_its_left_side_is_not_computable() -> None:
    def extend(left: list[int], right: list[int]) -> list[int]:
        left.extend(right)
        return left

    channels: Channels = {"n": BinaryOperatorAggregate(list, extend)}
    assert not _projection(channels, [{"n": [[1]]}]).computable("n", 4)


def test_a_channel_of_the_users_own_is_not_computable() -> None:
    class Own(LastValue[int]):
        pass

    channels: Channels = {"own": Own(int)}
    assert not _projection(channels, [{"own": [1]}]).computable("own", 4)
    assert not _projection(channels, [{}]).computable("own", 4), "it may change by itself"


@pytest.mark.parametrize(
    ("written", "computable"),
    [
        ([HumanMessage("a", id="1")], True),
        ([[HumanMessage("a", id="1"), AIMessage("b", id="2")]], True),
        ([HumanMessage("a")], False),
        ([[HumanMessage("a", id="1"), AIMessage("b")]], False),
        ([("user", "a")], False),
        ([[{"role": "user", "content": "a"}]], False),
        (["text"], False),
    ],
)
def test_messages_are_computable_only_if_each_has_its_id(written: list[Any], computable: bool) -> None:
    channels: Channels = {"messages": BinaryOperatorAggregate(list, add_messages)}
    assert _projection(channels, [{"messages": written}]).computable("messages", 4) is computable


def test_messages_are_added_as_langgraph_adds_them() -> None:
    def messages() -> list[list[Any]]:
        return [[HumanMessage("a", id="1")], [AIMessage("new", id="1"), AIMessage("b", id="2")]]

    channels: Channels = {"messages": BinaryOperatorAggregate(list, add_messages)}
    ahead: Writes = [{"messages": messages()}, {"messages": [[RemoveMessage(id="2")]]}]
    value = _projection(channels, ahead).value("messages", 5)
    channels["messages"].update(messages())
    channels["messages"].update([[RemoveMessage(id="2")]])
    assert value == channels["messages"].get()


@pytest.mark.parametrize(("value", "changeable"), [(1, False), ("text", False), ((1,), False), ([1], True), ({}, True)])
def test_only_values_that_can_be_changed_are_changeable(value: object, changeable: bool) -> None:
    assert is_changeable(value) is changeable


class _Reader:
    def __init__(self, *settled: str) -> None:
        self.settled = frozenset(settled)
        self.given: dict[str, object] = {}


def _view(channels: Channels, reader: _Reader, base: Callable[[], int]) -> StateView:
    projection = Projection(channels, base, lambda step, key: [step * 10] if step < 5 else [], Reducers(channels))
    return StateView(
        projection, reader, 5, base, frozenset({"last", "any"}), channels, {"extra": "a trigger"}, nullcontext()
    )


def test_a_reader_sees_what_is_settled_at_its_step_and_the_rest_as_it_is() -> None:
    channels = _channels()
    channels["last"].update([1])
    channels["any"].update([1])
    view = _view(channels, _Reader("last"), lambda: 3)
    assert view["last"].get() == 40
    assert view["any"].get() == 1


def test_once_its_step_is_reached_a_reader_sees_langgraphs_own_channels() -> None:
    channels = _channels()
    view = _view(channels, _Reader("last"), lambda: 5)
    assert view["last"] is channels["last"]


def test_what_becomes_settled_later_is_seen_from_then_on() -> None:
    channels = _channels()
    channels["last"].update([1])
    reader = _Reader()
    view = _view(channels, reader, lambda: 3)
    assert view["last"].get() == 1
    reader.settled = frozenset({"last"})
    assert view["last"].get() == 40


def test_a_view_is_a_mapping_of_the_keys_with_the_extras_in_reach() -> None:
    view = _view(_channels(), _Reader(), lambda: 3)
    names: Iterator[str] = iter(view)
    assert set(names) == {"last", "any"}
    assert len(view) == 2
    assert view["extra"] == "a trigger"  # type: ignore[comparison-overlap]
    assert "extra" in view
    assert "topic" in view
    assert "nobody" not in view


def _join(left: list[str], right: list[str]) -> list[str]:
    return [*left, *right]


def test_langgraph_goes_on_with_the_object_that_was_given_out_early() -> None:
    """Whoever holds it, in a packet or under another key, holds the state's own value, as on LangGraph."""
    channel = BinaryOperatorAggregate(list, _join)
    channels: Channels = {"log": channel}
    writes: Writes = [{"log": [["one"]]}, {"log": [["two"]]}]
    step = 3

    def values_at(at: int, key: str) -> Sequence[Any]:
        return writes[at - 3].get(key, ()) if 0 <= at - 3 < len(writes) else ()

    projection = Projection(channels, lambda: step, values_at, Reducers(channels))
    early, later = projection.value("log", 4), projection.value("log", 5)
    assert projection.value("log", 4) is early
    _apply(channels, writes[:1])
    step = 4
    projection.committed()
    assert channel.get() is early
    _apply(channels, writes[1:])
    step = 5
    projection.committed()
    assert channel.get() is later
    assert later == ["one", "two"]


def test_a_value_that_is_not_the_one_given_out_stays_langgraphs() -> None:
    channel = BinaryOperatorAggregate(list, _join)
    channels: Channels = {"log": channel}
    step = 3
    projection = Projection(channels, lambda: step, lambda at, key: [["one"]] if at == 3 else [], Reducers(channels))
    projection.value("log", 4)
    channel.update([["another"]])
    step = 4
    projection.committed()
    assert channel.get() == ["another"]
    assert projection.value("log", 4) == ["another"]
