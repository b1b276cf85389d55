"""Application cases: every application at a small size, its rules for a model, on the virtual clock.

Always true: the model takes the same time for the same text in both sides, so latency is the order of the work and
nothing else; it is exact. LangGraph runs the flat graph; our side runs each version of it, accelerated. The request is
the first one of the application's own.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Iterator
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

from alto_lg.apps.base import Application
from alto_lg.apps.chat import Chat, Messages
from alto_lg.comparisons.applications import APPLICATIONS, load_application
from bench.graph_case import Graph, GraphCase, has_come

PREFILL_S = 0.02
PIECE_S = 0.01
_rules: ContextVar[dict[str, Any]] = ContextVar("rules")
"""By application, where the analysis does not look: what answers here stands for a server elsewhere."""


class PacedChat:
    """The rules of one application at the pace of a model: so long before the first piece, so long for each."""

    def __init__(self, application: str, rules: Any) -> None:
        self._application = application
        _rules.set({**_rules.get({}), application: rules})

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return "".join([piece async for piece in self.stream(messages)])

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        await asyncio.sleep(PREFILL_S)
        async for piece in _rules.get()[self._application].stream(messages):
            await asyncio.sleep(PIECE_S)
            yield piece

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        texts: list[str] = await _rules.get()[self._application].samples(messages, count=count)
        await asyncio.sleep(PREFILL_S + PIECE_S / 5 * max(map(len, texts)))
        return texts


def build(name: str, version: str, chat: Chat | None = None) -> Graph:
    """The graph of one version of one application, with its rules for a model where none is given."""
    package = f"alto_lg.apps.{name}"
    if chat is None:
        chat = PacedChat(name, importlib.import_module(f"{package}.local_chat").LocalChat())
    graph: Graph = importlib.import_module(f"{package}.command").build(version, chat=chat, corpus=None)
    return graph


def _cases(name: str) -> Iterator[GraphCase]:
    application: Application = load_application(name)
    request = application.workload(corpus=None, questions=None)[0]
    for version in application.versions:
        whole = GraphCase(
            f"{name}, {version}",
            partial(build, name, "flat"),
            request.input,
            build_ours=partial(build, name, version),
            loop="virtual",
            options={"events": "eager"},
            answer=application.answer,
            figures=("latency", "cpu"),
        )
        yield whole
        node = application.first_result_node
        yield replace(whole, name=f"{whole.name}, first result", mode="first", until=node, answer=has_come)


def _has_rules(name: str) -> bool:
    """An application whose model is of another kind has cases of its own, if any."""
    return find_spec(f"alto_lg.apps.{name}.local_chat") is not None


APP_CASES = tuple(case for name in APPLICATIONS if _has_rules(name) for case in _cases(name))
