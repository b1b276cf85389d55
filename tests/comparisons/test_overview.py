"""The tables over several cells."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.cells import Cell
from alto_lg.comparisons.loads import ALONE, Load
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.overview import cells_table, target_rows, targets_table
from alto_lg.comparisons.results import Results
from alto_lg.comparisons.summary import summarise

Render = Callable[[object], str]
FLAT, QUICK = Arm("langgraph-flat", "flat", "langgraph"), Arm("alto-flat", "flat", "alto")
SERVER = Cell("tot", "h100-8b", 8, ALONE)


def measured(arm: Arm, position: int, latency_s: float, block: int | None, lead_in: bool = False) -> Measurement:
    return Measurement(
        arm=arm.name,
        position=position,
        request=f"request-{position}",
        latency_s=latency_s,
        first_result_s=latency_s / 2,
        cpu_s=0.05,
        limit_s=latency_s,
        first_limit_s=None,
        answer=position,
        early=None,
        spans=(),
        predicted_s=latency_s / 1.05,
        block=block,
        lead_in=lead_in,
    )


def results(rate: float, slowness: float) -> Results:
    """Two arms, of which the second waits half as long; what leads a block in is far slower, and counts for nothing."""
    blocks = [None] * 8 if rate == 0 else [at // 4 for at in range(8)]
    arms = {
        arm.name: [
            measured(arm, at, 100.0 if block is not None and at % 4 == 0 else slowness * factor * (1 + at / 100), block)
            for at, block in enumerate(blocks)
        ]
        for arm, factor in ((FLAT, 1.0), (QUICK, 0.5))
    }
    arms = {
        name: [one if one.latency_s < 100 else measured_lead_in(one) for one in found] for name, found in arms.items()
    }
    summary = {"equal": True, "arms": [one.fields() for one in summarise((FLAT, QUICK), arms, seed=0)]}
    return Results({"rate": rate}, tuple(one for found in arms.values() for one in found), summary)


def measured_lead_in(one: Measurement) -> Measurement:
    arm = FLAT if one.arm == FLAT.name else QUICK
    return measured(arm, one.position, one.latency_s, one.block, lead_in=True)


DONE = {
    SERVER: results(0.0, 1.5),
    Cell("tot", "h100-8b", 8, Load(share=50)): results(0.5, 3.0),
    Cell("tot", "h100-8b", 8, Load(share=85)): results(0.9, 6.0),
}


def test_every_arm_of_every_cell_has_a_row_and_no_line_is_cut(render: Render) -> None:
    text = render(cells_table(DONE, "tot"))
    assert text.count("langgraph-flat") == text.count("alto-flat") == 3
    assert "…" not in text and "above" in text and "predicted (%)" in text
    assert "! 5.0" in text
    assert "100.0" not in text, "what leads in is in no figure"


def test_an_arm_bears_the_rate_at_which_its_latency_reaches_the_target(render: Render) -> None:
    flat, quick = target_rows(DONE, least_s=4.0, factor=2.0, seed=0)
    assert flat.target_s == 4.0
    assert 0.5 < flat.figures[50].throughput.rate < 0.7
    assert quick.figures[50].throughput.at_least and quick.figures[50].ratio_is_cut_off
    text = render(targets_table([flat, quick]))
    assert "≥ 0.900" in text and "cut off" in text
    assert flat.fields()["p90"]["at_least"] is False


def test_the_target_follows_an_application_that_takes_long_by_itself() -> None:
    slow = {SERVER: results(0.0, 3.0), Cell("tot", "h100-8b", 8, Load(share=50)): results(0.5, 5.0)}
    assert target_rows(slow, least_s=4.0, factor=2.0, seed=0)[0].target_s == pytest.approx(6.0, rel=0.05)


def test_a_server_that_was_measured_under_no_load_has_no_throughput() -> None:
    assert target_rows({SERVER: DONE[SERVER]}, least_s=4.0, factor=2.0, seed=0) == ()
