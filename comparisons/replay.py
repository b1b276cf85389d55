"""`python -m alto_lg.comparisons.replay`: a node that cannot be changed asks a model for a list, and a router fans out.

The node knows nothing of streams: it asks for a Pydantic object, waits for the whole of it, and returns it; each of the
six items is then worked on for a second. The limit is measured beside every run: the same request as a stream, read by
nobody but a clock, says when the last item was written; a second later all can be done. Always true: both sides end in
the same state, or no time is printed; they take turns, and the server forgets everything between two runs.
"""

from __future__ import annotations

import argparse
import asyncio
import operator
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from openai import AsyncOpenAI
from pydantic import BaseModel
from rich import box
from rich.table import Table
from typing_extensions import TypedDict

from alto_lg import accelerate, split
from alto_lg.comparisons.answers import first_difference
from alto_lg.comparisons.endpoint import Server, simulated_server
from alto_lg.comparisons.machine import machine, versions
from alto_lg.comparisons.measure import early_work
from alto_lg.comparisons.statistics import median
from alto_lg.comparisons.table import number, output_console

_WITHIN_PERCENT = 3.0
_WORK_S = 1.0
_ITEMS = 6
_ASKED = f"Write {_ITEMS} search queries that would show how the Eiffel Tower was built, and what is still unclear."


class Query(BaseModel):
    """One search."""

    text: str
    why: str


class Plan(BaseModel):
    """What the model writes, in this order."""

    summary: str
    queries: list[Query]
    unclear: str = ""
    remark: str = ""


class State(TypedDict, total=False):
    """What the graph keeps."""

    plan: Plan
    found: Annotated[list[str], operator.add]
    ended: Annotated[list[float], operator.add]


Ask = Callable[[AsyncOpenAI, str], Awaitable[Plan]]
"""How the node asks its model, given a client and the model's name."""


async def by_parse(client: AsyncOpenAI, model: str) -> Plan:
    made = await client.chat.completions.parse(model=model, messages=_messages(), response_format=Plan)
    plan = made.choices[0].message.parsed
    assert plan is not None, "the simulated server honours the schema"
    return plan


async def by_create(client: AsyncOpenAI, model: str) -> Plan:
    made = await client.chat.completions.create(model=model, messages=_messages(), response_format=_format())
    return Plan.model_validate_json(made.choices[0].message.content or "")


async def by_langchain(client: AsyncOpenAI, model: str) -> Plan:
    from langchain_openai import ChatOpenAI

    chat = ChatOpenAI(model=model, base_url=str(client.base_url), api_key="any")  # type: ignore[arg-type]
    schema = _format()["json_schema"]["schema"]
    made = await chat.with_structured_output(schema, method="json_schema").ainvoke(_ASKED)
    return Plan.model_validate(made)


