"""How long one request takes, given how long its pieces took.

True data dependencies: answer, then extract, then for each claim a chain of its own, then the verdict. Where claims are
taken from the whole text of the extraction, no chain starts before it has ended. Where they are taken from its stream,
each chain starts when its claim was complete in the stream, and the verdict waits for the end of the stream as well.

LangGraph's supersteps: in the flat versions all claims wait for each other at each hop, in the one with a subgraph only
at the end of their chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span
from alto_lg.apps.paths import Paths, in_steps_s

CLAIM_STAGES = ("make_queries", "retrieve", "rerank", "appraise")
CLAIM_WRITTEN = "claim"
"""Of a span that goes from the start of the extraction to the moment at which the claim was complete in the stream."""
_WHOLE_STAGES = ("answer", "extract", "verdict")

_Item = tuple[int, ...]


@dataclass(slots=True)
class _Took:
    """Seconds of the pieces; hops by stage and claim."""

    whole: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_WHOLE_STAGES, 0.0))
    written: dict[_Item, float] = field(default_factory=dict)
    hops: dict[str, dict[_Item, float]] = field(default_factory=lambda: {stage: {} for stage in CLAIM_STAGES})

    def chains(self) -> dict[_Item, float]:
        """Of each claim, from its queries to its verdict."""
        items = dict.fromkeys(item for of_stage in self.hops.values() for item in of_stage)
        return {item: sum(of_stage.get(item, 0.0) for of_stage in self.hops.values()) for item in items}


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    took = _took(spans)
    paths, claims = _paths(took)
    paths.add("verdict", took.whole["verdict"], "extract", *claims)
    return paths.end_s("verdict")


def first_verdict_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds along the path of the claim that could be judged first; None without claims."""
    paths, claims = _paths(_took(spans))
    return min(map(paths.end_s, claims), default=None)


def in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    """Seconds of LangGraph's supersteps in one version of the graph."""
    took = _took(spans)
    hops = [took.chains()] if version == "subgraph" else list(took.hops.values())
    before, after = ("answer", "extract"), ("verdict",)
    return in_steps_s(
        [
            *([took.whole[stage]] for stage in before),
            *(of_stage.values() for of_stage in hops),
            *([took.whole[stage]] for stage in after),
        ]
    )


def _paths(took: _Took) -> tuple[Paths, list[_Item]]:
    """Everything before the verdict, and the claims by which their chains are known."""
    paths, chains = Paths(), took.chains()
    paths.add("answer", took.whole["answer"])
    paths.add("extract", took.whole["extract"], "answer")
    for item, chain_s in chains.items():
        paths.add(item, took.written.get(item, took.whole["extract"]) + chain_s, "answer")
    return paths, list(chains)


def _took(spans: Sequence[Span]) -> _Took:
    took = _Took()
    for span in spans:
        took_s = span.ended - span.started
        if span.stage in took.whole:
            took.whole[span.stage] += took_s
        elif span.stage == CLAIM_WRITTEN:
            took.written[span.item] = max(took_s, took.written.get(span.item, 0.0))
        elif span.stage in CLAIM_STAGES:
            hop = took.hops[span.stage]
            hop[span.item] = hop.get(span.item, 0.0) + took_s
        else:
            known = ", ".join((*_WHOLE_STAGES, CLAIM_WRITTEN, *CLAIM_STAGES))
            raise ValueError(f"span of an unknown stage {span.stage!r}; FacTool has {known}")
    return took
