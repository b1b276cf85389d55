"""`messages` and `custom` events reach the caller when they are made, with LangGraph's metadata."""

from __future__ import annotations

import asyncio
from typing import Any

import graphs
import pytest
from sim.loop import run

from dropin.watch import Implementation, Tempo, compiled, input_of, plain_langgraph, watch

TALKING = graphs.shape("talking")
WRITERS = graphs.shape("writers")


def _heard(impl: Implementation) -> list[tuple[float, str, dict[str, Any]]]:
    """When each word came, the word, and what was said about it."""

    async def main() -> list[tuple[float, str, dict[str, Any]]]:
        app = compiled(TALKING, asyncio.sleep, impl)
        loop = asyncio.get_running_loop()
        return [
            (loop.time(), message.content, about)
            async for message, about in app.astream(input_of(TALKING), stream_mode="messages")
        ]

    return run(main).result


def _times_s(heard: list[tuple[float, str, dict[str, Any]]], node: str) -> list[float]:
    return [when for when, word, about in heard if about["langgraph_node"] == node and word]


def test_words_come_while_the_node_still_speaks(impl: Implementation) -> None:
    heard = _heard(impl)
    assert _times_s(heard, "fast") == pytest.approx([0.1, 0.2])
    assert _times_s(heard, "slow") == pytest.approx([0.3, 0.6, 0.9, 1.2])


def test_words_of_one_node_keep_their_order_and_their_pace(impl: Implementation) -> None:
    heard = _heard(impl)
    words = [word for _, word, about in heard if about["langgraph_node"] == "after" and word]
    first, second, third = _times_s(heard, "after")
    assert words == ["three ", "four ", "five "]
    assert (second - first, third - second) == pytest.approx((0.1, 0.1))


def test_a_message_says_which_node_in_which_step_made_it(impl: Implementation) -> None:
    def about(implementation: Implementation) -> set[tuple[Any, ...]]:
        keys = ("langgraph_node", "langgraph_step", "langgraph_triggers", "langgraph_path")
        return {tuple(str(about[key]) for key in keys) for _, _, about in _heard(implementation)}

    assert about(impl) == about(plain_langgraph)


def test_messages_of_a_run_are_the_same_set_for_each_node(impl: Implementation) -> None:
    for tempo in (Tempo(1, "shuffle"), Tempo(2, "shuffle", 2)):
        seen, wanted = watch(TALKING, impl, tempo), watch(TALKING, plain_langgraph, tempo)
        assert [item["messages"] for item in seen.streams[0]] == [item["messages"] for item in wanted.streams[0]]


def test_custom_events_come_when_they_are_written(impl: Implementation) -> None:
    async def main() -> list[tuple[float, Any]]:
        app = compiled(WRITERS, asyncio.sleep, impl)
        loop = asyncio.get_running_loop()
        return [(loop.time(), event) async for event in app.astream(input_of(WRITERS), stream_mode="custom")]

    heard = run(main).result
    assert [when for when, event in heard if event["from"] == "fast"] == pytest.approx([0.0, 0.05, 0.1])
    assert [when for when, event in heard if event["from"] == "slow"] == pytest.approx([0.0, 0.3, 0.6])
    assert [event["number"] for _, event in heard if event["from"] == "after"] == [0, 1, 2]
