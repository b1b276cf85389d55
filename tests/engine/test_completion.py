"""Completion: prefixes and groups, against every end that the open firings may still come to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.completion import is_complete, prefix
from alto_lg.engine.firing import Firing, Status
from engine.plans import plan, stage

# begin sends `split`, which sends `leaf` and `split`; all three may write `list`.
PLAN = plan(
    stage("begin", writes="list", may="split"),
    stage("split", writes="list", may="split leaf"),
    stage("leaf", writes="list"),
    stage("other"),
    keys="list",
)
BY_PACKETS = replace(PLAN, stages={name: replace(one, triggers=frozenset()) for name, one in PLAN.stages.items()})
"""The same, with the knowledge that nobody is activated by name."""
LAST_STEP = 4


@dataclass(frozen=True)
class Node:
    """One firing of an imagined run, and what it sends."""

    stage: str
    ends: bool
    children: tuple[Node, ...]


def _node(stage_name: str, children: st.SearchStrategy[Node] | None) -> st.SearchStrategy[Node]:
    below = st.lists(children, max_size=3).map(tuple) if children is not None else st.just(())
    return st.builds(Node, st.just(stage_name), st.booleans(), below)


LEAVES = _node("leaf", None)
TREES = _node("begin", _node("split", _node("split", LEAVES) | LEAVES))


class _Run:
    """The run as it stands: what an open firing will send is not known yet."""

    def __init__(self, root: Node) -> None:
        self.known: list[Firing] = []
        self.all: list[Ancestry] = []  # every firing of the whole run
        run = Ancestry.request()
        self._walk(root, run.triggered(root.stage, 0), True, run)

    def _walk(self, node: Node, ancestry: Ancestry, is_known: bool, run: Ancestry) -> None:
        self.all.append(ancestry)
        ended = is_known and node.ends
        if is_known:
            status = Status.ENDED if ended else Status.RUNNING
            self.known.append(Firing(PLAN.stages[node.stage], ancestry.step, ancestry, status=status))
        for index, child in enumerate(node.children):
            below = ancestry.sent(child.stage, ancestry.step + 1, index, run=run)
            self._walk(child, below, ended, run)


@given(TREES)
def test_nothing_that_comes_later_is_before_the_prefix_or_within_it(root: Node) -> None:
    run = _Run(root)
    careful, found = (
        [firing.ancestry for firing in prefix(plan, run.known, (), "list", LAST_STEP)] for plan in (PLAN, BY_PACKETS)
    )
    in_the_end = sorted(run.all, key=lambda ancestry: ancestry.order)
    assert found == in_the_end[: len(found)]
    assert careful == found[: len(careful)]


@given(TREES)
def test_a_prefix_is_everything_once_all_have_ended(root: Node) -> None:
    run = _Run(_ended(root))
    assert len(prefix(PLAN, run.known, (), "list", LAST_STEP)) == len(run.all)


@given(TREES)
def test_a_group_is_complete_only_if_nothing_more_is_written_below_it(root: Node) -> None:
    run = _Run(root)
    known = {firing.ancestry for firing in run.known}
    for firing in run.known:
        missing = [ancestry for ancestry in run.all if ancestry.is_within(firing.ancestry) and ancestry not in known]
        running = [one for one in run.known if one.status is Status.RUNNING and one.ancestry.is_within(firing.ancestry)]
        complete = is_complete(PLAN, run.known, firing.ancestry, "list", LAST_STEP)
        assert complete == (not running)
        assert not (complete and missing)


@given(TREES)
def test_a_group_stays_complete(root: Node) -> None:
    before, after = _Run(root), _Run(_ended(root))
    for firing in before.known:
        if is_complete(PLAN, before.known, firing.ancestry, "list", LAST_STEP):
            assert is_complete(PLAN, after.known, firing.ancestry, "list", LAST_STEP)


def _ended(node: Node) -> Node:
    return Node(node.stage, True, tuple(_ended(child) for child in node.children))


def _three(*statuses: Status) -> tuple[Ancestry, list[Firing]]:
    run = Ancestry.request()
    sender = run.triggered("split", 1)
    firings = [
        Firing(PLAN.stages["leaf"], 2, sender.sent("leaf", 2, index, run=run), status=status)
        for index, status in enumerate(statuses)
    ]
    return sender, [Firing(PLAN.stages["split"], 1, sender, status=Status.ENDED), *firings]


def test_a_prefix_ends_with_the_first_firing_that_runs() -> None:
    _, firings = _three(Status.ENDED, Status.RUNNING, Status.ENDED)
    assert prefix(PLAN, firings, (), "list", 3) == firings[:3]


def test_a_prefix_has_what_is_promised_and_a_group_has_not() -> None:
    sender, firings = _three(Status.ENDED, Status.ENDED)
    firings[1].promised_by = firings[0]
    assert prefix(PLAN, firings, (), "list", 3) == firings
    assert not is_complete(PLAN, firings, sender, "list", 3)


def test_what_a_promised_firing_may_trigger_by_name_comes_before_the_packets_of_a_later_step() -> None:
    sender, firings = _three(Status.ENDED)
    promised = Firing(PLAN.stages["split"], 1, sender, status=Status.ENDED, promised_by=firings[0])
    assert prefix(PLAN, [promised, firings[1]], (), "list", 3) == [promised]
    by_packets = Firing(BY_PACKETS.stages["split"], 1, sender, status=Status.ENDED, promised_by=firings[0])
    assert prefix(BY_PACKETS, [by_packets, firings[1]], (), "list", 3) == [by_packets, firings[1]]


def test_a_deferred_stage_that_waits_may_write_at_any_later_step() -> None:
    leaf, late = stage("leaf", writes="list"), stage("late", writes="list", deferred=True)
    plan_with_deferred = plan(stage("split", writes="list", may="leaf"), leaf, late, keys="list")
    _, firings = _three(Status.ENDED)
    assert prefix(plan_with_deferred, firings, [(2, "late")], "list", 3) == firings[:1]


def test_a_group_is_not_kept_open_by_who_cannot_write() -> None:
    run = Ancestry.request()
    sender = run.triggered("split", 1)
    other = Firing(PLAN.stages["other"], 2, sender.sent("other", 2, 0, run=run), status=Status.RUNNING)
    assert is_complete(PLAN, [other], sender, "list", 3)


def test_a_group_that_nothing_is_known_of_is_complete() -> None:
    assert is_complete(PLAN, [], Ancestry.request().triggered("split", 1), "list", 3)


def _two_senders(first: Status) -> list[Firing]:
    """Two senders side by side, of which the second has ended, and so has the leaf that it sent."""
    run = Ancestry.request()
    begin = run.triggered("begin", 0)
    senders = [begin.sent("other", 1, index, run=run) for index in range(2)]
    leaf = senders[1].sent("leaf", 2, 0, run=run)
    split = replace(BY_PACKETS.stages["split"], writes=BY_PACKETS.stages["other"].writes)
    return [
        Firing(split, 1, senders[0], status=first),
        Firing(split, 1, senders[1], status=Status.ENDED),
        Firing(BY_PACKETS.stages["leaf"], 2, leaf, status=Status.ENDED),
    ]


def test_what_a_later_sender_sent_waits_for_an_earlier_sender() -> None:
    firings = _two_senders(Status.RUNNING)
    assert firings[2] not in prefix(BY_PACKETS, firings, (), "list", 3)


def test_what_an_earlier_sender_sent_does_not_wait_for_a_later_one_unless_that_may_trigger_by_name() -> None:
    firings = _two_senders(Status.ENDED)
    firings[0].status, firings[1].status = Status.ENDED, Status.RUNNING
    firings[2].ancestry = firings[0].ancestry.sent("leaf", 2, 0, run=Ancestry.request())
    leaf = firings[2]
    ended = [one for one in prefix(BY_PACKETS, firings, (), "list", 3) if one.stage.name == "leaf"]
    assert ended == [leaf]
    assert leaf not in prefix(PLAN, firings, (), "list", 3)
