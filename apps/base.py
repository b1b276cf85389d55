"""What every application offers to the comparison and to the command line.

An application is a plain LangGraph graph in one or more versions, the same written by hand, a workload, and the
functions that say whether two runs gave the same answer and how good that answer is. Nothing here knows how a graph is
run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from langgraph.graph.state import CompiledStateGraph


class InputError(ValueError):
    """A file of the user's that cannot be used: names the file, the line and the reason."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{place}: {reason}")


@dataclass(frozen=True, slots=True)
class Request:
    """One input of a workload: what the graph is invoked with, and what is known to be true about it.

    then: inputs that follow on the same thread, each when the one before it has been answered. The labels are those of
    the last of them.
    """

    id: str
    input: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    then: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """An OpenAI-compatible server. The key is never shown.

    client: the `openai.AsyncOpenAI` that is asked, such as that of a pool of servers; None for one of its own.
    """

    base_url: str
    model: str
    api_key: str = field(default="not-needed", repr=False)
    client: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work inside a request: which stage, which item of it, from when to when.

    item: position at each level of the fan-out, e.g. (3,) for the fourth claim; () for work of the whole request.
    started, ended: seconds on the clock of whoever recorded it.
    """

    stage: str
    item: tuple[int, ...]
    started: float
    ended: float


class Program(Protocol):
    """An application written by hand with asyncio and no graph: every overlap that its author could find."""

    async def run(self, given: Mapping[str, Any], told: Callable[[str], None]) -> Mapping[str, Any]:
        """The final state for one input; `told(node)` is called whenever that node's update would have been seen.

        What follows on one thread is given with all that the final state before it holds.
        """


class Application(Protocol):
    """A compound application."""

    name: str
    versions: tuple[str, ...]
    first_result_node: str
    """The node whose first update is the first result that a person could see."""

    def workload(self, *, corpus: Path | None, questions: Path | None) -> Sequence[Request]:
        """The requests, from the package's own data or from the user's files; `InputError` before any work."""

    def sized(self, requests: Sequence[Request], items: int) -> Sequence[Request]:
        """As many requests, each with so many items to fan out over; `ValueError` where that cannot be."""

    def build(
        self, version: str, endpoint: ModelEndpoint, *, corpus: Path | None
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph of one version, with its retriever loaded and its client open."""

    def by_hand(self, endpoint: ModelEndpoint, *, corpus: Path | None) -> Program:
        """The same stages without a graph, as early as their data allow; it asks the model at the endpoint.

        Its final states are those of the graphs, so that `answer` reads them alike, and its spans are those of the
        version that starts soonest.
        """

    def answer(self, state: Mapping[str, Any]) -> Any:
        """The part of a final state that must be equal in every arm, as JSON types."""

    def score(self, requests: Sequence[Request], answers: Sequence[Any]) -> Mapping[str, float]:
        """How good the answers are against the labels."""

    def limit_s(self, spans: Sequence[Span]) -> float:
        """Seconds of the longest path through one request's spans under its true data dependencies."""

    def first_result_limit_s(self, spans: Sequence[Span]) -> float | None:
        """Seconds before which no first result could have come, under the same; None where there is none."""

    def in_supersteps_s(self, version: str, spans: Sequence[Span]) -> float | None:
        """Seconds that LangGraph's supersteps take in one version, by the same spans; None where nobody can tell."""
