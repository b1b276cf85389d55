"""What a run costs grows with its size, and not faster; counted in calls and in bytes, so that no clock decides.

`--release` runs the sizes that users have asked about: 100,000 packets and steps, graphs of 10,000 nodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from bench.counting import count, count_calls
from sim.loop import run

import alto_lg
from scale import growing
from scale.growing import Sized

SIZES = {
    growing.fan_out: (400, 100_000),
    growing.two_hops: (200, 20_000),
    growing.loop: (200, 100_000),
    growing.row: (100, 10_000),
    growing.join: (100, 10_000),
}
GROWS_MAX = 1.1
"""Calls and bytes of one unit, at ten times the size, by those at the size."""

Make = Callable[[int], Sized]

every_kind = pytest.mark.parametrize("make", SIZES, ids=lambda make: make.__name__)


def _running(sized: Sized) -> Callable[[], Any]:
    app = alto_lg.accelerate(sized.builder.compile())

    async def once() -> Any:
        result = await app.ainvoke(dict(sized.given), {"recursion_limit": 1_000_000_000})
        assert result == sized.wanted
        return len(result)

    return once


@every_kind
def test_ten_times_the_size_costs_ten_times_as_much(make: Make) -> None:
    small, _ = SIZES[make]
    few, many = (count(_running(make(size))) for size in (small, 10 * small))
    assert many.calls / 10 <= few.calls * GROWS_MAX
    assert many.memory_bytes / 10 <= few.memory_bytes * GROWS_MAX


@every_kind
def test_a_run_of_the_largest_size_ends(make: Make, release: bool) -> None:
    small, large = SIZES[make]
    run(_running(make(large if release else 10 * small)))


@every_kind
def test_accelerating_ten_times_the_size_costs_ten_times_as_much(make: Make) -> None:
    small, _ = SIZES[make]
    graphs = [make(size).builder.compile() for size in (small, 10 * small)]
    few, many = (count_calls(partial(alto_lg.accelerate, graph))[1] for graph in graphs)
    assert many / 10 <= few * GROWS_MAX


def test_graphs_fifty_deep_run() -> None:
    run(_running(growing.nested(50)))
    plain = growing.nested(50, lambda state: {"count": state["count"] + 1})
    assert alto_lg.accelerate(plain.builder.compile()).invoke(dict(plain.given)) == plain.wanted


def test_a_thousand_runs_at_once_share_a_graph() -> None:
    once = _running(growing.row(10))

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(once() for _ in range(1000)))

    assert run(all_at_once).result == [1] * 1000


def test_a_large_state_is_not_copied() -> None:
    """100 MB that nodes hand on, and that one of them reads early."""
    size = 100_000_000
    large = bytes(size)
    sized = growing.row(20)

    class State(growing.Count):
        large: bytes

    builder: Any = growing.StateGraph(State)
    last = growing.START
    for place in range(20):
        builder.add_node(f"step_{place}", growing.add_one)
        builder.add_edge(last, f"step_{place}")
        last = f"step_{place}"
    app = alto_lg.accelerate(builder.compile())

    async def once() -> Any:
        result = await app.ainvoke({**sized.given, "large": large})
        assert result["large"] is large
        return result["count"]

    assert count(once).memory_bytes < size / 10
