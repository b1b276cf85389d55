"""What a test leaves behind is collected in its own time, where its filter of warnings holds."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def nothing_older_looked_at() -> Iterator[None]:
    """What other tests have left in this process is not walked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()
