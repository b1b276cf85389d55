"""Differ: does a spec give on ours what it gives on LangGraph?

Owns what may vary. Always true:
  LangGraph is run on three schedules and ours on three others; what LangGraph itself gives in one way only, on all
  schedules, ours must give in that way;
  where LangGraph's answer depends on the schedule, it is run on more of them, and ours must be among its answers;
  no proof of ours fails where no node does: nothing is dropped and nobody is warned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dropin.watch import Tempo

from random_graphs.spec import Node, Spec
from random_graphs.watching import FIELDS, Bench, Watched, ours, plain, watch

LANGGRAPH_TEMPOS = (Tempo(), Tempo(1, "shuffle"), Tempo(2, "shuffle", 3))
OUR_TEMPOS = (Tempo(3, "fifo"), Tempo(4, "shuffle", 1), Tempo(5, "shuffle", 3))
MORE_TEMPOS = tuple(
    Tempo(10 + place, "shuffle" if place % 3 else "fifo", stretch)
    for place, stretch in enumerate((0, 1, 3, 1, 3, 2, 4, 5, 6, 1, 3, 0, 1, 3, 2))
) + tuple(Tempo(40 + place, "shuffle", stretch) for place in range(8) for stretch in (0, 1, 3))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one spec.

    differences: one line for each way in which ours is not LangGraph. racing: LangGraph's answer depends on the
    schedule. The rest is of our first run.
    """

    differences: tuple[str, ...] = ()
    racing: bool = False
    failed: bool = False
    firings: int = 0
    early: int = 0
    plain: str | None = None


def compared(spec: Spec, *, rotation: int = 0) -> Verdict:
    """Run a spec on both sides and compare; `rotation` draws other schedules."""
    bench = Bench(spec)
    expected = [watch(bench, plain, _turned(tempo, rotation)) for tempo in LANGGRAPH_TEMPOS]
    found = [(tempo, watch(bench, ours, tempo)) for tempo in (_turned(one, rotation) for one in OUR_TEMPOS)]
    oracle = Oracle(bench, expected, lambda: _more(bench))
    lines = [f"{tempo}: {line}" for tempo, one in found for line in oracle.against(one)]
    first = found[0][1]
    return Verdict(tuple(lines), oracle.asked_more, not expected[0].ended_well, first.firings, first.early, first.plain)


def _more(bench: Bench) -> list[Watched]:
    """LangGraph on more schedules, and with other durations where it orders nothing."""
    seen = [watch(bench, plain, tempo) for tempo in MORE_TEMPOS]
    seen += [watch(Bench(spec), plain, Tempo(30, "shuffle")) for spec in hurried(bench.spec)]
    seen += [watch(Bench(spec), plain, Tempo(31, "shuffle")) for spec in _reordered(bench.spec)]
    if any(node.caches for node in bench.spec.nodes):
        spec = bench.spec.with_nodes(lambda node: node if node.caches else replace(node, rest_ms=0, by_item=False))
        seen += [watch(Bench(spec), plain, tempo) for tempo in MORE_TEMPOS]
    return seen


def hurried(spec: Spec) -> Iterator[Spec]:
    """The spec with one node that can fail far ahead of the others. What is committed does not depend on that."""
    for failing in spec.nodes:
        inside = failing.inner is not None and failing.inner.may_fail
        if failing.may_fail or inside or any(way.fails for way in failing.ways()):
            nodes = [
                replace(one, rest_ms=0, late=False) if one is failing else replace(one, rest_ms=2000 + one.rest_ms)
                for one in spec.nodes
            ]
            yield replace(spec, nodes=tuple(nodes))


