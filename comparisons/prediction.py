"""How long a run should have taken, by the times of its own pieces and the rules of the engine that ran it.

Always true: nothing of the run's own latency goes into its prediction, so a gap says what the pieces do not: the
engine's work between them, events that were late, and waiting that no span covers.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.base import Application, Span
from alto_lg.comparisons.arms import Arm

GAP_FLAGGED_PERCENT = 3.0


def predicted_s(application: Application, arm: Arm, spans: Sequence[Span]) -> float | None:
    """LangGraph: its supersteps. This package, and by hand: true dependencies. None where nobody can tell."""
    match arm.engine:
        case "alto" | "asyncio":
            return application.limit_s(spans)
        case "staged":  # what its stages wait for is what the supersteps of the first version wait for
            return application.in_supersteps_s(application.versions[0], spans)
        case "nvidia":  # it changes the graph, and so its supersteps
            return None
        case _:
            return application.in_supersteps_s(arm.version, spans)


def gap_percent(measured_s: float, predicted_s: float) -> float:
    """How much longer a run took than predicted, in percent of the prediction."""
    return 100 * (measured_s / predicted_s - 1)
