"""Group leases: one worker a group, its own turn for each firing, and nothing moves that need not."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alto_lg.adapters.placement.group_leases import GroupLeases
from alto_lg.adapters.placement.leases import Granted, Group

MAX_IN_FLIGHT = 2
GROUPS = st.builds(Group, st.integers(0, 2), st.integers(0, 3), is_known=st.just(True))


class Life(RuleBasedStateMachine):
    """Workers come and go, firings of groups begin and end, runs end; the model is a list of who waits, and dicts."""

    starts_anew = True

    def __init__(self) -> None:
        super().__init__()
        self.leases: GroupLeases[int, int] = GroupLeases(MAX_IN_FLIGHT, starts_anew=self.starts_anew)
        self.has: dict[int, int] = {}
        self.waiting: dict[int, Group] = {}
        self.home: dict[Group, int] = {}
        self.lost: set[Group] = set()
        self.number = 0

    def next(self) -> int:
        self.number += 1
        return self.number

    def begin(self, worker: int, group: Group) -> None:
        if group not in self.home:
            groups = Counter(self.home.values())
            rivals = [one for one, count in self.has.items() if count < MAX_IN_FLIGHT]
            assert groups[worker] == min(groups[one] for one in rivals), "a worker with the fewest groups"
        assert self.home.setdefault(group, worker) == worker, "the firings of a group go to one worker"
        self.has[worker] += 1

    def granted(self, leases: Granted[int, int]) -> None:
        for ticket, worker in leases:
            group = self.waiting.pop(ticket)
            if worker is None:
                assert group in self.lost
                continue
            earlier = [one for number, one in self.waiting.items() if number < ticket]
            assert worker not in {self.home.get(one) for one in earlier}, "in the order in which they asked"
            assert group in self.home or all(one in self.home for one in earlier)
            self.begin(worker, group)

    @rule(group=GROUPS)
    def ask(self, group: Group) -> None:
        assert self.leases.is_lost(group) == (group in self.lost)
        if group in self.lost:
            return
        ticket, worker = self.next(), self.leases.free(group)
        if worker is None:
            self.leases.wait(ticket, group)
            self.waiting[ticket] = group
        else:
            self.leases.begin(worker, group)
            self.begin(worker, group)

    @rule()
    def join(self) -> None:
        worker = self.next()
        self.has[worker] = 0
        self.granted(self.leases.join(worker))

    @precondition(lambda self: any(self.has.values()))
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from([one for one, count in self.has.items() if count]))
        self.has[worker] -= 1
        self.granted(self.leases.end(worker))

    @precondition(lambda self: self.has)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.has)))
        del self.has[worker]
        gone = {group for group, home in self.home.items() if home == worker}
        self.home = {group: home for group, home in self.home.items() if home != worker}
        self.lost |= set() if self.starts_anew else gone
        self.granted(self.leases.leave(worker))
        self.granted(self.leases.end(worker))  # a firing of a worker that has left ends: nothing follows

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[ticket]
        assert self.leases.withdraw(ticket)
        assert not self.leases.withdraw(ticket)

    @rule(run=st.integers(0, 2))
    def forget(self, run: int) -> None:
        self.home = {group: home for group, home in self.home.items() if group.run != run}
        self.lost = {group for group in self.lost if group.run != run}
        self.granted(self.leases.forget(run))

    @invariant()
    def holds(self) -> None:
        assert {worker: self.leases.outstanding(worker) for worker in self.leases.workers} == self.has
        assert set(self.leases.waiting) == self.waiting.keys()
        assert all(0 <= count <= MAX_IN_FLIGHT for count in self.has.values())
        for group in self.waiting.values():
            assert group not in self.lost
            may_go_to = [self.home[group]] if group in self.home else list(self.has)
            assert all(self.has[worker] == MAX_IN_FLIGHT for worker in may_go_to), "nobody waits while there is room"
        for group in [Group(run, place) for run in range(3) for place in range(4)]:
            assert self.leases.home_of(group) == self.home.get(group)


class LifeWithoutRepeats(Life):
    starts_anew = False


TestLife = Life.TestCase
TestLifeWithoutRepeats = LifeWithoutRepeats.TestCase


def leases(workers: int, *, starts_anew: bool = False) -> GroupLeases[str, int]:
    made: GroupLeases[str, int] = GroupLeases(1, starts_anew=starts_anew)
    for number in range(workers):
        assert made.join(f"w{number}") == []
    return made


def begin(made: GroupLeases[str, int], group: Group) -> str | None:
    worker = made.free(group)
    if worker is not None:
        made.begin(worker, group)
    return worker


def test_a_firing_waits_for_the_home_of_its_group_though_others_are_free() -> None:
    made, group = leases(2), Group("run", "a")
    home = begin(made, group)
    assert home is not None
    assert made.free(group) is None
    made.wait(1, group)
    assert begin(made, Group("run", "b")) not in (None, home)
    assert made.end(home) == [(1, home)]


def test_equal_groups_of_two_runs_are_two_groups() -> None:
    made = leases(2)
    assert begin(made, Group("one", "a")) != begin(made, Group("other", "a"))


def test_a_group_that_lost_its_home_is_refused_until_its_run_is_over() -> None:
    made, group, other = leases(2), Group("run", "a"), Group("run", "b")
    home = begin(made, group)
    assert home is not None
    begin(made, other)
    made.wait(1, group)
    assert made.leave(home) == [(1, None)]
    assert (made.is_lost(group), made.is_lost(other)) == (True, False)
    made.forget("run")
    assert not made.is_lost(group)


def test_a_group_that_may_start_anew_goes_on_elsewhere_and_stays_there() -> None:
    made, group = leases(2, starts_anew=True), Group("run", "a")
    home = begin(made, group)
    assert home is not None
    made.wait(1, group)
    made.wait(2, group)
    ((ticket, elsewhere),) = made.leave(home)
    assert (ticket, elsewhere is not None) == (1, True)
    assert made.join("w9") == [], "its second firing waits for the new home, though another worker is free"
    assert elsewhere is not None
    assert made.end(elsewhere) == [(2, elsewhere)]


def test_without_a_worker_all_wait_and_the_first_that_joins_has_them() -> None:
    made = leases(0)
    made.wait(1, Group("run", "a"))
    made.wait(2, Group("run", "b"))
    assert made.join("w0") == [(1, "w0")]
    assert made.join("w1") == [(2, "w1")]


@given(st.integers(1, 8), st.integers(0, 200), st.randoms(use_true_random=False))
def test_groups_of_equal_work_are_spread_evenly(workers: int, groups: int, draw: random.Random) -> None:
    """Each group has one firing at a time, and they end in any order."""
    made = leases(workers)
    busy = []
    for number in range(groups):
        if (worker := begin(made, Group("run", number))) is not None:
            busy.append(worker)
        else:
            made.wait(number, Group("run", number))
    for _ in range(groups):
        ended = busy.pop(draw.randrange(len(busy)))
        busy += [worker for _, worker in made.end(ended) if worker is not None]
    assert not busy
    assert not made.waiting


def test_nothing_is_left_of_runs_that_are_over() -> None:
    made = leases(3, starts_anew=True)
    tickets = iter(range(10_000))
    for run in range(100):
        for place in range(20):
            group = Group(run, place)
            if (worker := begin(made, group)) is not None:
                made.wait(ticket := next(tickets), group)
                assert made.withdraw(ticket)
                made.end(worker)
        made.forget(run)
    kept = vars(made)
    sizes = {name: len(kept[name]) for name in ("_groups", "_lost", "_number", "_waiting_of", "_waiting")}
    assert set(sizes.values()) == {0}, sizes
    assert all(len(line) <= 64 for line in kept["_lines"].values())


@pytest.mark.parametrize("run", ["unknown", None])
def test_a_run_without_groups_is_forgotten_all_the_same(run: str | None) -> None:
    assert leases(1).forget(run) == []


def test_a_firing_of_an_unknown_group_runs_only_where_it_may_start_anew() -> None:
    unknown = Group("run", "task", is_known=False)
    assert leases(1).is_lost(unknown)
    assert not leases(1, starts_anew=True).is_lost(unknown)
