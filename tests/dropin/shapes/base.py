"""Shape: one small graph with its input, and what it shows.

Owns the words that every shape file shares. Always true:
  `build` makes a fresh builder on each call, so a counter inside a node starts anew on each run;
  a node takes time only through the `sleep` it was built with, so the caller decides how long that is.
"""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from langgraph.graph import StateGraph
from langgraph.types import StateSnapshot
from typing_extensions import TypedDict

Sleep = Callable[[float], Awaitable[None]]
Node = Callable[..., Any]
Builder: TypeAlias = Any
"""A `StateGraph`. Its overloads cannot type a node that takes a packet, so the shapes do without."""

Resume = Callable[[StateSnapshot], Any]
"""From the state at an interrupt to the input that continues the run."""


class Log(TypedDict):
    """The smallest state: names in the order in which LangGraph applied them."""

    log: Annotated[list[str], operator.add]


def nothing() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Shape:
    """One graph. `shows` is a clause that a failing test can be understood by."""

    name: str
    shows: str
    build: Callable[[Sleep], Builder]
    input: Any = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    context: Any = None
    compile: Callable[[], Mapping[str, Any]] = nothing
    """Fresh arguments of `compile` on each call: stores, caches, static interrupts."""
    resumes: tuple[Resume, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `accelerate` that the overlap needs; the answer must be the same without them."""
    critical_path_s: float | None = None
    """Longest path through what truly depends on each other; None where nothing may overlap for sure."""
    supersteps_s: float | None = None
    """What plain LangGraph takes; stated wherever `critical_path_s` is."""
    sync: bool = True
    """The nodes can be driven by `invoke` as well."""
    racing: bool = False
    """Which of several errors wins, or which siblings had run, depends on the schedule."""

    def __str__(self) -> str:
        return self.name


def say(sleep: Sleep, word: str, seconds: float) -> Node:
    """A node that reads nothing and adds one word to the log."""

    async def speak(state: Log) -> dict[str, Any]:
        await sleep(seconds)
        return {"log": [word]}

    return speak


def tally(sleep: Sleep, word: str, seconds: float) -> Node:
    """A node that reads the whole log, as a join does: it must wait for all that may still write to it."""

    async def counting(state: Log) -> dict[str, Any]:
        await sleep(seconds)
        return {"log": [f"{word} {len(state['log'])}"]}

    return counting


def add_all(state: type, nodes: Mapping[str, Node]) -> Builder:
    """A new builder over a state, with these nodes."""
    builder: Builder = StateGraph(state)
    for name, node in nodes.items():
        builder.add_node(name, node)
    return builder


def connect(builder: Builder, *edges: tuple[str | list[str], str]) -> Builder:
    for source, target in edges:
        builder.add_edge(source, target)
    return builder
