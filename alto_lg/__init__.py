"""Run a LangGraph graph sooner: out-of-order execution, in-order commit, the same answers.

import alto_lg
app = alto_lg.accelerate(graph)
"""

from alto_lg import reducers, split
from alto_lg.accelerate import accelerate, statistics
from alto_lg.adapters.langgraph.events import Update
from alto_lg.adapters.langgraph.tools import ToolVerdict
from alto_lg.context import ancestry, current_ancestry
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import (
    AltoError,
    AltoWarning,
    MissingCheckpointer,
    Mistake,
    NoEndpoint,
    UndeclaredRead,
    UndeclaredWrite,
)
from alto_lg.explain import Explanation, NodeExplanation, explain
from alto_lg.hints import Hint, node
from alto_lg.installing import install, uninstall
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
    "EndpointStatistics",
    "Explanation",
    "First",
    "Group",
    "Hint",
    "MissingCheckpointer",
    "Mistake",
    "NoEndpoint",
    "NodeExplanation",
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
    "accelerate",
    "ancestry",
    "current_ancestry",
    "explain",
    "install",
    "node",
    "reading",
    "reducers",
    "repeatable",
    "split",
    "statistics",
    "streaming",
    "trace",
    "uninstall",
]
