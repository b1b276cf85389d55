"""The sync API gives what plain LangGraph gives: answers, events and saved states."""

from __future__ import annotations

import graphs
import pytest

from dropin import synchronous
from dropin.shapes.base import Shape
from dropin.watch import Implementation, plain_langgraph

# LangGraph fills its cache on a thread of its own: whether a later step finds the entry there is a race.
DRIVABLE = [shape for shape in graphs.SHAPES if shape.sync and not shape.racing and shape.name != "cached"]

# LangGraph 1.2.22 keeps one thread of a synchronous stream waiting for events: with a limit of one, no node can run.
STREAMABLE = [shape for shape in DRIVABLE if shape.config.get("max_concurrency") != 1]

drivable = pytest.mark.parametrize("shape", DRIVABLE, ids=str)
streamable = pytest.mark.parametrize("shape", STREAMABLE, ids=str)


@drivable
def test_invoke_gives_the_same_answer_and_saves_the_same(shape: Shape, impl: Implementation) -> None:
    assert synchronous.invoke(shape, impl) == synchronous.invoke(shape, plain_langgraph)


@streamable
def test_stream_gives_the_same_events(shape: Shape, impl: Implementation) -> None:
    assert synchronous.stream(shape, impl) == synchronous.stream(shape, plain_langgraph)
