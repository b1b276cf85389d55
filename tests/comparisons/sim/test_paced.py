import pytest

from alto_lg.comparisons.sim.paced import PacedQueue


def test_entries_fall_due_in_order_of_position_and_then_of_arrival() -> None:
    queue: PacedQueue[str] = PacedQueue(now=100.0)
    for work, entry in ((3.0, "last"), (1.0, "first"), (1.0, "second")):
        queue.add(work, entry, 100.0)
    assert queue.due() == 101.0
    assert [queue.pop() for _ in range(3)] == ["first", "second", "last"]
    assert queue.due() is None


def test_a_change_of_speed_moves_what_is_left_of_every_entry() -> None:
    queue: PacedQueue[str] = PacedQueue(now=0.0)
    queue.add(10.0, "a", 0.0)
    queue.set_rate(0.5, 4.0)
    assert queue.due() == 16.0
    queue.set_rate(2.0, 6.0)
    assert queue.due() == pytest.approx(8.5)


def test_an_entry_that_was_discarded_never_falls_due() -> None:
    queue: PacedQueue[object] = PacedQueue(now=0.0)
    entries = [object() for _ in range(5)]
    for work, entry in enumerate(entries):
        queue.add(float(work), entry, 0.0)
    queue.discard(entries[0])
    queue.discard(entries[3])
    queue.discard(object())
    assert [queue.pop() for _ in range(len(queue))] == [entries[1], entries[2], entries[4]]
