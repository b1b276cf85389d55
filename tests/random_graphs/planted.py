"""Planted bugs: mistakes that ours could have, each of which random graphs must find.

Owns the mistakes. Each replaces one thing of the engine or the adapter while it is in force. Where the check at
commit (C3) catches a mistake before it does harm, that is a find as well: a result is dropped, and someone is warned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from alto_lg.adapters.langgraph import analysis, convert, emissions, projection, slots, stages
from alto_lg.adapters.langgraph.coroutines import CoroutineFiring
from alto_lg.adapters.langgraph.emissions import Emissions
from alto_lg.adapters.langgraph.lookahead import Lookahead
from alto_lg.adapters.langgraph.preparation import Preparation
from alto_lg.adapters.langgraph.projection import Projection
from alto_lg.adapters.langgraph.reducing import Reducers
from alto_lg.adapters.langgraph.run import AcceleratedRun
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.facts import Keys, nothing
from alto_lg.engine.frontier import Frontier
from alto_lg.engine.joins import Joins
from alto_lg.engine.plan import Reach
from alto_lg.engine.rules import Rules

Change = tuple[Any, str, Callable[[Any], Any]]
"""Whose attribute, which one, and from what it is to what it becomes."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake. near: a seed from which the find is not far."""

    name: str
    changes: tuple[Change, ...]
    near: int = 0

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def planted(self) -> Iterator[None]:
        before = [(owner, name, vars(owner)[name]) for owner, name, _ in self.changes]
        try:
            for owner, name, change in self.changes:
                setattr(owner, name, change(vars(owner)[name]))
            yield
        finally:
            for owner, name, value in before:
                setattr(owner, name, value)


def _always(value: Any) -> Callable[[Any], Any]:
    """A function that says the same whatever it is asked."""

    def change(_: Any) -> Any:
        return lambda *arguments, **named: value

    return change


