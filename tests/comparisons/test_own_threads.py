"""A graph that keeps conversations is measured on a thread of its own for each request, of which nothing is left."""

from __future__ import annotations

import asyncio

import pytest
from dropin.watch import Implementation, plain_langgraph
from langgraph.checkpoint.memory import InMemorySaver

from alto_lg.apps.base import Request
from alto_lg.apps.wikichat import WIKICHAT, build
from alto_lg.apps.wikichat.local_chat import LocalChat
from alto_lg.comparisons.measure import Measurement, measure, own_thread
from alto_lg.comparisons.runners import GraphRunner


def test_two_requests_know_nothing_of_each_other_and_leave_nothing(impl: Implementation) -> None:
    saver = InMemorySaver()
    graph = impl(build("flat", chat=LocalChat(), checkpointer=saver))
    runner = GraphRunner(graph, accelerated=impl is not plain_langgraph)

    async def both() -> list[Measurement]:
        requests = [Request(name, {"question": "Who was Wegener?"}) for name in ("one", "two")]
        return [
            await measure(runner, WIKICHAT, request, arm="a", position=place) for place, request in enumerate(requests)
        ]

    first, second = asyncio.run(both())
    assert first.answer == second.answer
    assert len(second.answer["history"]) == 1
    assert first.limit_s > (first.first_limit_s or 0) > 0
    assert not saver.storage


@pytest.mark.parametrize(("keeps", "has_thread"), [(True, True), (False, False)])
def test_a_graph_without_a_checkpointer_has_no_thread(keeps: bool, has_thread: bool) -> None:
    graph = build("flat", chat=LocalChat(), checkpointer=InMemorySaver() if keeps else None)
    assert (own_thread(graph) is not None) is has_thread
