"""Run a LangGraph graph sooner: out-of-order execution, in-order commit, the same answers.

import alto_lg
app = alto_lg.accelerate(graph)
"""

from alto_lg import reducers, split
from alto_lg.accelerate import accelerate, statistics
from alto_lg.adapters.langgraph.events import Update
from alto_lg.batching import BatchStatistics, batch_statistics, batched
from alto_lg.context import ancestry, current_ancestry
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
from alto_lg.pool import EndpointStatistics, Pool, PoolStatistics
from alto_lg.readings import First, Group, PerGroup, Stream, reading
from alto_lg.repeatable import repeatable
from alto_lg.streaming import streaming
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
