"""The shortest time that one request could have taken, given how long its pieces took.

True data dependencies: answer, then extract, then for each claim a chain of its own, then the verdict. Where claims are
taken from the whole text of the extraction, no chain starts before it has ended. Where they are taken from its stream,
each chain starts when its claim was complete in the stream, and the verdict waits for the end of the stream as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.apps.base import Span

CLAIM_STAGES = ("make_queries", "retrieve", "rerank", "appraise")
CLAIM_WRITTEN = "claim"
"""Of a span that goes from the start of the extraction to the moment at which the claim was complete in the stream."""
_WHOLE_STAGES = ("answer", "extract", "verdict")


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    paths = _paths(spans)
    return paths.answer_s + max(paths.extract_s, *paths.claims_s, 0.0) + paths.verdict_s


def first_verdict_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds along the path of the claim that could be judged first; None without claims."""
    paths = _paths(spans)
    return paths.answer_s + min(paths.claims_s) if paths.claims_s else None


@dataclass(frozen=True, slots=True)
class _Paths:
    """claims_s: from the start of the extraction to the verdict on each claim."""

    answer_s: float
    extract_s: float
    verdict_s: float
    claims_s: tuple[float, ...]


def _paths(spans: Sequence[Span]) -> _Paths:
    whole_s = dict.fromkeys(_WHOLE_STAGES, 0.0)
    written_s, chains_s = dict[tuple[int, ...], float](), defaultdict[tuple[int, ...], float](float)
    for span in spans:
        took_s = span.ended - span.started
        if span.stage in whole_s:
            whole_s[span.stage] += took_s
        elif span.stage == CLAIM_WRITTEN:
            written_s[span.item] = max(took_s, written_s.get(span.item, 0.0))
        elif span.stage in CLAIM_STAGES:
            chains_s[span.item] += took_s
        else:
            known = ", ".join((*_WHOLE_STAGES, CLAIM_WRITTEN, *CLAIM_STAGES))
            raise ValueError(f"span of an unknown stage {span.stage!r}; FacTool has {known}")
    claims_s = tuple(written_s.get(item, whole_s["extract"]) + chain_s for item, chain_s in chains_s.items())
    return _Paths(whole_s["answer"], whole_s["extract"], whole_s["verdict"], claims_s)
