"""What every test shares: the two implementations, and a collector that has little to walk."""

from __future__ import annotations

import gc
from collections.abc import Callable

import langgraph.graph
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


@pytest.fixture(scope="session", autouse=True)
def quiet_collector() -> None:
    """The simulated loop collects after every run; what was imported before need not be walked each time."""
    assert langgraph.graph
    gc.collect()
    gc.freeze()