def _reordered(spec: Spec) -> Iterator[Spec]:
    """The spec with one node far ahead of the others, or far behind, whose effects siblings of its step may see.

    LangGraph orders changes in place, and the store, between steps and not within one. It also applies a node's own
    writes, for its conditional edges, to values that others of the step still read.
    """
    grown = {key.name for key in spec.every_key() if key.kind == "grown"}
    for one in spec.every_node():
        if one.mutates or one.stirs or one.store or (one.routes and grown.intersection(one.writes)):
            yield spec.with_nodes(partial(_ahead, one))
            yield spec.with_nodes(partial(_behind, one))


def _ahead(first: Node, node: Node) -> Node:
    if node is first:
        return replace(node, rest_ms=0, is_async=True)
    return replace(node, rest_ms=2000 + node.rest_ms, late=True)


def _behind(last: Node, node: Node) -> Node:
    return replace(node, rest_ms=3000) if node is last else node


def assert_same(spec: Spec) -> None:
    """For the tests that `str(spec)` prints."""
    assert compared(spec).differences == ()


def _turned(tempo: Tempo, rotation: int) -> Tempo:
    """Other seeds, the same stretches."""
    return Tempo(tempo.seed + 100 * rotation, tempo.schedule, tempo.stretch)


class Oracle:
    """What LangGraph gives, on as many schedules as it takes."""

    def __init__(self, bench: Bench, seen: Sequence[Watched], more: Callable[[], list[Watched]]) -> None:
        self._more = more
        self._spec = bench.spec
        self._seen = list(seen)
        self.asked_more = False

    def against(self, found: Watched) -> list[str]:
        """What of `found` is nothing that LangGraph gives."""
        lines = list(self._differences(found))
        if lines and not self.asked_more:
            self.asked_more = True
            self._seen += self._more()
        if lines:
            lines = list(self._differences(found))
        return [*lines, *self._failed_proofs(found)]

    def _differences(self, found: Watched) -> Iterable[str]:
        if not (found.ended_well and all(one.ended_well for one in self._seen)):
            yield from self._differences_after_failure(found)
            return
        streamed = [one for one in self._seen if _streamed_alike(found, one)]
        for name in FIELDS:
            if name in ("results", "tasks", "streams"):
                if not streamed and not self._varies(name):
                    yield from self._of_field(found, name)
            else:
                yield from self._of_field(found, name)

    def _of_field(self, found: Watched, name: str) -> Iterable[str]:
        value, known = getattr(found, name), [getattr(one, name) for one in self._seen]
        if value in known or (self._varies(name) and self._spec.changes_in_place):
            return
        if name == "notes" and self._spec.streams and any(not one.notes - found.notes for one in self._seen):
            return  # what a part led to, and the whole did not, ran for nothing
        yield f"{name}: {_first_difference(value, known[0], name)}"

    def _varies(self, name: str) -> bool:
        first = getattr(self._seen[0], name)
        return any(getattr(one, name) != first for one in self._seen[1:])

    def _differences_after_failure(self, found: Watched) -> Iterable[str]:
        """Which error came, and which siblings had ended, depends on the schedule; what was committed does not."""
        if found.broken and not any(one.broken for one in self._seen):
            yield f"broken: {found.broken}"
        known = [_committed(one) for one in self._seen]
        mine = _committed(found)
        if any(_fails_beside(found, one) for one in self._seen):
            mine = known[0]
        if mine not in known and not (self._spec.changes_in_place and any(one != known[0] for one in known)):
            yield f"after a failure: {_first_difference(mine, known[0], 'committed')}"
        if _stopped_by_limit(found, self._spec) and found.notes not in [one.notes for one in self._seen]:
            yield from self._of_field(found, "notes")  # a limit is nobody's failure: every step up to it ran whole
        yield from _too_often(found, self._seen, self._spec)

    def _failed_proofs(self, found: Watched) -> Iterable[str]:
        if found.ended_well and found.dropped and not self._spec.streams:
            yield f"dropped {found.dropped} early results"
        for text in found.warned:
            yield f"warned: {text}"
        if found.changed_packets > max(one.changed_packets for one in self._seen):
            yield f"{found.changed_packets} packets were changed before their tasks began"
        # A graph inside has a limit of its own, of the same height.
        limit = 0 if any(node.inner is not None for node in self._spec.nodes) else self._spec.run.at_once
        if limit and found.most_at_once > max(limit, *(one.most_at_once for one in self._seen)):
            yield f"{found.most_at_once} nodes ran at once, and the limit is {limit}"


