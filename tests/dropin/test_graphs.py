"""The list of shapes itself."""

from __future__ import annotations

import graphs
import pytest

from dropin.shapes.base import Shape


def test_names_are_unique_and_there_are_enough() -> None:
    assert len(graphs.BY_NAME) == len(graphs.SHAPES) >= 40


@pytest.mark.parametrize("shape", graphs.overlapping(), ids=str)
def test_a_critical_path_is_never_longer_than_the_supersteps(shape: Shape) -> None:
    assert shape.critical_path_s is not None
    assert shape.supersteps_s is not None
    assert shape.critical_path_s <= shape.supersteps_s + 1e-9
