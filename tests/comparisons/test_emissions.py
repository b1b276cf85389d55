"""The measurement of a partial update: that it measures what it says, not how much that is."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable

import pytest

from alto_lg.comparisons.emissions import cost_of_partials, cost_of_sends, run, table_of


def test_each_partial_update_of_each_run_has_its_cost() -> None:
    costs = asyncio.run(cost_of_partials(3, 2))
    assert [len(one) for one in costs] == [3, 3]
    assert all(cost > 0 for one in costs for cost in one)


def test_each_plain_run_has_the_cost_of_one_send() -> None:
    costs = asyncio.run(cost_of_sends(3, 2))
    assert len(costs) == 2
    assert all(cost > 0 for cost in costs)


def test_the_table_tells_the_first_of_a_run_from_later_ones(render: Callable[[object], str]) -> None:
    cheap = (10, [[900e-6, 100e-6, 120e-6], [700e-6, 110e-6, 130e-6]], [60e-6, 80e-6])
    dear = (30, [[900e-6, 200e-6]], [50e-6])
    rows = [line.split() for line in render(table_of([cheap, dear])).splitlines() if line.strip()[:2] in ("10", "30")]
    assert [(row[0], row[1], row[2], row[4], row[5]) for row in rows] == [
        ("10", "800", "115", "yes", "70"),
        ("30", "900", "200", "no", "50"),
    ]


def test_a_count_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(repeats=0)) == 2
    assert capsys.readouterr().err == "--repeats must be at least 1\n"