def _streamed_alike(one: Watched, other: Watched) -> bool:
    """What is streamed may be changed in place before it is looked at; so it is compared as it came, and at the end."""
    return one.streamed == other.streamed or (any(other.late) and one.late == other.late)


def _committed(one: Watched) -> Any:
    """What a failed run had committed."""
    values = [[value for place in run if not place["namespace"] for value in place["values"]] for run in one.streams]
    return one.errors, one.results, values


_FAILURE = re.compile(r"^(\w+) failed after it saw (\d+)")


def _fails_beside(found: Watched, one: Watched) -> bool:
    """Whether two runs committed the same, and raise the errors of two firings that were under way side by side."""
    if not (found.errors and one.errors and found.errors[-1] and one.errors[-1]):
        return False
    (*before, mine), (*before_that, theirs) = found.errors, one.errors
    if before != before_that or _committed(found)[1:] != _committed(one)[1:]:
        return False
    firings = [match.groups() for error in (mine, theirs) if (match := _FAILURE.match(error[2]))]
    places = [
        {(graph, step) for graph, step, node, saw in one.notes if (node, saw) == (name, f"({seen},)")}
        for name, seen in firings
    ]
    return len(places) == 2 and bool(places[0] & places[1])


def _stopped_by_limit(one: Watched, spec: Spec) -> bool:
    """Whether the graph went as far as it may. One inside that did so failed, as any node can."""
    last = one.errors[-1] if one.errors else None
    steps = [step for graph, step, _, _ in one.notes if not graph]
    return last is not None and last[1] == "GraphRecursionError" and max(steps, default=0) >= spec.run.limit


def _too_often(found: Watched, known: Sequence[Watched], spec: Spec) -> Iterable[str]:
    """A node that no packets are sent to runs once in a step (and once more for each retry).

    A batched one does not know in which step it runs.
    """
    if len(found.errors) > 1:
        return  # a node that failed or paused runs again
    sent_to = {target for way in _ways(spec) if way.sends for target in way.targets}
    retried = {node.name for node in spec.every_node() if node.retries}
    batched = {node.name for node in spec.every_node() if node.batches}
    most: Counter[Any] = Counter()
    for one in known:
        most |= _by_task(one)
    for task, count in _by_task(found).items():
        name = task[2].removesuffix("-handler")
        if name not in sent_to | batched and count > max(most[task], 2 if name in retried else 1):
            yield f"{task} ran {count} times"


def _by_task(one: Watched) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for (graph, step, node, _), count in one.notes.items():
        counts[graph, step, node] += count
    return counts


def _ways(spec: Spec) -> Iterable[Any]:
    yield from spec.start
    for node in spec.every_node():
        yield from node.ways()
        if node.inner is not None:
            yield from node.inner.start


def _first_difference(mine: Any, theirs: Any, path: str) -> str:
    """Where two values part, and what each has there."""
    if type(mine) is type(theirs):
        pairs: list[tuple[str, Any, Any]] = []
        if isinstance(mine, dict):
            pairs = [(f"{path}.{key}", mine.get(key), theirs.get(key)) for key in {**theirs, **mine}]
        elif isinstance(mine, list | tuple) and len(mine) == len(theirs):
            pairs = [(f"{path}[{place}]", one, two) for place, (one, two) in enumerate(zip(mine, theirs, strict=True))]
        for place, one, two in pairs:
            if one != two:
                return _first_difference(one, two, place)
    return f"{path} is {_short(mine)}, LangGraph's is {_short(theirs)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 300 else f"{text[:297]}…"
