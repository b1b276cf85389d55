"""The shortest time that one request could have taken, given how long its pieces took.

True data dependencies: answer, then extract, then for each claim a chain of its own, then the verdict. Where claims are
taken from the whole text of the extraction, no chain starts before it has ended. Where they are taken from its stream,
each chain starts when its claim was complete in the stream, and the verdict waits for the end of the stream as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from alto_lg.apps.base import Span

CLAIM_STAGES = ("make_queries", "retrieve", "rerank", "appraise")
CLAIM_WRITTEN = "claim"
"""Of a span that goes from the start of the extraction to the moment at which the claim was complete in the stream."""
_BEFORE_AND_AFTER = ("answer", "verdict")
_EXTRACT = "extract"
_KNOWN = (*_BEFORE_AND_AFTER, _EXTRACT, CLAIM_WRITTEN, *CLAIM_STAGES)


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    around_s = extract_s = 0.0
    written_s, chains_s = dict[tuple[int, ...], float](), defaultdict[tuple[int, ...], float](float)
    for span in spans:
        took_s = span.ended - span.started
        if span.stage in _BEFORE_AND_AFTER:
            around_s += took_s
        elif span.stage == _EXTRACT:
            extract_s += took_s
        elif span.stage == CLAIM_WRITTEN:
            written_s[span.item] = max(took_s, written_s.get(span.item, 0.0))
        elif span.stage in CLAIM_STAGES:
            chains_s[span.item] += took_s
        else:
            raise ValueError(f"span of an unknown stage {span.stage!r}; FacTool has {', '.join(_KNOWN)}")
    ends_s = (written_s.get(item, extract_s) + chain_s for item, chain_s in chains_s.items())
    return around_s + max(extract_s, *ends_s, 0.0)
