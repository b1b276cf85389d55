"""`python -m alto_lg.comparisons.agent_turn`: an agent turn with three tool calls, plain and accelerated.

A model writes three calls of 60 tokens of arguments each. The limit of the turn is that of its longest call: the moment
when the call is complete, and the time of its tool. Where all tools take equally long that is the last call's, which
LangGraph reaches, too; where an earlier tool takes longer, only early starts do. Always true: both sides' messages are
equal, in the same order, or no time is printed; both sides take turns at being first, on one simulated server whose
caches are emptied before each turn.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from rich import box
from rich.table import Table
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.watching import CallsInProgress, ModelCall, ModelWatcher, ToolCallDelta
from alto_lg.comparisons.agent_rules import SUBJECTS, SYSTEM
from alto_lg.comparisons.endpoint import Server, api_key, simulated_server
from alto_lg.comparisons.machine import machine, versions
from alto_lg.comparisons.statistics import median
from alto_lg.comparisons.table import number, output_console

CASES_MS = ((300, 300, 300), (1500, 900, 300))
"""How long the tools of the three calls take, in their order."""
_WITHIN_PERCENT = 3.0


class Messages(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@dataclass(slots=True)
class Times:
    """Moments of one turn, in seconds of one clock.

    complete: when each call's arguments were all there. began: when each tool did. ended: when all tools had.
    """

    began: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)
    started: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one side; times in seconds from its start.

    complete_s: when each call was there, as the caller of the model could know.
    """

    wall_s: float
    complete_s: tuple[float, ...]
    first_tool_s: float
    messages: tuple[tuple[Any, ...], ...]
    dropped: int


class CompleteCalls:
    """Notes when each tool call of a model is complete."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._progress: dict[UUID, CallsInProgress] = {}

    def began(self, call: ModelCall) -> None:
        self._progress[call.id] = CallsInProgress()

    def said(self, call: ModelCall, text: str) -> None:
        pass

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        for delta in deltas:
            self._times.complete += [time.perf_counter() for _ in self._progress[call.id].feed(delta)]

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        """A message in one piece has its calls all at once."""
        missing = len(message.tool_calls) - len(self._times.complete) if message is not None else 0
        self._times.complete += [time.perf_counter()] * missing

    def failed(self, call: ModelCall, error: BaseException) -> None:
        pass


class WholeMessages(ModelWatcher):
    """Hears a model without making it stream, so that plain LangGraph's requests are what they were."""

    tap_output_aiter = tap_output_iter = None  # type: ignore[assignment]


def agent(server: Server, tools_ms: Sequence[int], times: list[Times]) -> Any:
    """A graph of a model and a `ToolNode`; the tool notes when it begins in the last of `times`."""
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=server.endpoint.base_url, api_key=api_key, model=server.endpoint.model)
    tools = [_look_up(dict(zip(SUBJECTS, tools_ms, strict=True)), times)]
    calling = model.bind_tools(tools)

    async def ask(state: Messages) -> dict[str, list[BaseMessage]]:
        return {"messages": [await calling.ainvoke([SystemMessage(SYSTEM), *state["messages"]])]}

    builder = StateGraph(Messages)
    builder.add_node("ask", ask)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "ask")
    builder.add_conditional_edges("ask", tools_condition, ["tools", END])
    builder.add_edge("tools", "ask")
    return builder.compile()


def _look_up(tools_ms: Mapping[str, int], times: list[Times]) -> BaseTool:
    @tool
    @alto_lg.repeatable
    async def look_up(question: str) -> str:
        """Look a subject up."""
        times[-1].began.append(time.perf_counter())
        subject = question.split()[0]
        await asyncio.sleep(tools_ms[subject] / 1000)
        return f"All about {subject}."

    return look_up


async def run_turn(graph: Any, times: list[Times], *, accelerated: bool) -> Turn:
    """One turn, from the question until all three results are there, and on to the answer."""
    now = Times()
    times.append(now)
    watcher = (ModelWatcher if accelerated else WholeMessages)(CompleteCalls(now))
    messages: list[BaseMessage] = []
    now.started = time.perf_counter()
    given = {"messages": [("user", "What about tides, bridges and clouds?")]}
    async for update in graph.astream(given, {"callbacks": [watcher]}, stream_mode="updates"):
        for node, written in update.items():
            messages += written["messages"]
            if node == "tools" and not now.ended:
                now.ended = time.perf_counter()
    found = alto_lg.statistics(graph) if accelerated else None
    return Turn(
        wall_s=now.ended - now.started,
        complete_s=tuple(at - now.started for at in now.complete[: len(SUBJECTS)]),
        first_tool_s=min(now.began) - now.started,
        messages=tuple(map(_shown, messages)),
        dropped=0 if found is None else found.dropped_tools,
    )


