"""Several runs of one app at once share the graph and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import graphs
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from sim.loop import run

from dropin.shapes.base import Shape
from dropin.test_shapes import assert_same
from dropin.watch import Implementation, Seen, Tempo, compiled, look, plain_langgraph, watch

NAMES = ("fan_out_9", "send_chain_joined", "nested_fan_out", "fast_and_slow", "two_ask", "branches_inside", "analysts")

some_shapes = pytest.mark.parametrize("shape", [graphs.shape(name) for name in NAMES], ids=str)


@some_shapes
def test_two_runs_at_once_each_give_what_one_gives(shape: Shape, impl: Implementation) -> None:
    wanted = watch(shape, plain_langgraph, Tempo())

    async def main() -> list[Seen]:
        app = compiled(shape, asyncio.sleep, impl, saver=InMemorySaver())
        return await asyncio.gather(*(look(app, shape, thread=thread) for thread in ("1", "2")))

    for seed in range(3):
        for seen in run(main, seed=seed, schedule="shuffle").result:
            assert_same(seen, wanted)


def test_runs_of_different_width_do_not_mix(impl: Implementation) -> None:
    shape = graphs.shape("fan_out_9")

    async def main() -> list[Any]:
        app = compiled(shape, asyncio.sleep, impl)
        return await asyncio.gather(*(app.ainvoke({"size": size, "log": []}) for size in range(12)))

    for size, state in enumerate(run(main, seed=1, schedule="shuffle").result):
        words = [f"work {index}" for index in range(size)]
        joined = [f"joined {size + 1}"] if size else []
        assert state["log"] == ["start", *words, *joined]


def test_runs_that_start_one_after_the_other_overlap_without_mixing(impl: Implementation) -> None:
    shape = graphs.shape("send_chain_joined")
    alone = watch(shape, plain_langgraph, Tempo())

    async def main() -> list[Seen]:
        app = compiled(shape, asyncio.sleep, impl, saver=InMemorySaver())

        async def later(place: int) -> Seen:
            await asyncio.sleep(place * 0.15)
            return await look(app, shape, thread=str(place))

        return await asyncio.gather(*(later(place) for place in range(6)))

    for seen in run(main, seed=3, schedule="shuffle").result:
        assert_same(replace(seen, elapsed_s=0.0), replace(alone, elapsed_s=0.0))