def _becomes(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _after(adjust: Callable[..., Any]) -> Callable[[Any], Any]:
    """The same function, with its result adjusted: `adjust(result, *arguments)`."""

    def change(original: Any) -> Any:
        def adjusted(*arguments: Any, **named: Any) -> Any:
            return adjust(original(*arguments, **named), *arguments, **named)

        return adjusted

    return change


def _order_of_packets_as_text(original: Any) -> Any:
    def sent(self: Ancestry, stage: str, step: int, index: int, *, run: Ancestry) -> Ancestry:
        made = original(self, stage, step, index, run=run)
        return replace(made, order=(*made.order[:-1], str(index)))  # type: ignore[no-any-return]

    return sent


def _order_of_names_backwards(made: Ancestry, *_: Any) -> Ancestry:
    return replace(made, order=(*made.order[:2], "".join(chr(0x10FFFF - ord(one)) for one in made.order[2])))


def _forget_siblings(_: Any) -> Any:
    def remove(self: Frontier, step: int, stage: str, **changes: Any) -> bool:
        self._outstanding.pop((step, stage), None)
        for counts in self._changing.values():
            counts.pop((step, stage), None)
        return True

    return remove


def _joins_complete_at_once(_: Any) -> Any:
    def completed_at(self: Joins, join: Any, arrivals: Any) -> Iterator[int]:
        yield from sorted(step for step in arrivals if arrivals[step] & join.sources)

    return completed_at


def _joins_never_emptied(_: Any) -> Any:
    def completed_at(self: Joins, join: Any, arrivals: Any) -> Iterator[int]:
        seen = set(self._seen.get(join.channel, frozenset()))
        for step in sorted(arrivals):
            seen |= arrivals[step]
            if seen >= join.sources:
                yield step

    return completed_at


def _joins_do_not_look_back(_: Any) -> Any:
    def completed(self: Joins, frontier: Frontier) -> Iterator[tuple[str, int]]:
        for channel, arrivals in self._arrivals.items():
            for step in self._completed_at(self._joins[channel], arrivals):
                yield self._joins[channel].target, step + 1

    return completed


def _another_packet(original: Any) -> Any:
    def packet_of(self: Emissions, firing: Any) -> Any:
        packet = original(self, firing)
        alike = [one for one in self._packets.values() if one.node == packet.node]
        return alike[0]

    return packet_of


def _last_writes_missed(_: Any) -> Any:
    def values_at(self: Lookahead, step: int, key: str) -> Any:
        written = self._written[step][key] if step in self._written else ()
        return [value for _, value in sorted(written, key=lambda entry: entry[0])][: max(1, len(written) - 1)]

    return values_at


def _by_completion(_: Any) -> Any:
    def values_at(self: Lookahead, step: int, key: str) -> Any:
        return [value for _, value in self._written[step][key]] if step in self._written else []

    return values_at


def _twice(original: Any) -> Any:
    async def deliver(self: CoroutineFiring, writes: Any, config: Any) -> Any:
        result = await original(self, writes, config)
        writes.extend(self.task.writes)
        return result

    return deliver


def _backwards(original: Any) -> Any:
    async def deliver(self: CoroutineFiring, writes: Any, config: Any) -> Any:
        result = await original(self, writes, config)
        writes.reverse()
        return result

    return deliver


def _without_retry(original: Any) -> Any:
    def start(self: CoroutineFiring, ahead: Any, task: Any, context: Any) -> None:
        original(self, ahead, replace(task, retry_policy=()), context)

    return start


def _one_hop_short(original: Any) -> Any:
    def writes(self: Reach, stage: str, hops: int) -> Any:
        return original(self, stage, min(hops, 0))

    return writes


def _routes_anywhere_forgotten(stage: Any, *_: Any) -> Any:
    return replace(stage, successors=stage.certain)


def _only_one_successor(emission: Any, *_: Any) -> Any:
    return replace(emission, activates=tuple(sorted(emission.activates)[:1]))


def _early_ones_do_not_queue(original: Any) -> Any:
    async def enter(self: Any) -> None:
        turn = slots._turn.get()
        if turn is not None and turn[0] is self:
            self._free -= 1
            return
        await original(self)

    return enter


def _of_plan(**changes: Any) -> Change:
    """Stages lose what is known of them."""
    return (
        convert,
        "stage_of",
        _after(lambda stage, *_: replace(stage, **changes)),
    )


def _of_conditions(**changes: Any) -> Change:
    return (AcceleratedRun, "conditions", _after(lambda conditions, *_: replace(conditions, **changes)))


_UNCHANGED: Change = (Lookahead, "_is_unchanged", _always(True))
"""The check at commit, left out."""

BUGS = (
    Bug("packets are ordered as text", ((Ancestry, "sent", _order_of_packets_as_text),), near=69),
    Bug("triggered nodes are ordered backwards", ((Ancestry, "triggered", _after(_order_of_names_backwards)),)),
    Bug("values are applied as they come", ((Lookahead, "_values_at", _by_completion), _UNCHANGED), near=41),
    Bug("the last write of a step is missed", ((Lookahead, "_values_at", _last_writes_missed),)),
    Bug("a key that forgets does not", ((projection, "_FORGETTING", _becomes(())),), near=64),
    Bug("stale reads, found at commit", ((Frontier, "unsettled", _always(None)),)),
    Bug("stale reads, adopted", ((Frontier, "unsettled", _always(None)), _UNCHANGED)),
    Bug("the frontier sees one hop only", ((Reach, "writes", _one_hop_short),), near=69),
    Bug("one end counts for all siblings", ((Frontier, "remove", _forget_siblings),), near=69),
    Bug("of several successors one is known", ((Emissions, "of", _after(_only_one_successor)),), near=44),
    Bug("routes are not known", ((convert, "stage_of", _after(_routes_anywhere_forgotten)),), near=2),
    Bug("joins are complete with one source", ((Joins, "_completed_at", _joins_complete_at_once),)),
    Bug("joins are never emptied", ((Joins, "_completed_at", _joins_never_emptied),), near=71),
    Bug("joins do not look back", ((Joins, "completed", _joins_do_not_look_back),), near=159),
    Bug("packets are taken for one another", ((Emissions, "packet_of", _another_packet),), near=8),
    Bug("every packet is its receiver's own", ((emissions, "is_owned", _always(True)),), near=877),
    Bug(
        "packets that are changed are not copied",
        ((Preparation, "_owned", lambda _: lambda self, early, one: one),),
        near=592,
    ),
    Bug("nothing can be changed", ((projection, "is_frozen", _always(True)),), near=12),
    Bug(
        "nobody changes anything",
        (_of_plan(mutates=nothing("planted"), mutates_outside=False, assigns=False),),
        near=12,
    ),
    Bug("nothing is left outside", (_of_plan(leaks=Keys.of(), mutates_outside=False),), near=286),
    Bug("every reducer is pure", ((analysis, "reducer_is_pure", _always((True, ""))),)),
    Bug("no commit changes anything in place", ((Reducers, "reduces_in_place", _always(False)),), near=20),
    Bug("the recursion limit is for others", (_of_conditions(last_step=1_000_000),), near=19),
    Bug("the store is no barrier", (_of_conditions(has_store=False),), near=158),
    Bug("interrupts are no barrier", (_of_conditions(can_pause=False),), near=37),
    Bug("pauses before a node are passed", (_of_conditions(stops_before=frozenset()),), near=173),
    Bug("pauses after a node are passed", (_of_conditions(stops_after=frozenset()),), near=51),
    Bug("subgraphs start early", ((AcceleratedRun, "_withheld", _always({})),), near=119),
    Bug("nodes with a cache or a handler start early", ((stages, "_never_early", _always(None)),), near=95),
    Bug(
        "early firings pass the limit on concurrency",
        ((slots.OrderedSlots, "__aenter__", _early_ones_do_not_queue),),
        near=9,
    ),
    Bug(
        "routes do not wait",
        ((CoroutineFiring, "gate", _always(None)), (Rules, "against_routing", _always(None)), _UNCHANGED),
        near=61,
    ),
    Bug("writes are handed over twice", ((CoroutineFiring, "deliver", _twice),)),
    Bug("writes are handed over backwards", ((CoroutineFiring, "deliver", _backwards),), near=8),
    Bug("early firings are not retried", ((CoroutineFiring, "start", _without_retry),), near=19),
    Bug("the last step is not projected", ((Projection, "channel", lambda _: _stale_channel),)),
)


def _stale_channel(self: Projection, key: str, step: int) -> Any:
    return self._channels[key]
