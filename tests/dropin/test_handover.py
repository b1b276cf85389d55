"""A run that one implementation began is ended by the other, as if one of them had done it all."""

from __future__ import annotations

from typing import Any

import graphs
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from sim.loop import run

from dropin.shapes.base import Shape
from dropin.test_shapes import assert_same
from dropin.watch import Durability, Implementation, Seen, Tempo, compiled, look, plain_langgraph, watch

stopped = pytest.mark.parametrize("shape", [shape for shape in graphs.SHAPES if shape.resumes], ids=str)


def _handed_over(shape: Shape, tempo: Tempo, durability: Durability, impl: Implementation, *, begins: bool) -> Seen:
    """Both apps run the same nodes over the same saver."""

    async def main() -> Any:
        plain = compiled(shape, tempo.sleep(), plain_langgraph, saver=InMemorySaver())
        other = impl(plain, **shape.options)
        first, second = (other, plain) if begins else (plain, other)
        return await look(first, shape, durability, resumed_by=second)

    seen: Seen = run(main, seed=tempo.seed, schedule=tempo.schedule).result
    return seen


@stopped
@pytest.mark.parametrize("begins", [True, False], ids=["begins", "resumes"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_run_is_handed_over_in_either_direction(
    shape: Shape, durability: Durability, begins: bool, impl: Implementation
) -> None:
    for tempo in (Tempo(), Tempo(7, "shuffle"), Tempo(8, "shuffle", 1)):
        wanted = watch(shape, plain_langgraph, Tempo(stretch=tempo.stretch), durability)
        assert_same(_handed_over(shape, tempo, durability, impl, begins=begins), wanted)
