"""Run a LangGraph graph sooner: out-of-order execution, in-order commit, the same answers.

import alto_lg
app = alto_lg.accelerate(graph)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from alto_lg import reducers, split
from alto_lg.accelerate import accelerate, statistics
from alto_lg.adapters.langgraph.events import Update
from alto_lg.context import ancestry, current_ancestry, kept
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import (
    AltoError,
    AltoWarning,
    BatchMismatch,
    MissingCheckpointer,
    Mistake,
    NoEndpoint,
    NotPortable,
    NoWorker,
    UndeclaredRead,
    UndeclaredWrite,
    WorkerLost,
)
from alto_lg.explain import Explanation, NodeExplanation, ToolVerdict, explain
from alto_lg.hints import Hint, node
from alto_lg.installing import install, uninstall
from alto_lg.placement import processes, ray, threads
from alto_lg.repeatable import repeatable
from alto_lg.streaming import streaming

if TYPE_CHECKING:
    from alto_lg.batching import BatchStatistics, batch_statistics, batched
    from alto_lg.pool import EndpointStatistics, Pool, PoolStatistics
    from alto_lg.readings import First, Group, PerGroup, Stream, reading
    from alto_lg.tracing.recording import Trace, trace
    from alto_lg.tracing.tasks import TracedTask

__all__ = [
    "AltoError",
    "AltoWarning",
    "Ancestry",
    "BatchMismatch",
    "BatchStatistics",
    "EndpointStatistics",
    "Explanation",
    "First",
    "Group",
    "Hint",
    "MissingCheckpointer",
    "Mistake",
    "NoEndpoint",
    "NoWorker",
    "NodeExplanation",
    "NotPortable",
    "PerGroup",
    "Pool",
    "PoolStatistics",
    "RunStatistics",
    "Stream",
    "ToolVerdict",
    "Trace",
    "TracedTask",
    "UndeclaredRead",
    "UndeclaredWrite",
    "Update",
    "WorkerLost",
    "accelerate",
    "ancestry",
    "batch_statistics",
    "batched",
    "current_ancestry",
    "explain",
    "install",
    "kept",
    "node",
    "processes",
    "ray",
    "reading",
    "reducers",
    "repeatable",
    "split",
    "statistics",
    "streaming",
    "threads",
    "trace",
    "uninstall",
]

_ON_DEMAND = {
    "alto_lg.batching": ("BatchStatistics", "batch_statistics", "batched"),
    "alto_lg.pool": ("EndpointStatistics", "Pool", "PoolStatistics"),
    "alto_lg.readings": ("First", "Group", "PerGroup", "Stream", "reading"),
    "alto_lg.tracing.recording": ("Trace", "trace"),
    "alto_lg.tracing.tasks": ("TracedTask",),
}
_HOME = {name: home for home, names in _ON_DEMAND.items() for name in names}

if not TYPE_CHECKING:  # it would make any name one of the package's

    def __getattr__(name: str) -> Any:
        """Loaded when first asked for: half of the time of importing the package, for what most programs do not use."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
