"""The four benches that each test of the surface runs on."""

from __future__ import annotations

from typing import get_args

import pytest
from dropin.watch import Implementation, plain_langgraph

from surface.bench import Bench, Colour


@pytest.fixture(params=get_args(Colour))
def colour(request: pytest.FixtureRequest) -> Colour:
    """Each test body runs in both colours."""
    found: Colour = request.param
    return found


@pytest.fixture
def bench(impl: Implementation, colour: Colour, request: pytest.FixtureRequest) -> Bench:
    return Bench(impl, colour, is_ours=request.node.callspec.params["impl"] == "alto")


@pytest.fixture
def plain_bench(colour: Colour) -> Bench:
    """LangGraph itself in the same colour: what a long list of events is compared with."""
    return Bench(plain_langgraph, colour, is_ours=False)
