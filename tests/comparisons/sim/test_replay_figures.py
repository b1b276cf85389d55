"""The measurement of replay, on a server that is much faster than a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons import replay
from alto_lg.comparisons.endpoint import Server
from alto_lg.comparisons.meter import UnknownMeter

Serve = Callable[..., str]


@pytest.fixture
def quick(serve: Serve) -> Server:
    return Server(ModelEndpoint(serve(), "sim"), "in this process", UnknownMeter())


@pytest.mark.slow
@pytest.mark.parametrize("way", replay.WAYS)
def test_both_sides_give_the_same_plan_and_nothing_is_dropped(quick: Server, way: str) -> None:
    timing = asyncio.run(replay.time_way(way, quick, 1))
    assert timing.dropped == 0
    assert len(timing.plain) == len(timing.replayed) == len(timing.written) == 1
    assert timing.plain[0].total_s >= 1 <= timing.replayed[0].total_s


def test_the_table_says_what_is_within_the_limit() -> None:
    written, plain = replay.Times(1.0, 2.0), replay.Times(4.0, 4.0)
    timing = replay.Timing("a way", [written], [plain], [replay.Times(1.02, 2.2)], 3)
    columns = [list(column.cells) for column in replay.table_of([timing]).columns]
    assert columns[5:] == [["2.0", "10.0"], ["yes", "no"], ["3", "3"]]
