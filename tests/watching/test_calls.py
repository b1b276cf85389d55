"""Which tool calls of a message are complete: by any cutting of the text, with calls interleaved as servers may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg.adapters.watching import CallsInProgress, CompleteCall, ToolCallDelta

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('{}[]",:\\ aé\n', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"{}\\', max_size=3), inner, max_size=3),
    max_leaves=8,
)
_ARGUMENTS = st.dictionaries(st.text('ab"{', max_size=3), _VALUES, max_size=3)


def _written(calls: list[dict[str, Any]], cuts: list[int]) -> list[list[ToolCallDelta]]:
    """The pieces of each call: id, name and a brace first, then its arguments in pieces of the drawn lengths."""
    pieces = []
    for number, arguments in enumerate(calls):
        text = json.dumps(arguments)
        own = [ToolCallDelta(number, f"call_{number}", f"tool_{number}", text[0])]
        position, turn = 1, 0
        while position < len(text):
            size = cuts[turn % len(cuts)]
            own.append(ToolCallDelta(number, arguments=text[position : position + size]))
            position, turn = position + size, turn + 1
        pieces.append(own)
    return pieces


def _whole(calls: list[dict[str, Any]]) -> list[CompleteCall]:
    return [CompleteCall(f"call_{number}", f"tool_{number}", arguments) for number, arguments in enumerate(calls)]


@given(st.lists(_ARGUMENTS, min_size=1, max_size=3), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_a_call_is_complete_with_the_last_character_of_its_object(calls: list[dict[str, Any]], cuts: list[int]) -> None:
    progress = CallsInProgress()
    found: list[CompleteCall] = []
    for number, pieces in enumerate(_written(calls, cuts)):
        for piece in pieces[:-1]:
            found += progress.feed(piece)
        assert len(found) == number, "nothing of this call before its last piece"
        found += progress.feed(pieces[-1])
    assert found == _whole(calls)
    assert progress.end() == []


@given(st.lists(_ARGUMENTS, min_size=2, max_size=4), st.data())
def test_interleaved_calls_are_told_apart_by_index(calls: list[dict[str, Any]], data: st.DataObject) -> None:
    waiting = _written(calls, [1])
    progress = CallsInProgress()
    found: list[CompleteCall] = []
    while remaining := [pieces for pieces in waiting if pieces]:
        pieces = data.draw(st.sampled_from(remaining))
        piece = pieces.pop(0)
        expected = not pieces
        complete = progress.feed(piece)
        assert bool(complete) is expected
        found += complete
    assert sorted(found, key=lambda one: one.name) == _whole(calls)
    assert progress.end() == []


@given(_ARGUMENTS, st.integers(0, 200))
def test_a_call_that_broke_off_is_never_complete(arguments: dict[str, Any], length: int) -> None:
    text = json.dumps(arguments)
    progress = CallsInProgress()
    assert progress.feed(ToolCallDelta(0, "id", "tool", text[: min(length, len(text) - 1)])) == []


def test_a_call_without_arguments_is_complete_when_the_next_begins() -> None:
    progress = CallsInProgress()
    assert progress.feed(ToolCallDelta(0, "a", "ping")) == []
    assert progress.feed(ToolCallDelta(1, "b", "pong")) == [CompleteCall("a", "ping", {})]
    assert progress.end() == [CompleteCall("b", "pong", {})]


def test_a_call_that_is_half_written_when_the_next_begins_goes_on() -> None:
    progress = CallsInProgress()
    assert progress.feed(ToolCallDelta(0, "a", "one", '{"x": ')) == []
    assert progress.feed(ToolCallDelta(1, "b", "two", "{}")) == [CompleteCall("b", "two", {})]
    assert progress.feed(ToolCallDelta(0, arguments="1}")) == [CompleteCall("a", "one", {"x": 1})]


def test_calls_in_one_piece_have_no_index() -> None:
    progress = CallsInProgress()
    assert progress.feed(ToolCallDelta(None, "a", "one", '{"x": 1}')) == [CompleteCall("a", "one", {"x": 1})]
    assert progress.feed(ToolCallDelta(None, "b", "one", '{"x": 1}')) == [CompleteCall("b", "one", {"x": 1})]


def test_calls_that_share_an_index_are_told_apart_by_id() -> None:
    progress = CallsInProgress()
    assert progress.feed(ToolCallDelta(0, "a", "one", "{}")) == [CompleteCall("a", "one", {})]
    assert progress.feed(ToolCallDelta(0, "b", "two", "{}")) == [CompleteCall("b", "two", {})]


def test_a_call_is_reported_once() -> None:
    progress = CallsInProgress()
    assert len(progress.feed(ToolCallDelta(0, "a", "one", "{}"))) == 1
    assert progress.feed(ToolCallDelta(0, arguments="  ")) == []
    assert progress.end() == []


def test_a_name_may_come_after_the_arguments() -> None:
    progress = CallsInProgress()
    assert progress.feed(ToolCallDelta(0, "a", None, "{}")) == []
    assert progress.feed(ToolCallDelta(0, name="one")) == [CompleteCall("a", "one", {})]


@pytest.mark.parametrize("text", ["[1]", '"text"', "7", "null", "}{", "{]", "{'a': 1}", '{"a": 1} and more'])
def test_what_is_no_object_is_no_call(text: str) -> None:
    whole = CallsInProgress()
    assert whole.feed(ToolCallDelta(0, "a", "one", text)) + whole.end() == []


def test_what_follows_an_object_does_not_take_it_back() -> None:
    """The message decides in the end: its call is none, and the early result is nobody's."""
    progress = CallsInProgress()
    found = progress.feed(ToolCallDelta(0, "a", "one"))
    for character in '{"a": 1} and more':
        found += progress.feed(ToolCallDelta(0, arguments=character))
    assert found == [CompleteCall("a", "one", {"a": 1})]
