"""Virtual time: what may overlap overlaps to the last digit, and what must wait waits."""

from __future__ import annotations

import graphs
import pytest

from dropin.shapes.base import Shape
from dropin.watch import Implementation, Tempo, invoke, plain_langgraph, watch

timed = pytest.mark.parametrize("shape", graphs.overlapping(), ids=str)


def _expected_s(shape: Shape, implementation: Implementation) -> float | None:
    return shape.supersteps_s if implementation is plain_langgraph else shape.critical_path_s


@timed
def test_a_shape_ends_when_its_longest_true_path_ends(shape: Shape, impl: Implementation) -> None:
    assert invoke(shape, impl, Tempo()).elapsed_s == pytest.approx(_expected_s(shape, impl))


@timed
def test_a_saver_and_streams_do_not_change_the_time(shape: Shape, impl: Implementation) -> None:
    assert watch(shape, impl, Tempo()).elapsed_s == pytest.approx(_expected_s(shape, impl))
