"""Every shape gives what LangGraph gives: states, streams, history and errors, however it is scheduled."""

from __future__ import annotations

from functools import cache
from typing import get_args

import graphs
import pytest

from dropin.shapes.base import Shape
from dropin.watch import Durability, Implementation, Seen, Tempo, invoke, plain_langgraph, watch

TEMPOS = (Tempo(), Tempo(1, "shuffle"), Tempo(2, "shuffle", 1), Tempo(3, "fifo", 2), Tempo(4, "shuffle", 3))

every_shape = pytest.mark.parametrize("shape", graphs.SHAPES, ids=str)


@cache
def expected(name: str, stretch: int, durability: Durability) -> Seen:
    """What LangGraph gives on the ideal machine. The stretch counts: it decides which error comes first."""
    return watch(graphs.shape(name), plain_langgraph, Tempo(stretch=stretch), durability)


@every_shape
@pytest.mark.parametrize("tempo", TEMPOS, ids=str)
def test_a_shape_shows_what_langgraph_shows(shape: Shape, tempo: Tempo, impl: Implementation) -> None:
    seen, wanted = watch(shape, impl, tempo), expected(shape.name, tempo.stretch, "async")
    if shape.racing:
        assert_same_as_far_as_committed(seen, wanted)
    else:
        assert_same(seen, wanted)


@every_shape
@pytest.mark.parametrize("durability", [mode for mode in get_args(Durability) if mode != "async"])
def test_a_shape_saves_what_langgraph_saves(shape: Shape, durability: Durability, impl: Implementation) -> None:
    seen, wanted = watch(shape, impl, Tempo(5, "shuffle"), durability), expected(shape.name, 0, durability)
    if shape.racing:
        assert_same_as_far_as_committed(seen, wanted)
    else:
        assert_same(seen, wanted)


@every_shape
def test_a_call_without_saver_or_streams_gives_the_same_answer(shape: Shape, impl: Implementation) -> None:
    for tempo in TEMPOS:
        wanted = invoke(shape, plain_langgraph, Tempo(stretch=tempo.stretch)).result
        assert invoke(shape, impl, tempo).result == wanted, tempo


def assert_same(seen: Seen, wanted: Seen) -> None:
    """One field after the other, the plainest first, so that a failure says most in its first lines."""
    assert seen.errors == wanted.errors
    assert seen.results == wanted.results
    assert seen.state == wanted.state
    assert seen.history == wanted.history
    assert seen.tasks == wanted.tasks
    assert seen.streams == wanted.streams


def assert_same_as_far_as_committed(seen: Seen, wanted: Seen) -> None:
    """Where a sibling fails, LangGraph does not say which others had ended: only their step is compared."""
    assert seen.errors == wanted.errors
    assert seen.results == wanted.results
    for one, other in zip(seen.streams, wanted.streams, strict=True):
        assert [item["values"] for item in one] == [item["values"] for item in other]
