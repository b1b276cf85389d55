"""Leases: least outstanding first, never more than may be, and nobody waits while there is room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alto_lg.adapters.placement.costs import Costs
from alto_lg.adapters.placement.leases import Leases

MAX_IN_FLIGHT = 3


class Life(RuleBasedStateMachine):
    """Workers come and go, firings begin and end; a model keeps the counts."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: Leases[int, int] = Leases(MAX_IN_FLIGHT)
        self.has: dict[int, int] = {}
        self.waiting: list[int] = []
        self.number = 0

    def next(self) -> int:
        self.number += 1
        return self.number

    def granted(self, leases: list[tuple[int, int | None]]) -> None:
        for ticket, worker in leases:
            assert ticket == self.waiting.pop(0), "served in the order in which they asked"
            assert worker is not None
            self.has[worker] += 1

    @rule()
    def ask(self) -> None:
        ticket, least = self.next(), min(self.has.values(), default=MAX_IN_FLIGHT)
        worker = self.leases.free()
        if worker is None:
            assert least == MAX_IN_FLIGHT
            self.leases.wait(ticket)
            self.waiting.append(ticket)
        else:
            assert self.has[worker] == least
            self.leases.begin(worker)
            self.has[worker] += 1

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
        assert self.leases.leave(worker) == []
        del self.has[worker]
        self.granted(self.leases.end(worker))  # a firing of a worker that has left ends: nothing follows

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(ticket)
        assert self.leases.withdraw(ticket)
        assert not self.leases.withdraw(ticket)

    @invariant()
    def holds(self) -> None:
        assert {worker: self.leases.outstanding(worker) for worker in self.leases.workers} == self.has
        assert list(self.leases.waiting) == self.waiting
        assert all(0 <= count <= MAX_IN_FLIGHT for count in self.has.values())
        assert not self.waiting or all(count == MAX_IN_FLIGHT for count in self.has.values())


TestLife = Life.TestCase


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.booleans()), max_size=30))
def test_costs_are_those_of_firings_that_met_an_idle_worker(ended: list[tuple[float, float, bool]]) -> None:
    costs = Costs()
    for node_s, more_s, met_idle in ended:
        costs.ended(node_s, node_s + more_s, met_idle=met_idle)
    found = costs.statistics
    assert found.firings == len(ended)
    assert (found.node_s is None) == (not ended)
    assert (found.cost_s is None) == (not any(idle for *_, idle in ended))
    assert found.cost_s is None or 0 <= found.cost_s <= 9.001
