"""The ledger of a run that `python -m bench` did not start: it compares with what is stored and prints nothing."""

from __future__ import annotations

import pytest

from bench.ledger import Ledger


@pytest.fixture(scope="session")
def ledger(request: pytest.FixtureRequest) -> Ledger:
    found = request.config.pluginmanager.get_plugin("bench-ledger")
    return found if isinstance(found, Ledger) else Ledger()
