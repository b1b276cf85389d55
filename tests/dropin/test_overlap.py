"""Virtual time: what may overlap overlaps to the last digit, and what must wait waits."""

from __future__ import annotations

import asyncio
from typing import Any

import graphs
import pytest
from sim.loop import run

import alto_lg
from dropin.shapes.base import Shape
from dropin.watch import Implementation, Tempo, compiled, input_of, invoke, plain_langgraph, watch

timed = pytest.mark.parametrize("shape", graphs.overlapping(), ids=str)


def _expected_s(shape: Shape, implementation: Implementation) -> float | None:
    return shape.supersteps_s if implementation is plain_langgraph else shape.critical_path_s


@timed
def test_a_shape_ends_when_its_longest_true_path_ends(shape: Shape, impl: Implementation) -> None:
    assert invoke(shape, impl, Tempo()).elapsed_s == pytest.approx(_expected_s(shape, impl))


_WITHHELD = "early_packets_to_subgraph"
"""With a saver, a subgraph files checkpoints under the id of its task, which an early start does not know."""


@timed
def test_a_saver_and_streams_do_not_change_the_time(shape: Shape, impl: Implementation) -> None:
    expected_s = shape.supersteps_s if shape.name == _WITHHELD else _expected_s(shape, impl)
    assert watch(shape, impl, Tempo()).elapsed_s == pytest.approx(expected_s)


@pytest.mark.parametrize("shape", graphs.SHAPES, ids=str)
def test_no_early_result_is_dropped_unless_the_run_ends_before_it(shape: Shape) -> None:
    async def main() -> tuple[alto_lg.RunStatistics | None, bool]:
        app = compiled(shape, asyncio.sleep, alto_lg.accelerate)
        failed = False
        try:
            await app.ainvoke(input_of(shape), dict(shape.config), context=shape.context)
        except Exception:
            failed = True
        return alto_lg.statistics(app), failed

    seen, failed = run(main).result
    assert seen is not None
    over = {"the run ended by GraphInterrupt"}  # a node paused the run, and what it had streamed was under way
    assert failed or seen.dropped_why.keys() <= over


@pytest.mark.parametrize("name", ["fast_and_slow", "uneven_diamond", "send_chain_20", "routed_chain"])
def test_what_overlapped_is_counted(name: str) -> None:
    shape = graphs.shape(name)

    async def main() -> alto_lg.RunStatistics | None:
        app = compiled(shape, asyncio.sleep, alto_lg.accelerate)
        await app.ainvoke(input_of(shape), dict(shape.config))
        return alto_lg.statistics(app)

    seen = run(main).result
    assert seen is not None
    assert 0 < seen.early_starts <= seen.firings


def _chains(graph: Any, **options: Any) -> Any:
    return alto_lg.accelerate(graph, overlap="chains", **options)


def test_a_chain_overlaps_when_asked_to() -> None:
    """b reads nothing that a may write; c reads both."""
    shape = graphs.shape("chain")
    fast, plain = invoke(shape, _chains, Tempo()), invoke(shape, plain_langgraph, Tempo())
    assert fast.result == plain.result
    assert fast.elapsed_s == pytest.approx(0.4)


def test_a_chain_that_truly_depends_takes_the_sum_even_then() -> None:
    assert invoke(graphs.shape("analysts"), _chains, Tempo()).elapsed_s == pytest.approx(0.3)


@pytest.mark.parametrize("shape", [shape for shape in graphs.SHAPES if not shape.racing], ids=str)
def test_overlapping_chains_change_no_answer(shape: Shape) -> None:
    for tempo in (Tempo(), Tempo(6, "shuffle", 2)):
        wanted = invoke(shape, plain_langgraph, Tempo(stretch=tempo.stretch)).result
        assert invoke(shape, _chains, tempo).result == wanted
