"""The shortest time that one request could have taken, given how long its pieces took.

True data dependencies: answer, then extract, then for each claim a chain of its own, then the verdict. Claims are
taken from the whole text of the extraction, so no chain starts before it has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from alto_lg.apps.base import Span

CLAIM_STAGES = ("make_queries", "retrieve", "rerank", "appraise")
_WHOLE_STAGES = ("answer", "extract", "verdict")


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    whole_s, chains_s = 0.0, defaultdict[tuple[int, ...], float](float)
    for span in spans:
        if span.stage in _WHOLE_STAGES:
            whole_s += span.ended - span.started
        elif span.stage in CLAIM_STAGES:
            chains_s[span.item] += span.ended - span.started
        else:
            raise ValueError(
                f"span of an unknown stage {span.stage!r}; FacTool has {', '.join(_WHOLE_STAGES + CLAIM_STAGES)}"
            )
    return whole_s + max(chains_s.values(), default=0.0)
