"""A graph case runs what its settings say, on both sides, and leaves nothing behind."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from bench.engine_cases import add_one, add_one_in_thread, chain
from bench.graph_case import GraphCase, Loop, Mode

EXPECTED: dict[Mode, Any] = {
    "end": {"count": 2},
    "updates": [{"step_0": {"count": 1}}, {"step_1": {"count": 2}}],
    "values": [{"count": 0}, {"count": 1}, {"count": 2}],
    "first": [{"step_0": {"count": 1}}],
}


def _case(loop: Loop, **settings: Any) -> GraphCase:
    node = add_one_in_thread if loop == "threads" else add_one
    return GraphCase("two nodes", partial(chain, node, 2), {"count": 0}, loop=loop, **settings)


@pytest.mark.parametrize("mode", EXPECTED)
@pytest.mark.parametrize("loop", ["asyncio", "threads", "virtual"])
def test_each_side_gives_what_the_mode_says_and_keeps_no_thread(mode: Mode, loop: Loop) -> None:
    case = _case(loop, mode=mode, saver=True)
    with case.opened() as sides:
        assert sides.plain() == EXPECTED[mode]
        assert sides.ours() == EXPECTED[mode]
    for graph in case.graphs():
        assert isinstance(graph.checkpointer, InMemorySaver)
        assert not graph.checkpointer.storage


@pytest.mark.parametrize("loop", ["asyncio", "threads"])
def test_a_first_result_is_that_of_its_node_and_one_that_never_comes_is_an_error(loop: Loop) -> None:
    with _case(loop, mode="first", until="step_1").opened() as sides:
        assert [list(event[1]) for event in sides.ours()] == [["step_0"], ["step_1"]]
    with (
        _case(loop, mode="first", until="nobody").opened() as sides,
        pytest.raises(LookupError, match="two nodes: no update of nobody came"),
    ):
        sides.plain()


def test_threads_are_not_counted() -> None:
    with pytest.raises(AssertionError, match="no count"):
        _case("threads").counted()
