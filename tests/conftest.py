"""What every test shares: the two implementations that each drop-in test runs on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dropin.watch import Implementation, plain_langgraph
from hypothesis import settings

import alto_lg

# An example that takes long on a busy machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def _accelerated() -> Implementation:
    return alto_lg.accelerate


IMPLEMENTATIONS: dict[str, Callable[[], Implementation]] = {
    "langgraph": lambda: plain_langgraph,
    "alto": _accelerated,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--release", action="store_true", help="run the long checks of `make release-check`, whole")


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> bool:
    """Whether the long checks run whole, and not as the sample that every change must pass."""
    return bool(request.config.getoption("--release"))


@pytest.fixture(params=tuple(IMPLEMENTATIONS))
def impl(request: pytest.FixtureRequest) -> Implementation:
    """Each test body runs twice: on LangGraph as it is, and on the accelerated graph."""
    return IMPLEMENTATIONS[request.param]()
