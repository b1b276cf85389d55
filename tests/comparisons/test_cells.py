"""Which cells there are, in which order, and how long they take."""

from __future__ import annotations

import pytest

from alto_lg.comparisons.cells import (
    FULL_APPLICATIONS,
    FULL_LOADS,
    FULL_SLOTS,
    Cell,
    Known,
    cells_of,
    chosen_cells,
    estimated_s,
    fitted_requests,
    nominal,
)
from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.load import trace_shape
from alto_lg.comparisons.loads import ALONE, Load, loads_of
from alto_lg.comparisons.sim.profiles import PROFILES

FULL = cells_of(FULL_APPLICATIONS, tuple(PROFILES), FULL_SLOTS, FULL_LOADS)


def test_the_matrix_is_whole_and_no_cell_or_file_is_there_twice() -> None:
    assert len(FULL) == len(set(FULL)) == 4 * len(PROFILES) * 3 * len(FULL_LOADS)
    assert len({cell.name for cell in FULL}) == len(FULL)
    assert "tot-h100-8b-8-slots-70pc" in {cell.name for cell in FULL}


def test_every_share_of_saturation_comes_after_the_cell_that_measures_it() -> None:
    place = {cell: at for at, cell in enumerate(FULL)}
    assert all(place[cell.alone] < place[cell] for cell in FULL if not cell.load.is_alone)


def test_the_promised_figures_come_first() -> None:
    first = [cell for cell in FULL[:16] if cell.profile == "h100-8b"]
    told = {(cell.slots, str(cell.load)) for cell in first}
    assert {(None, "alone"), (8, "alone"), (8, "70%")} <= told
    assert [cell.application for cell in FULL[:4]] == list(FULL_APPLICATIONS)


def test_cells_alone_are_added_where_a_rate_is_asked_for_by_itself() -> None:
    cells = cells_of(["tot"], ["h100-8b"], [8], loads_of("0.1"))
    assert [str(cell.load) for cell in cells] == ["alone", "0.1"]


def test_chosen_cells_bring_what_they_need() -> None:
    chosen = chosen_cells(FULL, "tot-h100-8b-8-slots-70pc")
    assert [cell.name for cell in chosen] == ["tot-h100-8b-8-slots-alone", "tot-h100-8b-8-slots-70pc"]
    assert chosen_cells(FULL, None) == FULL
    with pytest.raises(UsageError, match="no cell has that in its name"):
        chosen_cells(FULL, "nothing")


def test_an_application_of_ones_own_has_a_name_that_a_file_can_have() -> None:
    cell = Cell("my.package:MINE", None, 4, Load(rate=0.5))
    assert cell.name == "mine-own-server-4-slots-0.5"
    assert str(cell) == "my.package:MINE, own server, 4 slots, 0.5 /s"


def test_a_trace_has_eight_blocks_and_one_of_fewer_requests_at_least_two() -> None:
    usual = trace_shape(0.5, None)
    assert (usual.requests, usual.block, usual.lead_in) == (120, 15, 3)
    assert trace_shape(0.01, None).block == 6
    assert trace_shape(200.0, 6).block == 3
    assert trace_shape(1.0, 1000).block == 125
    assert trace_shape(1.0, 1).block == 1
    assert (trace_shape(2.0, None, 2).requests, trace_shape(2.0, None, 2).block) == (120, 60)
    assert trace_shape(2.0, 120, 4).block == 30


def test_an_estimate_counts_requests_arms_and_the_end_of_each_block() -> None:
    cell = Cell("tot", "h100-8b", 8, ALONE)
    known = Known(latency_s=2.0, saturation_rate=1.0)
    start_s = estimated_s(cell, 0, known, 10, 1)
    assert estimated_s(cell, 5, known, 10, 1) - start_s == pytest.approx(5 * 11 * 2.0)
    loaded = Cell("tot", "h100-8b", 8, Load(share=50))
    assert estimated_s(loaded, 5, known, 20, 1) - start_s == pytest.approx(5 * (20 / 0.5 + 2 * 2 * 2.0 + 2.0))


def test_requests_are_fitted_into_the_minutes_and_the_quick_get_more() -> None:
    arms = {Cell(app, "h100-8b", None, ALONE): 5 for app in FULL_APPLICATIONS}
    fitted = fitted_requests(arms, 600, 1)
    spent_s = sum(estimated_s(cell, 5, nominal(cell), count, 1) for cell, count in fitted.items())
    by_app = {cell.application: count for cell, count in fitted.items()}
    assert 480 < spent_s <= 600 and min(fitted.values()) >= 1
    assert by_app["factool"] > by_app["storm"]