def _shown(message: BaseMessage) -> tuple[Any, ...]:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    answered = message.tool_call_id if isinstance(message, ToolMessage) else None
    return message.type, message.content, [(call["id"], call["name"], call["args"]) for call in calls], answered


@dataclass(frozen=True, slots=True)
class Measured:
    """One case: how long its tools take, and the turns of both sides."""

    tools_ms: tuple[int, ...]
    plain: tuple[Turn, ...]
    accelerated: tuple[Turn, ...]

    @property
    def first_call_s(self) -> float:
        """When the first call's arguments end in the stream."""
        return median([turn.complete_s[0] for turn in self.accelerated])

    @property
    def limit_s(self) -> float:
        """The end of the longest call, were each tool to begin when its own arguments end."""
        return median([max(self._ends(turn)) for turn in self.accelerated])

    def _ends(self, turn: Turn) -> list[float]:
        return [at + ms / 1000 for at, ms in zip(turn.complete_s, self.tools_ms, strict=True)]


class UnequalMessages(Exception):
    """The two sides' messages differ, so their times mean nothing."""


async def measure(server: Server, tools_ms: Sequence[int], repeats: int) -> Measured:
    """Turns of plain LangGraph and of the accelerated graph, after one of each that is not counted."""
    times: list[Times] = []
    plain = agent(server, tools_ms, times)
    accelerated = alto_lg.accelerate(agent(server, tools_ms, times))
    turns: dict[bool, list[Turn]] = {False: [], True: []}
    for repeat in range(-1, repeats):
        ended: dict[bool, Turn] = {}
        for early in (repeat % 2 == 0, repeat % 2 == 1):
            await asyncio.to_thread(server.meter.start)
            ended[early] = await run_turn(accelerated if early else plain, times, accelerated=early)
        if ended[True].messages != ended[False].messages:
            raise UnequalMessages(f"LangGraph: {ended[False].messages}\naccelerated: {ended[True].messages}")
        if repeat >= 0:
            for early, turn in ended.items():
                turns[early].append(turn)
    return Measured(tuple(tools_ms), tuple(turns[False]), tuple(turns[True]))


async def measure_all(server: Server, repeats: int) -> list[Measured]:
    """All cases on one event loop: models of langchain-openai share their connections."""
    return [await measure(server, tools_ms, repeats) for tools_ms in CASES_MS]


def turn_table(measured: Sequence[Measured]) -> Table:
    """Both sides of each case against its limit."""
    title = f"Three tool calls of 60 tokens of arguments: medians of {len(measured[0].plain)} turns, seconds"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("tools (ms)", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in ("first call", "first tool", "turn", "limit", "above it (%)", f"≤ {_WITHIN_PERCENT:g} %", "dropped"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in measured:
        for name, turns in (("LangGraph", one.plain), ("accelerated", one.accelerated)):
            wall_s = median([turn.wall_s for turn in turns])
            above = 100 * (wall_s / one.limit_s - 1)
            table.add_row(
                ", ".join(map(str, one.tools_ms)),
                name,
                number(one.first_call_s),
                number(median([turn.first_tool_s for turn in turns])),
                number(wall_s),
                number(one.limit_s),
                number(above, digits=1),
                "yes" if above <= _WITHIN_PERCENT else "no",
                str(sum(turn.dropped for turn in turns)),
            )
    return table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--repeats", type=int, default=9, help="turns of each side (default 9)")
    parser.add_argument("--profile", default="h100-8b", help="of the simulated server (default h100-8b)")
    parser.add_argument("--seed", type=int, default=0, help="of the server's times (default 0)")


def run(options: argparse.Namespace) -> int:
    """0 with the table; 1 when the messages differ; 2 for what cannot be measured."""
    if options.repeats < 1:
        print("--repeats must be at least 1", file=sys.stderr)
        return 2
    if importlib.util.find_spec("langchain_openai") is None:
        print(
            "this comparison calls the server through langchain-openai: pip install langchain-openai", file=sys.stderr
        )
        return 2
    with simulated_server(options.profile, None, options.seed) as server:
        try:
            measured = asyncio.run(measure_all(server, options.repeats))
        except UnequalMessages as unequal:
            print(f"the messages differ; no time is printed.\n{unequal}", file=sys.stderr)
            return 1
    console = output_console()
    console.print(turn_table(measured))
    libraries = ", ".join(f"{name} {version}" for name, version in versions().items())
    computer = machine()
    console.print(f"Messages were equal in every turn. {libraries}; {computer['cpus']} cpus, {computer['processor']}.")
    return 0


def main() -> int:
    """As a module of its own: `python -m alto_lg.comparisons.agent_turn`."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.agent_turn", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
