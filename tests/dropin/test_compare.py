"""The comparison itself: it must forget what may differ and keep what may not."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import Interrupt, Send

from dropin import compare

UUID_1 = "11111111-2222-3333-4444-555555555555"
UUID_2 = "99999999-2222-3333-4444-555555555555"


def _debug(step: int, kind: str, name: str, **more: Any) -> compare.Event:
    return (
        (),
        "debug",
        {"step": step, "timestamp": "now", "type": kind, "payload": {"id": UUID_1, "name": name, **more}},
    )


def test_generated_ids_are_forgotten_and_chosen_ids_are_kept() -> None:
    assert compare.plain(AIMessage("x", id=UUID_1)) == compare.plain(AIMessage("x", id=f"lc_run--{UUID_2}"))
    assert compare.plain(AIMessage("x", id="mine")) != compare.plain(AIMessage("x", id="yours"))
    assert compare.plain(AIMessage("x", id="mine")) != compare.plain(AIMessage("y", id="mine"))


def test_interrupts_are_equal_by_value() -> None:
    assert compare.plain(Interrupt("q", id="1")) == compare.plain(Interrupt("q", id="2"))
    assert compare.plain(Interrupt("q", id="1")) != compare.plain(Interrupt("r", id="1"))


def test_packets_differ_by_node_and_by_payload() -> None:
    assert compare.plain(Send("a", {"x": 1})) == compare.plain(Send("a", {"x": 1}))
    assert compare.plain(Send("a", {"x": 1})) != compare.plain(Send("b", {"x": 1}))
    assert compare.plain(Send("a", {"x": 1})) != compare.plain(Send("a", {"x": 2}))


def test_errors_are_compared_by_type_and_message() -> None:
    assert compare.error(ValueError("a")) == compare.error(ValueError("a"))
    assert compare.error(ValueError("a")) != compare.error(KeyError("a"))
    assert compare.error(ValueError("a")) != compare.error(ValueError("b"))


def test_updates_may_change_places_within_a_step_only() -> None:
    first, second = ((), "updates", {"a": 1}), ((), "updates", {"b": 2})
    begin, later = _debug(1, "task", "a"), _debug(2, "task", "c")
    same = compare.streams([begin, first, second, later])
    assert same == compare.streams([begin, second, first, later])
    assert same != compare.streams([begin, first, later, second])
    assert same != compare.streams([begin, first, later])


def test_an_event_of_an_earlier_step_that_comes_late_shows() -> None:
    one, two = _debug(1, "task_result", "a"), _debug(2, "task", "b")
    assert compare.streams([one, two]) != compare.streams([two, one])


def test_the_order_in_which_tasks_start_is_kept() -> None:
    a, b = _debug(1, "task", "a"), _debug(1, "task", "b")
    assert compare.streams([a, b]) != compare.streams([b, a])


def test_values_are_a_sequence() -> None:
    one, two = ((), "values", {"n": 1}), ((), "values", {"n": 2})
    assert compare.streams([one, two]) != compare.streams([two, one])


def test_runs_of_one_subgraph_are_kept_apart_and_compared_as_a_multiset() -> None:
    def inner(task: str, number: int) -> compare.Event:
        return ((f"item:{task}",), "values", {"n": number})

    seen = compare.streams([inner("x", 1), inner("y", 2), inner("x", 3)])
    assert seen == compare.streams([inner("q", 2), inner("p", 1), inner("p", 3)])
    assert seen != compare.streams([inner("x", 1), inner("x", 2), inner("x", 3)])


def test_the_step_of_the_graph_above_during_which_a_subgraph_spoke_is_kept() -> None:
    inner: compare.Event = (("item:x",), "values", {"n": 1})
    one, two = _debug(1, "task", "a"), _debug(2, "task", "item")
    assert compare.streams([one, two, inner]) != compare.streams([one, inner, two])


def test_custom_events_keep_their_order_within_their_sender_only() -> None:
    def custom(sender: str, number: int) -> compare.Event:
        return ((), "custom", {"from": sender, "number": number})

    seen = compare.streams([custom("a", 1), custom("b", 1), custom("a", 2)])
    assert seen == compare.streams([custom("b", 1), custom("a", 1), custom("a", 2)])
    assert seen != compare.streams([custom("a", 2), custom("b", 1), custom("a", 1)])


def test_the_state_inside_a_value_is_compared_in_depth() -> None:
    assert compare.plain({"a": [{"b": (1, {2})}]}) == compare.plain({"a": [{"b": (1, {2})}]})
    assert compare.plain({"a": [{"b": (1, {2})}]}) != compare.plain({"a": [{"b": (1, {3})}]})
    assert compare.plain([1]) != compare.plain((1,))
