"""How long one question takes, given how long its pieces took.

Each piece needs the one before it: a search the last thought, a thought all that was found, the reader everything. So
it is the sum, and supersteps take no longer. What a version could gain over another is in the pieces themselves, which
are shorter where the model is stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.base import Span

STAGES = ("retrieve", "reason", "read")
"""Items are (step,) of a search and of a thought."""


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds of all pieces."""
    for span in spans:
        if span.stage not in STAGES:
            raise ValueError(f"span of an unknown stage {span.stage!r}; IRCoT has {', '.join(STAGES)}")
    return sum(span.ended - span.started for span in spans)


def first_thought_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds to the first thought; None without one."""
    first = [span for span in spans if span.item == (0,)]
    return limit_s(first) if any(span.stage == "reason" for span in first) else None
