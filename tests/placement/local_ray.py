"""One Ray for the tests of a process, with room for any number of actors, and nothing but this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

import alto_lg

SMALL = {"num_cpus": 0.01}
"""Of an actor in tests: Ray counts CPUs, and does not measure them."""


@pytest.fixture(scope="session")
def local_ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield ray
    ray.shutdown()


def on_ray(**options: Any) -> Any:
    return alto_lg.ray(**SMALL, **options)
