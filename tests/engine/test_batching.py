"""The line of a batched function: who goes when, with no clock and no loop."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alto_lg.engine.batching import BatchLimits, Line


def _line(max_size: int = 4, max_wait_s: float = 1.0, max_calls: int | None = None) -> Line[str]:
    return Line(BatchLimits(max_size, max_wait_s, max_calls))


def test_with_no_call_under_way_what_is_there_goes_at_once() -> None:
    line = _line()
    line.join("a", 5.0)
    line.join("b", 5.0)
    assert line.due_s() == 5.0
    assert line.take(5.0) == ["a", "b"]


def test_nothing_is_due_of_an_empty_line() -> None:
    line = _line()
    assert line.due_s() is None
    assert line.take(9.0) == []


def test_while_a_call_is_under_way_an_item_waits_for_others_and_not_for_ever() -> None:
    line = _line(max_wait_s=1.0)
    line.join("a", 0.0)
    assert line.take(0.0) == ["a"]
    line.join("b", 0.25)
    line.join("c", 0.5)
    assert line.due_s() == 1.25
    assert line.take(1.0) == []
    assert line.take(1.25) == ["b", "c"]


def test_when_the_last_call_ends_those_who_wait_go() -> None:
    line = _line(max_wait_s=math.inf)
    line.join("a", 0.0)
    line.take(0.0)
    line.join("b", 0.1)
    assert line.take(1000.0) == []
    line.ended()
    assert line.take(0.2) == ["b"]


def test_a_full_batch_does_not_wait() -> None:
    line = _line(max_size=2, max_wait_s=math.inf)
    line.join("a", 0.0)
    line.take(0.0)
    for item in "bcd":
        line.join(item, 0.1)
    assert line.take(0.1) == ["b", "c"]
    assert line.take(0.1) == []


def test_no_more_calls_than_allowed_however_long_an_item_has_waited() -> None:
    line = _line(max_size=1, max_wait_s=0.0, max_calls=1)
    line.join("a", 0.0)
    line.join("b", 0.0)
    assert line.take(0.0) == ["a"]
    assert line.due_s() is None
    assert line.take(1000.0) == []
    line.ended()
    assert line.take(1000.0) == ["b"]


def test_who_leaves_is_in_no_batch() -> None:
    line = _line()
    line.join("a", 0.0)
    line.join("b", 0.0)
    assert line.leave("a")
    assert line.take(0.0) == ["b"]
    assert not line.leave("b"), "it is in a batch already"


class LivesOfALine(RuleBasedStateMachine):
    """Any order of coming, leaving, looking and ending, against the three sentences of the module."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = BatchLimits(3, 1.0, 2)
        self.line: Line[int] = Line(self.limits)
        self.now_s = 0.0
        self.came: list[tuple[int, float]] = []
        self.went: list[int] = []
        self.calls = 0
        self.next = 0

    @rule()
    def come(self) -> None:
        self.line.join(self.next, self.now_s)
        self.came.append((self.next, self.now_s))
        self.next += 1

    @rule(passed_s=st.sampled_from([0.0, 0.3, 1.0]))
    def pass_time(self, passed_s: float) -> None:
        self.now_s += passed_s

    @precondition(lambda self: self.came)
    @rule(draw=st.data())
    def leave(self, draw: st.DataObject) -> None:
        place = draw.draw(st.integers(0, len(self.came) - 1))
        item, _ = self.came.pop(place)
        assert self.line.leave(item)

    @rule()
    def look(self) -> None:
        """A batch is due exactly when the rules say so; it is the oldest, in order."""
        full, idle = len(self.came) >= self.limits.max_size, self.calls == 0
        tired = bool(self.came) and self.now_s >= self.came[0][1] + self.limits.max_wait_s
        is_due = bool(self.came) and self.calls < 2 and (full or idle or tired)
        batch = self.line.take(self.now_s)
        assert bool(batch) == is_due
        assert batch == [item for item, _ in self.came[: len(batch)]]
        assert len(batch) <= self.limits.max_size
        assert not batch or len(batch) == min(len(self.came), self.limits.max_size), "none that could come is left out"
        del self.came[: len(batch)]
        self.went += batch
        self.calls += bool(batch)

    @precondition(lambda self: self.calls > 0)
    @rule()
    def end(self) -> None:
        self.line.ended()
        self.calls -= 1

    @invariant()
    def nobody_is_forgotten(self) -> None:
        assert len(self.line) == len(self.came)
        assert list(self.line) == [item for item, _ in self.came]
        assert self.went == sorted(self.went), "items go in the order in which they came"
        if self.came and self.calls < 2:
            due_s = self.line.due_s()
            assert due_s is not None, "whoever waits is told until when"
            assert due_s <= self.came[0][1] + self.limits.max_wait_s

    def teardown(self) -> None:
        while self.calls:
            self.end()
        while self.came:
            self.look()
            self.end()


TestLivesOfALine = LivesOfALine.TestCase


@settings(max_examples=50)
@given(st.integers(1, 9), st.lists(st.floats(0, 10), max_size=40))
def test_one_call_at_a_time_takes_everyone_in_order(max_size: int, gaps_s: list[float]) -> None:
    """A server whose call takes 1 s: batches are as large as what came meanwhile."""
    line: Line[int] = Line(BatchLimits(max_size, 0.0, 1))
    now_s, busy_until_s, went = 0.0, -1.0, list[int]()
    for item, gap_s in enumerate(gaps_s):
        now_s += gap_s
        while 0 <= busy_until_s <= now_s:
            line.ended()
            batch = line.take(busy_until_s)
            went += batch
            busy_until_s = busy_until_s + 1.0 if batch else -1.0
        line.join(item, now_s)
        if batch := line.take(now_s):
            assert busy_until_s < 0
            went += batch
            busy_until_s = now_s + 1.0
    while len(went) < len(gaps_s):
        line.ended()
        went += line.take(now_s)
    assert went == list(range(len(gaps_s)))


def test_a_call_that_was_not_under_way_cannot_end() -> None:
    with pytest.raises(AssertionError, match="not under way"):
        _line().ended()
