"""Who takes which early result: the table alone, without any tool."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from alto_lg.adapters.langgraph.tools.results import (
    Arguments,
    EarlyResult,
    EarlyResults,
    Raised,
    Returned,
    Stopped,
    Wait,
    same,
)
from alto_lg.adapters.watching import CompleteCall

TOOL, OTHER = object(), object()
MODEL_CALL = uuid4()


def arguments(**named: Any) -> Arguments:
    return Arguments.kept((), named)


def early(
    results: EarlyResults,
    *,
    who: object = TOOL,
    model_call: UUID = MODEL_CALL,
    id: str | None = "id",
    on_thread: bool = False,
    **named: Any,
) -> EarlyResult:
    call = CompleteCall(id, "tool", dict(named))
    made = EarlyResult(call, model_call, [who], arguments(**named), on_thread=on_thread)
    assert results.add(made)
    return made


def took(
    results: EarlyResults,
    who: object = TOOL,
    wait: Wait = Wait.TASK,
    id: str | None = "id",
    latest: UUID | None = MODEL_CALL,
    **named: Any,
) -> EarlyResult | None:
    return results.take(who, arguments(**named), wait, call_id=id, latest=latest)


def test_a_result_is_taken_once() -> None:
    results = EarlyResults()
    first, second = early(results, x=1), early(results, x=1)
    assert results.begin(first) and results.begin(second)
    assert took(results, x=1) is first
    assert took(results, x=1) is second
    assert took(results, x=1) is None


@pytest.mark.parametrize("asked", [{"x": 2}, {"x": 1.0}, {"x": True}, {"y": 1}, {}, {"x": 1, "y": None}])
def test_other_arguments_take_nothing(asked: dict[str, Any]) -> None:
    results = EarlyResults()
    assert results.begin(early(results, x=1))
    assert took(results, **asked) is None


def test_another_tool_takes_nothing() -> None:
    results = EarlyResults()
    assert results.begin(early(results, x=1))
    assert took(results, OTHER, x=1) is None


def test_a_call_of_another_id_takes_nothing() -> None:
    results = EarlyResults()
    assert results.begin(early(results, id="one", x=1))
    assert took(results, id="two", x=1) is None
    assert took(results, id="one", latest=None, x=1) is not None


def test_an_id_that_comes_again_means_the_call_that_came_last() -> None:
    results = EarlyResults()
    old = early(results, id="call_0", model_call=uuid4(), x=1)
    assert results.begin(old)
    new = early(results, id="call_0", x=1)
    assert results.begin(new)
    assert took(results, id="call_0", x=1) is new
    assert took(results, id="call_0", x=1) is None


def test_an_id_that_two_messages_use_at_once_means_both_calls() -> None:
    results, other = EarlyResults(), uuid4()
    first = early(results, id="call_0", model_call=other, x=1)
    call = CompleteCall("call_0", "tool", {"x": 1})
    second = EarlyResult(call, MODEL_CALL, [TOOL], arguments(x=1), on_thread=False)
    assert results.add(second, {other, MODEL_CALL})
    assert results.begin(first) and results.begin(second)
    assert {took(results, id="call_0", x=1), took(results, id="call_0", x=1)} == {first, second}


@pytest.mark.parametrize(("own", "asked"), [(None, "id"), ("id", None), (None, None)])
def test_without_ids_only_the_latest_message_counts(own: str | None, asked: str | None) -> None:
    results = EarlyResults()
    made = early(results, id=own, x=1)
    assert results.begin(made)
    assert took(results, id=asked, latest=uuid4(), x=1) is None
    assert took(results, id=asked, latest=None, x=1) is None
    assert took(results, id=asked, latest=MODEL_CALL, x=1) is made


def test_what_has_not_begun_when_its_step_asks_does_not_begin_any_more() -> None:
    results = EarlyResults()
    waiting = early(results, x=1)
    stopped: list[int] = []
    waiting.stop = lambda: stopped.append(1)
    assert took(results, x=1) is None
    assert not results.begin(waiting)
    assert stopped == [1]
    assert (results.counts.started, results.counts.dropped_why.total()) == (0, 0)


def test_a_thread_waits_only_for_what_needs_no_event_loop() -> None:
    results = EarlyResults()
    on_loop, on_thread = early(results, x=1), early(results, on_thread=True, x=2)
    assert results.begin(on_loop) and results.begin(on_thread)
    assert took(results, wait=Wait.THREAD, x=1) is None
    assert took(results, wait=Wait.THREAD, x=2) is on_thread
    results.end(on_loop, Returned("done"))
    assert took(results, wait=Wait.THREAD, x=1) is on_loop


def test_an_answer_that_cannot_be_used_is_nobodys() -> None:
    results = EarlyResults()
    made = early(results, x=1)
    results.begin(made)
    taken = took(results, x=1)
    results.end(made, None, "it uses the store")
    assert taken is not None and taken.answer.result(0) is None
    assert results.counts.dropped_why == {"it uses the store": 1}
    assert took(results, x=1) is None


def test_what_a_broken_message_started_is_stopped_and_the_rest_goes_on() -> None:
    results = EarlyResults()
    mine, theirs = early(results, x=1), early(results, model_call=uuid4(), id="theirs", x=1)
    stopped: list[str] = []
    mine.stop, theirs.stop = (lambda: stopped.append("mine")), (lambda: stopped.append("theirs"))
    results.begin(mine), results.begin(theirs)
    results.drop(lambda one: one.model_call == MODEL_CALL, "it broke off")
    assert stopped == ["mine"]
    results.end(mine, Stopped())
    assert took(results, id="theirs", x=1) is theirs
    assert results.counts.dropped_why == {"it broke off": 1}


def test_the_end_of_the_run_stops_everything_once() -> None:
    results = EarlyResults()
    stops: list[int] = []
    taken, left, ended = early(results, x=1), early(results, x=2), early(results, x=3)
    for one in (taken, left, ended):
        one.stop = lambda: stops.append(1)
        results.begin(one)
    assert took(results, x=1) is taken
    results.end(ended, Returned(3))
    results.given_up(taken)
    results.close()
    assert len(stops) == 3
    assert isinstance(left.answer.result(0), Stopped)
    assert results.counts.dropped_why.total() == 3
    assert not results.add(EarlyResult(taken.call, MODEL_CALL, [TOOL], arguments(), on_thread=False))


def test_counts_say_what_became_of_each() -> None:
    results = EarlyResults()
    good, bad, unused = early(results, x=1), early(results, x=2), early(results, x=3)
    for one in (good, bad, unused):
        results.begin(one)
    results.end(good, Returned(1))
    results.end(bad, Raised(ValueError()))
    results.end(unused, Returned(3))
    for x in (1, 2):
        taken = took(results, x=x)
        assert taken is not None
        results.used(taken)
    results.close()
    counts = results.counts
    assert (counts.started, counts.used, counts.dropped_why.total()) == (3, 2, 1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2) | st.text("a1", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=5,
)


@given(_JSON, _JSON)
def test_values_are_the_same_only_if_json_would_write_them_so(one: Any, other: Any) -> None:
    import json

    alike = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert same(one, other) is (alike or (one is other))


def test_models_are_compared_by_their_fields() -> None:
    class Point(BaseModel):
        x: Any

    assert same(Point(x=[1]), Point(x=[1]))
    assert not same(Point(x=1), Point(x=True))


def test_an_equality_that_raises_is_none() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __hash__ = None  # type: ignore[assignment]

    assert not same(Odd(), Odd())
