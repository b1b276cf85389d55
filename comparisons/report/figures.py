"""Figures: which of what a summary says are shown, under which name, and how they are written.

Always true: a figure that a file does not have is not shown; nothing is computed here but units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alto_lg.comparisons.report.cells import Figures
from alto_lg.comparisons.statistics import Interval
from alto_lg.comparisons.table import confidence, number

NONE = "–"
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of a table. path: where the summary has it. factor: from its unit to the one that is shown."""

    label: str
    path: tuple[str, ...]
    digits: int = 3
    factor: float = 1.0

    def of(self, arm: Figures) -> Interval | float | None:
        """The figure, in the summary's unit."""
        return _number_or_interval(_at(arm, self.path))

    def text(self, arm: Figures) -> str:
        return written(self.of(arm), digits=self.digits, factor=self.factor)


MEDIAN = Figure("latency, median (s)", ("latency_s",))
P99 = Figure("latency, p99 (s)", ("p99_s",))
FIRST_RESULT = Figure("time to first result, median (s)", ("first_result_s",))
LATENCY = (MEDIAN, Figure("latency, p90 (s)", ("p90_s",)), P99, FIRST_RESULT)
ABOVE_LIMIT = Figure("latency above its limit, median (%)", ("above_limit_percent",), 1)
SPEED = (
    *LATENCY,
    Figure("limit of the first result, median (s)", ("first_limit_s",)),
    Figure("limit: longest true path, median (s)", ("limit_s",)),
    ABOVE_LIMIT,
)
TOKENS = (
    Figure("prompt tokens", ("server", "prompt_tokens"), 0),
    Figure("completion tokens", ("server", "completion_tokens"), 0),
)
PROCESSOR = Figure("processor time (s)", ("cpu_s",))
COST = (
    Figure("model calls", ("server", "calls"), 1),
    *TOKENS,
    Figure("server, slot-seconds", ("server", "slot_s")),
    Figure("server, waiting for a slot (s, all streams)", ("server", "waiting_s")),
    Figure("server, busy (s)", ("server", "busy_s")),
    PROCESSOR,
    Figure("memory of the process, peak (MiB)", ("memory", "peak"), 0, 1 / _MIB),
    Figure("memory of the process, built (MiB)", ("memory", "built"), 0, 1 / _MIB),
)
PREDICTED = Figure("predicted, median (s)", ("predicted_s",))
GAP = Figure("measured above predicted, median (%)", ("gap_percent",), 1)
EARLY = (
    Figure("firings", ("early", "firings"), 0),
    Figure("started early", ("early", "early_starts"), 0),
    Figure("early results dropped", ("early", "dropped"), 0),
)


def known(figures: Sequence[Figure], arms: Sequence[Figures]) -> tuple[Figure, ...]:
    """Those that at least one arm has."""
    return tuple(figure for figure in figures if any(figure.of(arm) is not None for arm in arms))


def rows(figures: Sequence[Figure], arms: Sequence[Figures]) -> list[list[str]]:
    """A row for each figure that is known, a column for each arm."""
    return [[figure.label, *(figure.text(arm) for arm in arms)] for figure in known(figures, arms)]


def ratio_rows(arms: Sequence[Figures], *, loaded: bool) -> list[list[str]]:
    """How many times sooner each arm is than each plain one, and under load its p99 beside theirs; with intervals."""
    asked = [("times sooner than {} [95 % CI]", "speed_ups"), ("p99, ratio to that of {} [95 % CI]", "p99_ratios")]
    return [
        [title.format(over), *(NONE if arm["arm"] == over else written(ratio(arm, name, over)) for arm in arms)]
        for title, name in asked[: 2 if loaded else 1]
        for over in baselines(arms, name)
    ]


def baselines(arms: Sequence[Figures], name: str = "speed_ups") -> list[str]:
    """The arms that others are compared with."""
    return list(dict.fromkeys(over for arm in arms for over in arm.get(name) or ()))


def ratio(arm: Figures, name: str, over: str) -> Interval | None:
    """A ratio to a plain arm; None where the file does not say."""
    found = _number_or_interval(_at(arm, (name, over)))
    return found if isinstance(found, Interval) else None


def written(figure: Interval | float | None, *, digits: int = 3, factor: float = 1.0) -> str:
    """A figure with its interval, if it has one."""
    if figure is None:
        return NONE
    if isinstance(figure, Interval):
        scaled = Interval(figure.value * factor, figure.low * factor, figure.high * factor)
        return f"{number(scaled.value, digits=digits)} {confidence(scaled)}"
    return number(figure * factor, digits=digits)


def value(figure: Interval | float | None) -> float | None:
    """The figure without its interval."""
    return figure.value if isinstance(figure, Interval) else figure


def _at(fields: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(fields, Mapping) or name not in fields:
            return None
        fields = fields[name]
    return fields


def _number_or_interval(found: Any) -> Interval | float | None:
    if isinstance(found, Mapping):
        return Interval(float(found["value"]), float(found["low"]), float(found["high"]))
    return None if found is None else float(found)
