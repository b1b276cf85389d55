"""Shape cases: the synthetic graphs of `python -m alto_lg.comparisons.shapes` on the virtual clock, where what an order
of execution gains is exact."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from alto_lg.comparisons.shape_graphs import Shape, timed_shapes
from bench.graph_case import GraphCase, has_come


def _cases(shape: Shape) -> Iterator[GraphCase]:
    whole = GraphCase(
        f"shape: {shape.name}",
        partial(shape.build, asyncio.sleep),
        shape.given,
        loop="virtual",
        options=shape.options,
        figures=("latency", "cpu"),
    )
    yield whole
    if shape.first_node is not None:
        yield replace(whole, name=f"{whole.name}, first result", mode="first", until=shape.first_node, answer=has_come)


SHAPE_CASES = tuple(case for shape in timed_shapes(seed=0) for case in _cases(shape))
