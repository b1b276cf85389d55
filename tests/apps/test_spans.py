"""Recording who worked when."""

from __future__ import annotations

import asyncio

import pytest

from alto_lg.apps.spans import record_spans, span


def test_spans_of_tasks_started_inside_the_block_are_recorded() -> None:
    async def work(item: int) -> None:
        with span("work", (item,)):
            await asyncio.to_thread(int)

    async def run() -> None:
        await asyncio.gather(work(0), work(1))

    with record_spans() as spans:
        asyncio.run(run())
    assert sorted(one.item for one in spans) == [(0,), (1,)]
    assert all(one.ended >= one.started for one in spans)


def test_a_failed_piece_of_work_is_recorded_and_its_error_passes() -> None:
    with record_spans() as spans, pytest.raises(KeyError), span("work"):
        raise KeyError("x")
    assert [one.stage for one in spans] == ["work"]


def test_nothing_is_recorded_outside_the_block() -> None:
    with record_spans() as spans:
        pass
    with span("work"):
        pass
    assert spans == []


def test_an_inner_block_takes_the_spans_to_itself() -> None:
    with record_spans() as outer, record_spans() as inner, span("work"):
        pass
    assert (len(outer), len(inner)) == (0, 1)
