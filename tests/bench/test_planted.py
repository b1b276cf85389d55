"""A slow-down planted in accelerated runs, through LangChain's callbacks, is found; code as it was is not blamed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler

from alto_lg.comparisons.statistics import Interval, median
from bench.appraising import WorseThanStored, appraise, check, cpu_ratio
from bench.case import Figure
from bench.engine_cases import add_one, chain
from bench.graph_case import GraphCase
from bench.pairs import measure
from bench.stored import Stored

SHARE = 0.25
NODES = 10
SECONDS = 0.5
CASE = GraphCase("the chain", partial(chain, add_one, NODES), {"count": 0})


class Burner(AsyncCallbackHandler):
    """Works for nothing whenever a node starts."""

    def __init__(self, burn: Callable[[], None]) -> None:
        self._burn = burn

    async def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
        self._burn()


def _burn_processor_time(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def _burn_calls(count: int) -> None:
    for _ in range(count):
        len("")


def _only(figure: Figure, burn: Callable[[], None] | None = None) -> GraphCase:
    return replace(CASE, figures=(figure,), config={"callbacks": [Burner(burn)]} if burn else {})


@pytest.mark.slow
def test_a_quarter_more_processor_time_is_found_and_named_with_both_figures_and_the_next_move() -> None:
    before = measure(CASE, SECONDS)
    kept = Stored({"cpu": cpu_ratio(before)}, "python 3")
    burnt_s = SHARE * median([sample.cpu_s for sample in before.ours]) / NODES
    rows = appraise(_only("cpu", partial(_burn_processor_time, burnt_s)), SECONDS, kept)
    with pytest.raises(WorseThanStored) as caught:
        check(rows, kept)
    said = str(caught.value)
    assert said.startswith(f"the chain: cpu is {rows[0].verdict.ratio.value:.3f} [")
    assert f"stored is {kept.ratios['cpu'].value:.3f} (python 3)" in said
    assert "make bench-store ARGS='--only \"the chain\"'" in said


@pytest.mark.slow
def test_code_as_it_was_is_not_blamed() -> None:
    kept = Stored({"cpu": cpu_ratio(measure(CASE, SECONDS))}, "python 3")
    check(appraise(_only("cpu"), SECONDS, kept), kept)


def test_calls_are_the_same_number_each_time_and_a_quarter_more_is_found_without_a_clock() -> None:
    exact, again = CASE.counted(), CASE.counted()
    assert [side.calls for side in exact] == [side.calls for side in again]
    plain, ours = (side.calls for side in exact)
    ratio = ours / plain
    kept = Stored({"cpu": Interval(99, 99, 99), "calls": Interval(ratio, ratio, ratio)}, "python 3")
    check(appraise(_only("calls"), 0.01, kept), kept)
    slowed = appraise(_only("calls", partial(_burn_calls, round(SHARE * ours / NODES))), 0.01, kept)
    with pytest.raises(WorseThanStored, match=r"the chain: calls is .* That is \d+ % more"):
        check(slowed, kept)
