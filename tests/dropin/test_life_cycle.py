"""However a run ends, nothing of it goes on: no task, no error that nobody saw, and the thread can be taken up.

The loop itself fails a test that leaves a task behind or calls its exception handler. Two cases are not here, because
LangGraph 1.2.22 leaves running nodes behind in them: a second cancel while the first unwinds, and a cancel under
`max_concurrency`.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import graphs
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from sim.loop import run

from dropin import compare
from dropin.shapes.base import Shape
from dropin.watch import App, Implementation, Tempo, compiled, config_of, input_of, invoke, plain_langgraph

NAMES = (
    "fast_and_slow",
    "uneven_diamond",
    "fan_out_11",
    "send_chain_joined",
    "nested_fan_out",
    "loop_beside_a_slow_sibling",
    "early_packets_to_subgraph",
    "subgraph_beside_a_branch",
    "sync_nodes",
    "talking",
    "deferred",
)
CANCEL_AT_S = (0.0, 0.05, 0.15, 0.25, 0.45, 0.75, 1.05)

some_shapes = pytest.mark.parametrize("shape", [graphs.shape(name) for name in NAMES], ids=str)


async def _read(app: App, shape: Shape, most: int) -> int:
    """Close the stream after so many events; the number that came."""
    count = 0
    events = app.astream(input_of(shape), config_of(shape), stream_mode=["values", "updates", "custom"])
    async with aclosing(events):
        async for _ in events:
            count += 1
            if count == most:
                break
    return count


@some_shapes
def test_a_stream_can_be_closed_after_any_event(shape: Shape, impl: Implementation) -> None:
    most, reached = 0, 0
    while most == reached:
        most += 1

        async def main(most: int = most) -> int:
            app = compiled(shape, asyncio.sleep, impl, saver=InMemorySaver())
            return await _read(app, shape, most)

        reached = run(main, seed=most, schedule="shuffle").result


async def _cancelled(app: App, shape: Shape, after_s: float) -> bool:
    """Whether the run was still going when it was cancelled."""
    running = asyncio.ensure_future(app.ainvoke(input_of(shape), config_of(shape)))
    done, _ = await asyncio.wait([running], timeout=after_s)
    if done:
        return False
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return True


@some_shapes
def test_a_run_can_be_cancelled_at_any_time(shape: Shape, impl: Implementation) -> None:
    for after_s in CANCEL_AT_S:

        async def main(after_s: float = after_s) -> bool:
            app = compiled(shape, asyncio.sleep, impl, saver=InMemorySaver())
            return await _cancelled(app, shape, after_s)

        run(main, seed=round(after_s * 100), schedule="shuffle")


@some_shapes
def test_a_cancelled_run_can_be_taken_up_again(shape: Shape, impl: Implementation) -> None:
    wanted = invoke(shape, plain_langgraph, Tempo()).result
    for after_s in CANCEL_AT_S[1:]:

        async def main(after_s: float = after_s) -> Any:
            app = compiled(shape, asyncio.sleep, impl, saver=InMemorySaver())
            await _cancelled(app, shape, after_s)
            return compare.plain(await app.ainvoke(None, config_of(shape)))

        assert run(main, seed=1, schedule="shuffle").result == wanted


@some_shapes
def test_a_run_that_times_out_leaves_nothing_behind(shape: Shape, impl: Implementation) -> None:
    async def main() -> None:
        app = compiled(shape, asyncio.sleep, impl)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await app.ainvoke(input_of(shape), dict(shape.config))
                await asyncio.sleep(1.0)

    run(main)
