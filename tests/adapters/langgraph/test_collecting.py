"""The collector of garbage is as the process had it, whatever happens in a run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from dropin.shapes.base import Log, add_all, connect
from langgraph.graph import START

import alto_lg
from alto_lg.adapters.langgraph.collecting import collector_at_rest


@pytest.fixture(params=[True, False], ids=["on", "off"])
def as_it_was(request: pytest.FixtureRequest) -> Iterator[bool]:
    was = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if was else gc.disable)()


def test_it_rests_inside_and_goes_on_behind(as_it_was: bool) -> None:
    with pytest.raises(OSError, match="in between"), collector_at_rest():
        assert not gc.isenabled()
        raise OSError("in between")
    assert gc.isenabled() is as_it_was


def test_nodes_run_with_the_collector_that_the_process_has(as_it_was: bool) -> None:
    seen: list[bool] = []

    def look(state: Log) -> dict[str, Any]:
        seen.append(gc.isenabled())
        return {"log": ["look"]}

    def fails(state: Log) -> Any:
        raise OSError("this node fails")

    app = alto_lg.accelerate(connect(add_all(Log, {"look": look, "fails": fails}), (START, "look"), ("look", "fails")))
    with pytest.raises(OSError, match="this node fails"):
        app.invoke({"log": []})
    assert seen == [as_it_was]
    assert gc.isenabled() is as_it_was