WAYS: dict[str, Ask] = {
    "openai, parse": by_parse,
    "openai, create": by_create,
    "LangChain, with_structured_output": by_langchain,
}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the start of one run. first_s: to the first result."""

    first_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Timing:
    """All runs of one way of asking. written: when the first and the last item were, and a second later."""

    way: str
    written: Sequence[Times]
    plain: Sequence[Times]
    replayed: Sequence[Times]
    dropped: int


class UnequalStates(Exception):
    """The two sides ended in different states, so their times mean nothing."""


def _messages() -> Any:
    return [{"role": "user", "content": _ASKED}]


def _format() -> Any:
    schema = Plan.model_json_schema()
    return {"type": "json_schema", "json_schema": {"name": "Plan", "schema": schema}}


class _Run:
    """The graph of one side."""

    def __init__(self, ask: Ask, server: Server, *, replayed: bool) -> None:
        self._ask = ask
        self._server = server
        builder: Any = StateGraph(State)
        builder.add_node("plan", self._plan)
        builder.add_node("search", _search)
        builder.add_edge(START, "plan")
        builder.add_conditional_edges("plan", _fan_out, ["search"])
        graph = builder.compile()
        self.app: Any = accelerate(graph, replay={"plan": None}) if replayed else graph

    async def once(self) -> tuple[Times, Any]:
        self._server.meter.start()
        began = time.perf_counter()
        state = await self.app.ainvoke({})
        total_s = time.perf_counter() - began
        return Times(min(state.pop("ended")) - began, total_s), state

    async def _plan(self, state: State) -> dict[str, Any]:
        return {"plan": await self._ask(self.client, self._server.endpoint.model)}

    client: AsyncOpenAI


async def _search(text: str) -> dict[str, Any]:
    await asyncio.sleep(_WORK_S)
    return {"found": [text], "ended": [time.perf_counter()]}


def _fan_out(state: State) -> list[Send]:
    return [Send("search", query.text) for query in state["plan"].queries]


async def _written(client: AsyncOpenAI, server: Server) -> Times:
    """When the items are written, as the caller of a stream sees it, and a second later."""
    server.meter.start()
    began = time.perf_counter()
    ends: list[float] = []
    stream = await client.chat.completions.create(
        model=server.endpoint.model, messages=_messages(), response_format=_format(), stream=True
    )
    async for _ in split.json_items(stream, path="queries"):
        ends.append(time.perf_counter() - began)
    assert len(ends) == _ITEMS, f"the server wrote {len(ends)} items and not {_ITEMS}"
    return Times(ends[0] + _WORK_S, ends[-1] + _WORK_S)


async def time_way(way: str, server: Server, repeats: int) -> Timing:
    """Runs of both sides, taking turns, each turn with a reading of the stream; the first turn is not counted."""
    written: list[Times] = []
    times: dict[bool, list[Times]] = {False: [], True: []}
    dropped = 0
    async with AsyncOpenAI(base_url=server.endpoint.base_url, api_key="any", max_retries=0) as client:
        sides = {replayed: _Run(WAYS[way], server, replayed=replayed) for replayed in times}
        for turn in range(-1, repeats):
            reading = await _written(client, server)
            states: dict[bool, Any] = {}
            for replayed in (turn % 2 == 0, turn % 2 == 1):
                sides[replayed].client = client
                took, states[replayed] = await sides[replayed].once()
                if turn >= 0:
                    times[replayed].append(took)
            place = first_difference(states[False], states[True])
            if place is not None:
                raise UnequalStates(f"{way}: the final states differ at {place.path}; no time is printed.")
            dropped += early_work(sides[True].app).dropped
            if turn >= 0:
                written.append(reading)
    return Timing(way, written, times[False], times[True], dropped)


def table_of(timings: Sequence[Timing]) -> Table:
    title = f"Median seconds of {len(timings[0].plain)} runs; {_ITEMS} items, {_WORK_S:g} s of work on each"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("node", no_wrap=True)
    for name in ("", "written + 1 s", "LangGraph", "replay", "above (%)", f"≤ {_WITHIN_PERCENT:g} %", "dropped"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in timings:
        for label, figure in (("first result", "first_s"), ("total", "total_s")):
            limit, plain, replayed = (
                median([getattr(run, figure) for run in runs]) for runs in (one.written, one.plain, one.replayed)
            )
            above = 100 * (replayed / limit - 1)
            verdict = "yes" if above <= _WITHIN_PERCENT else "no"
            cells = (number(limit), number(plain), number(replayed), number(above, digits=1), verdict)
            table.add_row(one.way if figure == "first_s" else "", label, *cells, str(one.dropped))
    return table


async def _timings(profile: str, repeats: int) -> list[Timing]:
    with simulated_server(profile, None, 0) as server:
        return [await time_way(way, server, repeats) for way in WAYS]


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.replay`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.replay", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each side that are counted")
    parser.add_argument("--profile", default="h100-8b", help="of the simulated server")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    try:
        timings = asyncio.run(_timings(options.profile, options.repeats))
    except UnequalStates as unequal:
        print(unequal, file=sys.stderr)
        return 1
    console = output_console()
    console.print(table_of(timings))
    libraries = ", ".join(f"{name} {version}" for name, version in versions().items())
    computer = machine()
    console.print(
        f"Final states were equal in every run. {libraries}; {computer['cpus']} cpus, {computer['processor']}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
