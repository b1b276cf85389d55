"""Groups: one replica a group, evenly, and nothing moves that need not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alto_lg.routing.groups import GroupTable


class Groups(RuleBasedStateMachine):
    """Against a dict of where each live group was last seen."""

    @initialize(count=st.integers(1, 4))
    def begin(self, count: int) -> None:
        self.replicas = [f"r{number}" for number in range(count)]
        self.table = GroupTable(self.replicas)
        self.homes: dict[int, str] = {}
        self.held: set[str] = set()
        self.added = count

    @rule(group=st.integers(0, 30))
    @precondition(lambda self: self.replicas)
    def item(self, group: int) -> None:
        if group not in self.homes and self.held.issuperset(self.replicas):
            assert self.table.least() is None
            with pytest.raises(LookupError, match="no replica left"):
                self.table.replica_of(group)
            return
        least = self.table.least()
        replica = self.table.replica_of(group)
        if group not in self.homes:
            loads = {one: list(self.homes.values()).count(one) for one in self.replicas if one not in self.held}
            assert replica == least
            assert loads[replica] == min(loads.values())
        assert self.homes.setdefault(group, replica) == replica

    @rule(data=st.data())
    @precondition(lambda self: self.replicas)
    def hold(self, data: st.DataObject) -> None:
        replica = data.draw(st.sampled_from(self.replicas))
        self.table.hold(replica)
        self.held.add(replica)

    @rule(data=st.data())
    @precondition(lambda self: self.replicas)
    def release(self, data: st.DataObject) -> None:
        replica = data.draw(st.sampled_from(self.replicas))
        self.table.release(replica)
        self.held.discard(replica)

    @rule(group=st.integers(0, 30))
    def close(self, group: int) -> None:
        self.table.close(group)
        self.homes.pop(group, None)

    @rule()
    def add(self) -> None:
        self.added += 1
        self.replicas.append(f"r{self.added}")
        self.table.add(self.replicas[-1])

    @rule(data=st.data())
    @precondition(lambda self: self.replicas)
    def lose(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.replicas))
        self.replicas.remove(gone)
        self.held.discard(gone)
        lost = self.table.lose(gone)
        assert sorted(lost) == sorted(group for group, home in self.homes.items() if home == gone)
        for group in lost:
            del self.homes[group]

    @invariant()
    def it_knows_the_live_groups_and_no_others(self) -> None:
        if hasattr(self, "table"):
            assert len(self.table) == len(self.homes)
            for replica in self.replicas:
                known = {group for group, home in self.homes.items() if home == replica}
                assert set(self.table.groups_of(replica)) == known
            assert {group: self.table.home_of(group) for group in self.homes} == self.homes


TestGroups = Groups.TestCase


@given(st.integers(1, 9), st.integers(0, 60))
def test_no_replica_ever_has_more_groups_than_the_mean_rounded_up(replicas: int, groups: int) -> None:
    table = GroupTable([str(number) for number in range(replicas)])
    for group in range(groups):
        table.replica_of(group)
        loads = [len(table.groups_of(str(number))) for number in range(replicas)]
        assert max(loads) <= math.ceil((group + 1) / replicas)


def test_without_a_replica_there_is_an_error_that_says_so() -> None:
    table = GroupTable(["only"])
    table.lose("only")
    with pytest.raises(LookupError, match="no replica left"):
        table.replica_of("g")


def test_a_replica_is_given_once() -> None:
    with pytest.raises(ValueError, match="there already"):
        GroupTable(["a", "a"])
