"""The agent turn against a simulated server, a thousand times as fast: both sides end with equal messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons import agent_rules
from alto_lg.comparisons.agent_turn import measure
from alto_lg.comparisons.endpoint import Server
from alto_lg.comparisons.meter import UnknownMeter

Serve = Callable[..., str]


def test_both_sides_are_measured_and_nothing_is_dropped(serve: Serve) -> None:
    server = Server(ModelEndpoint(serve(text_models=[agent_rules.reply]), "sim"), "in this process", UnknownMeter())
    measured = asyncio.run(measure(server, (3, 2, 1), 2))
    assert len(measured.plain) == len(measured.accelerated) == 2
    for plain, accelerated in zip(measured.plain, measured.accelerated, strict=True):
        assert [message[0] for message in plain.messages] == ["ai", "tool", "tool", "tool", "ai"]
        assert plain.messages == accelerated.messages
        assert accelerated.dropped == 0
        assert len(accelerated.complete_s) == 3
        assert plain.first_tool_s >= plain.complete_s[-1], "LangGraph's tools wait for the message"
