"""Compile cases: what has to be done once for a graph: `accelerate` beside `compile`, and the first run.

The first run of an accelerated graph reads the code of its nodes. No application is a case here: how much work reading
one takes depends on the order of sets of objects, and differs by half from process to process.
"""

from __future__ import annotations

import asyncio
from typing import Any

import alto_lg
from bench.case import Sides
from bench.engine_cases import add_one, chain
from bench.function_case import FunctionCase
from bench.graph_case import Graph
from bench.upstream_cases import wide


def _of_row() -> Sides:
    builder = chain(add_one, 300)
    return Sides(lambda: sorted(builder.compile().nodes), lambda: sorted(_accelerated(builder.compile()).nodes))


def _first_run_of_wide() -> Sides:
    given: dict[str, Any] = {"rounds": 0, "events": [{"one": 1}], "notes": [], "labels": [], "replies": []}

    def run_it(graph: Graph) -> Any:
        return asyncio.run(graph.ainvoke(given))

    return Sides(lambda: run_it(wide("dict", 1).compile()), lambda: run_it(_accelerated(wide("dict", 1).compile())))


def _accelerated(graph: Graph) -> Graph:
    accelerated: Graph = alto_lg.accelerate(graph)
    return accelerated


COMPILE_CASES = (
    FunctionCase("compile a row of 300", _of_row),
    FunctionCase("compile and first run, wide dict", _first_run_of_wide),
)
