"""Writes that are filed beside the others, as LangGraph files them."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

from alto_lg.adapters.langgraph.filing import Filing


class Loop:
    """Files as LangGraph's loop does: what a task has filed before is dropped, by making the list anew."""

    def __init__(self) -> None:
        self.checkpoint_pending_writes: Any = []
        self.looked_at = 0

    def put(self, task_id: str, writes: list[tuple[str, Any]]) -> None:
        self.looked_at += len(self.checkpoint_pending_writes)
        self.checkpoint_pending_writes = [one for one in self.checkpoint_pending_writes if one[0] != task_id]
        self.checkpoint_pending_writes.extend((task_id, channel, value) for channel, value in writes)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_pending_is_the_same_whoever_changes_it_meanwhile(seed: int) -> None:
    source = random.Random(seed)
    plain, ours, filing = Loop(), Loop(), Filing()
    for number in range(200):
        match source.randint(0, 19):
            case 0:
                plain.checkpoint_pending_writes.clear()
                ours.checkpoint_pending_writes.clear()
            case 1:
                for loop in (plain, ours):
                    loop.checkpoint_pending_writes = [*loop.checkpoint_pending_writes, ("loaded", "a", number)]
            case 2:
                for loop in (plain, ours):
                    loop.checkpoint_pending_writes.append((f"task{number}", "a", number))
            case _:
                task_id = f"task{source.randint(0, 60)}"
                writes = [("a", number)] * source.randint(0, 2)
                plain.put(task_id, writes)
                filing.file(ours, task_id, partial(ours.put, task_id, writes))
        assert ours.checkpoint_pending_writes == plain.checkpoint_pending_writes


def test_a_fan_out_looks_at_no_others() -> None:
    loop, filing = Loop(), Filing()
    for number in range(1000):
        filing.file(loop, str(number), partial(loop.put, str(number), [("a", number)]))
    assert len(loop.checkpoint_pending_writes) == 1000
    assert loop.looked_at == 0


def test_an_error_while_filing_loses_nothing() -> None:
    loop, filing = Loop(), Filing()
    filing.file(loop, "1", partial(loop.put, "1", [("a", 1)]))

    def fails() -> None:
        raise OSError("the saver is gone")

    with pytest.raises(OSError, match="gone"):
        filing.file(loop, "2", fails)
    assert loop.checkpoint_pending_writes == [("1", "a", 1)]
