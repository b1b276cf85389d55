"""Ownership: a payload is owned only if nobody but its packet holds any changeable part of it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from langgraph.types import Send

from alto_lg.adapters.langgraph.ownership import copied, is_owned


def test_a_payload_made_for_its_packet_is_owned() -> None:
    packet = Send("work", {"items": [1, 2], "deep": {"more": [{"a": {1, 2}}]}, "text": "t", "pair": (1, [2])})
    assert is_owned(packet)


def test_a_payload_that_a_variable_holds_is_not_owned() -> None:
    payload = {"a": 1}
    packet = Send("work", payload)
    assert not is_owned(packet)
    del payload
    assert is_owned(packet)


def test_a_payload_with_a_part_that_somebody_holds_is_not_owned() -> None:
    part = [1]
    packet = Send("work", {"part": part, "other": []})
    assert not is_owned(packet)
    del part
    assert is_owned(packet)


def test_a_part_that_is_held_deep_inside_is_found() -> None:
    part = {"a": 1}
    packet = Send("work", [[[(0, [part])]]])
    assert not is_owned(packet)
    del part
    assert is_owned(packet)


def test_one_payload_in_two_packets_is_not_owned() -> None:
    def two() -> list[Send]:
        payload = {"a": 1}
        return [Send("work", payload), Send("work", payload)]

    packets = two()
    assert not any(is_owned(packet) for packet in packets)
    packets.pop()
    assert is_owned(packets[0])


def test_one_part_twice_in_a_payload_counts_as_shared() -> None:
    def twice() -> Send:
        part = [1]
        return Send("work", {"a": part, "b": part})

    assert not is_owned(twice())


@pytest.mark.parametrize("value", [object(), OrderedDict(a=1), bytearray(b"a"), type("Own", (), {})()])
def test_an_object_that_is_no_plain_container_is_not_owned(value: Any) -> None:
    assert not is_owned(Send("work", {"value": value}))


def test_parts_that_cannot_be_changed_may_be_held_by_anyone() -> None:
    text, pair = "some text that is not interned", (1, ("a", "b"))
    packet = Send("work", {"text": text, "pair": pair})
    assert is_owned(packet)
    assert text and pair


def test_a_payload_that_cannot_be_changed_at_all_has_nothing_to_own() -> None:
    payload = "some text " * 3
    assert is_owned(Send("work", "text")) or payload


def test_a_payload_with_too_many_items_counts_as_shared() -> None:
    assert not is_owned(Send("work", [0] * 20_000))


def test_asking_twice_gives_the_same_answer() -> None:
    packet = Send("work", {"items": [[1], [2]]})
    assert [is_owned(packet) for _ in range(3)] == [True] * 3


def test_a_copy_is_equal_and_shares_nothing_that_can_be_changed() -> None:
    original = {"items": [1, [2]], "set": {1}, "pair": ([3], "text"), "text": "t"}
    other = copied(original)
    assert other == original
    assert [type(value) for value in other.values()] == [type(value) for value in original.values()]
    other["items"][1].append("new")
    other["set"].add("new")
    other["pair"][0].append("new")
    other["more"] = 1
    assert original == {"items": [1, [2]], "set": {1}, "pair": ([3], "text"), "text": "t"}


def test_a_copy_of_what_cannot_be_changed_is_the_thing_itself() -> None:
    text = "some text that is not interned"
    assert copied(text) is text
