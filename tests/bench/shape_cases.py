"""Shape cases: the synthetic graphs of `python -m alto_lg.comparisons.shapes` on the virtual clock, where what an order
of execution gains is exact."""

from __future__ import annotations

import asyncio
from functools import partial

from alto_lg.comparisons.shape_graphs import timed_shapes
from bench.graph_case import GraphCase

SHAPE_CASES = tuple(
    GraphCase(
        f"shape: {shape.name}",
        partial(shape.build, asyncio.sleep),
        shape.given,
        loop="virtual",
        options=shape.options,
        figures=("latency", "cpu"),
    )
    for shape in timed_shapes(seed=0)
)
