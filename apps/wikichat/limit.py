"""How long the turns of a conversation take, given how long their pieces took.

True data dependencies, in the versions whose nodes read finished lists: both branches, each with its chains; then the
passages, the notes, and the turn. In the streaming version, and by hand, each chain starts when its query or fact was
complete in the stream; a passage is decided on when the reranking model has named it and all passages before it are
known; and the draft starts when the first ten notes are known, in order. A run ends when the turn is written and all
that it began has ended.

LangGraph's supersteps: in the flat versions all items of both branches wait for each other at each hop; with a subgraph
for each branch, an item's hops follow each other and the branches are joined at their ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span
from alto_lg.apps.paths import Paths, in_steps_s
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
    searches: dict[_Item, float] = field(default_factory=dict)
    reranks: dict[_Item, float] = field(default_factory=dict)
    ranked: dict[_Item, float] = field(default_factory=dict)
    filters: dict[_Item, float] = field(default_factory=dict)
    used: set[_Item] = field(default_factory=set)

    def chains(self) -> dict[_Item, float]:
        """Of each query and each fact, from its search to its passages."""
        items = dict.fromkeys([*self.searches, *self.reranks])
        return {item: self.searches.get(item, 0.0) + self.reranks.get(item, 0.0) for item in items}


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path of each turn, one turn after the other."""
    return sum(map(_turn_limit_s, _turns(spans)))


def _turn_limit_s(spans: Sequence[Span]) -> float:
    took = _took(spans)
    paths, notes = _paths(took)
    everything = [*BRANCH_STAGES, *map(_chain, took.chains()), *map(_note, notes)]
    awaited = everything
    if took.written and len(took.used) >= NOTES_MAX:
        last = max(took.used)
        awaited = [_note(item) for item in notes if item <= last]
    paths.add("draft", took.whole["draft"], *awaited)
    paths.add("refine", took.whole["refine"], "draft")
    paths.add("cite", took.whole["cite"], "refine")
    return paths.end_s("cite", *everything)


def first_note_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds along the path of the passage that could be read first in the first turn; None without passages."""
    paths, notes = _paths(_took(_turns(spans)[0]))
    return min((paths.end_s(_note(item)) for item in notes), default=None)


def in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    """Seconds of LangGraph's supersteps in one version of the graph."""
    return sum(_turn_in_supersteps_s(version, turn) for turn in _turns(spans))


def _turns(spans: Sequence[Span]) -> list[list[Span]]:
    """The spans of each turn. Both branches begin when all of the turn before has ended, and nothing begins sooner."""
    begun = [sorted(span.started for span in spans if span.stage == stage) for stage in BRANCH_STAGES]
    starts = [min(pair) for pair in zip(*begun, strict=True)][1:]
    turns: list[list[Span]] = [[] for _ in range(len(starts) + 1)]
    for span in spans:
        turns[bisect_right(starts, span.started)].append(span)
    return turns


def _turn_in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    took = _took(spans)
    written_s = [took.whole[stage] for stage in BRANCH_STAGES]
    if version == "subgraph":
        branches: list[Iterable[float]] = [
            [branch_s + _longest_chain_s(took, branch) for branch, branch_s in enumerate(written_s)]
        ]
    else:
        branches = [written_s, took.searches.values(), took.reranks.values()]
    ending = [[took.whole[stage]] for stage in TURN_STAGES]
    return in_steps_s([*branches, [took.whole["dedupe"]], took.filters.values(), *ending])


def _longest_chain_s(took: _Took, branch: int) -> float:
    return max((chain_s for item, chain_s in took.chains().items() if item[0] == branch), default=0.0)


def _took(spans: Sequence[Span]) -> _Took:
    took = _Took()
    for span in spans:
        seconds = span.ended - span.started
        if span.stage in (*BRANCH_STAGES, *TURN_STAGES, "dedupe"):
            took.whole[span.stage] += seconds
        elif span.stage == "search":
            took.searches[span.item] = seconds
        elif span.stage == "rerank":
            took.reranks[span.item] = seconds
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


def _chain(item: _Item) -> tuple[str, _Item]:
    return "chain", item


def _note(item: _Item) -> tuple[str, _Item]:
    return "note", item


def _paths(took: _Took) -> tuple[Paths, list[_Item]]:
    """Everything before the draft, and the places of the notes."""
    paths = Paths()
    for stage in BRANCH_STAGES:
        paths.add(stage, took.whole[stage])
    for item, chain_s in took.chains().items():
        if item in took.written:
            paths.add(_chain(item), took.written[item] + chain_s)
        else:
            paths.add(_chain(item), chain_s, BRANCH_STAGES[item[0]])
    if took.written:
        _add_notes_by_and_by(paths, took)
    else:
        paths.add("dedupe", took.whole["dedupe"], *BRANCH_STAGES, *map(_chain, took.chains()))
        for item, filter_s in took.filters.items():
            paths.add(_note(item), filter_s, "dedupe")
    return paths, list(took.filters)


def _add_notes_by_and_by(paths: Paths, took: _Took) -> None:
    """A passage stays when all chains before its own have ended, and its own has come to it."""
    for passage, filter_s in took.filters.items():
        own = passage[:2]
        named: tuple[str, _Item] = _chain(own)
        if passage in took.ranked:
            named = ("named", passage)
            paths.add(named, took.written[own] + took.searches[own] + took.ranked[passage])
        before = [_chain(item) for item in took.chains() if item < own]
        # The first fact follows the last query, and only the end of the queries says which one that is.
        queries = ["make_queries"] if passage[0] == FACTS else []
        paths.add(_note(passage), filter_s, *before, named, *queries)
