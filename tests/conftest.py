"""What every test shares: the two implementations that each drop-in test runs on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dropin.watch import Implementation, plain_langgraph

import alto_lg


def _accelerated() -> Implementation:
    return alto_lg.accelerate


IMPLEMENTATIONS: dict[str, Callable[[], Implementation]] = {
    "langgraph": lambda: plain_langgraph,
    "alto": _accelerated,
}


@pytest.fixture(params=tuple(IMPLEMENTATIONS))
def impl(request: pytest.FixtureRequest) -> Implementation:
    """Each test body runs twice: on LangGraph as it is, and on the accelerated graph."""
    return IMPLEMENTATIONS[request.param]()
