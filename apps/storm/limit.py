"""The shortest time that one article could have taken, given how long its pieces took.

True data dependencies: the editor who covers the basic facts needs nothing, the others need their line, and each turn
of an interview the one before. The outline needs the draft and all interviews; a section needs its part of the outline
and nothing of the other sections; the lead needs all of them. A line, a query or a part of the outline is known at the
end of the model's answer or, where that is streamed, when it is complete in it. A run ends when all that it began has
ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from alto_lg.apps.base import Span
from alto_lg.apps.paths import in_steps_s

WHOLE_STAGES = ("draft", "relate", "contents", "personas", "refine", "lead", "polish", "publish")
TURN_STAGES = ("ask", "query", "answer")
WRITTEN_STAGES = ("persona", "query_written", "planned")
"""Of spans that go from the start of a model's answer to the moment at which the item was complete in it."""

_Item = tuple[int, ...]


@dataclass(slots=True)
class _Took:
    """Seconds that the pieces of an article took; turns by editor and turn, searches with the place of the query."""

    whole: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    turns: defaultdict[_Item, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    searches: dict[_Item, float] = field(default_factory=dict)
    written: dict[tuple[str, _Item], float] = field(default_factory=dict)
    sections: dict[_Item, float] = field(default_factory=dict)

    def searches_of(self, item: _Item) -> dict[_Item, float]:
        """The searches of one turn."""
        return {query: seconds for query, seconds in self.searches.items() if query[:2] == item}


def limit_s(spans: Sequence[Span]) -> float:
    """Seconds along the longest path."""
    took = _took(spans)
    refine_at = _refine_at(took)
    sections_at = max([refine_at + took.whole["refine"], *_sections_at(took, refine_at)])
    return sections_at + sum(took.whole[stage] for stage in ("lead", "polish", "publish"))


def first_section_limit_s(spans: Sequence[Span]) -> float | None:
    """Seconds along the path of the section that could be written first; None without sections."""
    took = _took(spans)
    return min(_sections_at(took, _refine_at(took)), default=None)


def in_supersteps_s(version: str, spans: Sequence[Span]) -> float:
    """Seconds of LangGraph's supersteps in one version of the graph."""
    took = _took(spans)
    choosing = [took.whole[stage] for stage in ("relate", "contents", "personas")]
    if version == "subgraph":
        first, *others = _interviews_s(took) or [0.0]
        steps: list[Iterable[float]] = [[took.whole["draft"], first, sum(choosing) + max(others, default=0.0)]]
    elif version == "streaming":
        steps = [[took.whole["draft"], sum(choosing)], *_hops(took, TURN_STAGES)]
    else:
        steps = [[took.whole["draft"], choosing[0]], choosing[1:2], choosing[2:]]
        steps += _hops(took, ("ask", "query", "search", "answer"))
    ending = [[took.whole[stage]] for stage in ("lead", "polish", "publish")]
    return in_steps_s([*steps, [took.whole["refine"]], took.sections.values(), *ending])


def _hops(took: _Took, stages: Sequence[str]) -> list[Iterable[float]]:
    """The steps of all interviews side by side."""
    turns = max((item[1] + 1 for item in took.turns), default=0)
    return [_hop(took, turn, stage) for turn in range(turns) for stage in stages]


def _hop(took: _Took, turn: int, stage: str) -> Iterable[float]:
    items = [item for item in took.turns if item[1] == turn]
    if stage == "search":
        return [sum(took.searches_of(item).values()) for item in items]
    return [took.turns[item].get(stage, 0.0) for item in items]


def _interviews_s(took: _Took) -> list[float]:
    """How long each interview takes where its queries are searched for one after the other."""
    ends: defaultdict[int, float] = defaultdict(float)
    for item, stages in took.turns.items():
        ends[item[0]] += sum(stages.values()) + sum(took.searches_of(item).values())
    return [ends[editor] for editor in sorted(ends)]


def _took(spans: Sequence[Span]) -> _Took:
    took = _Took()
    for span in spans:
        seconds = span.ended - span.started
        if span.stage in WHOLE_STAGES:
            took.whole[span.stage] += seconds
        elif span.stage in TURN_STAGES:
            took.turns[span.item][span.stage] = seconds
        elif span.stage in WRITTEN_STAGES:
            took.written[span.stage, span.item] = seconds
        elif span.stage == "search":
            took.searches[span.item] = seconds
        elif span.stage == "write":
            took.sections[span.item] = seconds
        else:
            known = ", ".join((*WHOLE_STAGES, *TURN_STAGES, "search", "write", *WRITTEN_STAGES))
            raise ValueError(f"span of an unknown stage {span.stage!r}; STORM has {known}")
    return took


def _refine_at(took: _Took) -> float:
    """When the draft and all interviews have ended."""
    choosing_at = took.whole["relate"] + took.whole["contents"]
    chosen_at = choosing_at + took.whole["personas"]
    ends: defaultdict[int, float] = defaultdict(float)
    for item in sorted(took.turns):
        editor = item[0]
        if item[1] == 0 and editor > 0:
            written = took.written.get(("persona", (editor,)))
            ends[editor] = chosen_at if written is None else choosing_at + written
        ends[editor] += _turn_s(took, item)
    return max([took.whole["draft"], chosen_at, *ends.values()])


def _turn_s(took: _Took, item: _Item) -> float:
    stages = took.turns[item]
    query_s = stages.get("query", 0.0)
    searched = [
        took.written.get(("query_written", query), query_s) + seconds
        for query, seconds in took.searches_of(item).items()
    ]
    return stages.get("ask", 0.0) + max([query_s, *searched]) + stages.get("answer", 0.0)


def _sections_at(took: _Took, refine_at: float) -> list[float]:
    """When each section is written."""
    refine_s = took.whole["refine"]
    return [
        refine_at + took.written.get(("planned", item), refine_s) + seconds for item, seconds in took.sections.items()
    ]
