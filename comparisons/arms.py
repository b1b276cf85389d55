"""The arms of a comparison: which version of an application, run by which engine.

Always true: arms differ in nothing else; requests, seeds, server and measuring code are shared by all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from alto_lg import accelerate
from alto_lg.apps.base import Application, ModelEndpoint
from alto_lg.comparisons.errors import UsageError

_ENGINES = (("langgraph", False), ("alto", True))


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison."""

    name: str
    version: str
    accelerated: bool


def arms_of(versions: Sequence[str]) -> tuple[Arm, ...]:
    """Every arm of an application: each engine with each version, plain LangGraph first."""
    return tuple(
        Arm(f"{engine}-{version}", version, accelerated) for engine, accelerated in _ENGINES for version in versions
    )


def choose_arms(text: str | None, available: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms of a comma-separated list, in the order given; all of them when there is no list."""
    if text is None:
        return tuple(available)
    by_name = {arm.name: arm for arm in available}
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in by_name]
    if unknown or not names:
        asked = f"{unknown[0]!r} is not an arm" if unknown else "the list is empty"
        raise UsageError(f"--arms: {asked}; choose from {', '.join(by_name)}, separated by commas.")
    return tuple(by_name[name] for name in names)


def build_arm(
    arm: Arm, application: Application, endpoint: ModelEndpoint, *, corpus: Path | None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph that this arm runs.

    Accelerated arms are built with eager events, because time to first result is what a reader of the stream
    sees; the contents and the final state are the same either way.
    """
    graph = application.build(arm.version, endpoint, corpus=corpus)
    if not arm.accelerated:
        return graph
    accelerated: CompiledStateGraph[Any, Any, Any, Any] = accelerate(graph, events="eager")
    return accelerated
