"""Served cases: an application on the simulated server, in a process of its own, by way of the real client.

Only the processor time of this process is kept: the engine's, the application's and the client's, and not the
server's. Always true: the server's times are so short that few of them can add up to more than the client's work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import alto_lg
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.comparisons.applications import load_application
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from bench.app_cases import build
from bench.case import Exact, Figure, Sides
from bench.graph_case import Graph
from bench.verdict import WORSE_MAX

TIME_SCALE = 0.001


@dataclass(frozen=True, slots=True)
class ServedCase:
    """LangGraph runs the flat graph, our side the given version."""

    application: str
    version: str
    figures: tuple[Figure, ...] = ("cpu",)
    cpu_worse_max: float = WORSE_MAX

    @property
    def name(self) -> str:
        return f"{self.application} on a server, {self.version}"

    @contextmanager
    def opened(self) -> Iterator[Sides]:
        application = load_application(self.application)
        given = application.workload(corpus=None, questions=None)[0].input
        with SimulatedServer(SimOptions(time_scale=TIME_SCALE)) as server, asyncio.Runner() as runner:
            chat = OpenAIChat(server.base_url, server.model)
            plain = build(self.application, "flat", chat)
            ours: Graph = alto_lg.accelerate(build(self.application, self.version, chat))

            def run(graph: Graph) -> Any:
                return application.answer(runner.run(graph.ainvoke(dict(given))))

            yield Sides(lambda: run(plain), lambda: run(ours))
            runner.run(chat.close())

    def counted(self) -> tuple[Exact, Exact]:
        raise AssertionError(f"{self.name}: answers of a server come as they come, so there is nothing to count")


SERVED_CASES = tuple(ServedCase("factool", version) for version in ("flat", "streaming"))
