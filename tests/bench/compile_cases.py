"""Compile cases: what has to be done once for a graph: `accelerate` beside `compile`, and the first run.

The first run of an accelerated graph reads the code of its nodes, and all that they call of the user's own.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sim.loop import run

import alto_lg
from alto_lg.apps.factool import FACTOOL
from bench.app_cases import build
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


def _first_run_of_factool() -> Sides:
    request = FACTOOL.workload(corpus=None, questions=None)[0]

    def run_it(graph: Graph) -> Any:
        return FACTOOL.answer(run(lambda: graph.ainvoke(dict(request.input))).result)

    def built() -> Graph:
        return build("factool", "flat")

    run_it(built())  # so that neither side waits for the retriever to be loaded
    return Sides(lambda: run_it(built()), lambda: run_it(_accelerated(built())))


def _accelerated(graph: Graph) -> Graph:
    accelerated: Graph = alto_lg.accelerate(graph)
    return accelerated


COMPILE_CASES = (
    FunctionCase("compile a row of 300", _of_row),
    FunctionCase("compile and first run, wide dict", _first_run_of_wide),
    FunctionCase("build and first run, factool", _first_run_of_factool),
)
