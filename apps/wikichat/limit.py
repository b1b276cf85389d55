"""The shortest time that one turn could have taken, given how long its pieces took.

True data dependencies, in the versions whose nodes read finished lists: both branches, each with its chains; then the
passages, the notes, and the turn. In the streaming version each chain starts when its query or fact was complete in the
stream; a passage is decided on when all passages before it are known, and its own chain has ended or, written by hand,
has named it; and the draft starts when the first ten notes are known, in order. A run ends when the turn is written and
all that it began has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span
from alto_lg.apps.wikichat.nodes import FACTS, NOTES_MAX, QUERIES

ITEM_STAGES = ("search", "rerank")
BRANCH_STAGES = ("make_queries", "recall")
TURN_STAGES = ("draft", "refine", "cite")
QUERY_WRITTEN, FACT_WRITTEN = "query", "fact"
"""Of spans that go from the start of a model's answer to the moment at which the item was complete in it."""
RANKED = "ranked"
"""Of a span that goes from the start of the reranking model's answer to the moment at which it has named a passage."""
NOTE_USED = "used"
"""Of a span without length that says which note the draft was given."""
_MARKS = (QUERY_WRITTEN, FACT_WRITTEN, RANKED, NOTE_USED)

_Item = tuple[int, ...]


@dataclass(slots=True)
class _Took:
    """Seconds that the pieces of a turn took; chains by branch and item, what is of one passage by its rank as well."""

    whole: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    written: dict[_Item, float] = field(default_factory=dict)
    chains: defaultdict[_Item, float] = field(default_factory=lambda: defaultdict(float))
    searches: dict[_Item, float] = field(default_factory=dict)
    ranked: dict[_Item, float] = field(default_factory=dict)
    filters: dict[_Item, float] = field(default_factory=dict)
    used: set[_Item] = field(default_factory=set)


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    took = _took(spans)
    notes_at = _notes_at(took)
    turn_s = sum(took.whole[stage] for stage in TURN_STAGES)
    everything_at = max([_branches_at(took), *notes_at.values()])
    return max(everything_at, _draft_at(took, notes_at, everything_at) + turn_s)


def first_note_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds along the path of the passage that could be read first; None without passages."""
    return min(_notes_at(_took(spans)).values(), default=None)


def _took(spans: Sequence[Span]) -> _Took:
    took = _Took()
    for span in spans:
        seconds = span.ended - span.started
        if span.stage in (*BRANCH_STAGES, *TURN_STAGES, "dedupe"):
            took.whole[span.stage] += seconds
        elif span.stage in ITEM_STAGES:
            took.chains[span.item] += seconds
            if span.stage == "search":
                took.searches[span.item] = seconds
        elif span.stage == RANKED:
            took.ranked[span.item] = seconds
        elif span.stage == "filter":
            took.filters[span.item] = seconds
        elif span.stage in (QUERY_WRITTEN, FACT_WRITTEN):
            branch = QUERIES if span.stage == QUERY_WRITTEN else FACTS
            took.written[branch, *span.item] = max(seconds, took.written.get((branch, *span.item), 0.0))
        elif span.stage == NOTE_USED:
            took.used.add(span.item)
        else:
            raise ValueError(f"span of an unknown stage {span.stage!r}; WikiChat has {', '.join(_KNOWN)}")
    return took


_KNOWN = (
    *BRANCH_STAGES,
    *ITEM_STAGES,
    "dedupe",
    "filter",
    *TURN_STAGES,
    QUERY_WRITTEN,
    FACT_WRITTEN,
    RANKED,
    NOTE_USED,
)


def _chains_at(took: _Took) -> dict[_Item, float]:
    """When each query and each fact has its passages."""
    return {
        item: took.written.get(item, took.whole[BRANCH_STAGES[item[0]]]) + seconds
        for item, seconds in took.chains.items()
    }


def _branches_at(took: _Took) -> float:
    """When both branches have ended."""
    return max([took.whole["make_queries"], took.whole["recall"], *_chains_at(took).values()])


def _notes_at(took: _Took) -> dict[_Item, float]:
    """When each note is made."""
    if not took.written:
        start = _branches_at(took) + took.whole["dedupe"]
        return {item: start + seconds for item, seconds in took.filters.items()}
    chains_at = _chains_at(took)
    return {item: _decided_at(item, took, chains_at) + seconds for item, seconds in took.filters.items()}


def _decided_at(passage: _Item, took: _Took, chains_at: dict[_Item, float]) -> float:
    """When it is known that a passage stays: all chains before its own have ended, and its own has come to it."""
    own = passage[:2]
    before = [at for item, at in chains_at.items() if item < own]
    named_at = chains_at[own]
    if passage in took.ranked:
        named_at = took.written[own] + took.searches[own] + took.ranked[passage]
    # The first fact follows the last query, and only the end of the queries says which one that is.
    return max([*before, named_at, took.whole["make_queries"] if passage[0] == FACTS else 0.0])


def _draft_at(took: _Took, notes_at: dict[_Item, float], everything_at: float) -> float:
    if not took.written or len(took.used) < NOTES_MAX:
        return everything_at
    last = max(took.used)
    return max(at for item, at in notes_at.items() if item <= last)
