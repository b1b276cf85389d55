"""The three tools, as a LangChain agent is given them.

Their times are simulated: each call waits as long as it would take a real service, between 100 and 400 ms, drawn from
the name of the tool, its argument and a seed. So a call takes equally long in every arm, and calls differ. Always true:
the tools only read, and give the same for the same argument, which is what `alto_lg.repeatable` asks for.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import Field, create_model

import alto_lg
from alto_lg.apps.agent.library import Library
from alto_lg.apps.agent.prompts import ABOUT, ARGUMENTS, LOOK_UP, OPEN, SEARCH
from alto_lg.apps.lengths import source_of
from alto_lg.apps.spans import span

OWN_LATENCY_MS: Mapping[str, tuple[int, int]] = {SEARCH: (250, 400), OPEN: (150, 300), LOOK_UP: (100, 200)}
"""Least and most: a search of an index with a reranker, a page from a store, a row from a table."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long calls take. ranges_ms: least and most for each tool; a tool that is not in it takes no time."""

    ranges_ms: Mapping[str, tuple[int, int]] = field(default_factory=lambda: OWN_LATENCY_MS)
    seed: int = 0

    def of_s(self, name: str, argument: str) -> float:
        """Seconds that this call takes."""
        least, most = self.ranges_ms.get(name, (0, 0))
        return source_of(f"{self.seed} {name} {argument}").uniform(least, most) / 1000


def call_number(name: str, argument: str) -> int:
    """By which spans of one call are known to belong together; it depends on the call alone."""
    return zlib.crc32(f"{name} {argument}".encode()) % 10_000


def tools_of(library: Library, latency: Latency, *, repeatable: bool) -> list[BaseTool]:
    """The three tools; declared to be repeatable or not."""
    answers = {SEARCH: library.search, OPEN: library.open, LOOK_UP: library.look_up}
    made = [_tool(name, answer, latency) for name, answer in answers.items()]
    return [alto_lg.repeatable(tool) if repeatable else tool for tool in made]


def _tool(name: str, answer: Callable[[str], str], latency: Latency) -> BaseTool:
    argument, meaning = ARGUMENTS[name]

    def work(**given: str) -> str:
        asked = given[argument]
        with span(name, (call_number(name, asked),)):
            time.sleep(latency.of_s(name, asked))
            return answer(asked)

    async def work_in_loop(**given: str) -> str:
        asked = given[argument]
        with span(name, (call_number(name, asked),)):
            await asyncio.sleep(latency.of_s(name, asked))
            return answer(asked)

    schema = create_model(name, **{argument: (str, Field(description=meaning))})  # type: ignore[call-overload]
    return StructuredTool.from_function(
        func=work, coroutine=work_in_loop, name=name, description=ABOUT[name], args_schema=schema
    )
