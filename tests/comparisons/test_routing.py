"""The commands that measure routing: what they say is true of small cases."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from alto_lg.comparisons import decisions, routers
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.routing import POLICIES, PolicyName


@pytest.mark.parametrize("saturated", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
def test_every_decision_is_timed(policy: PolicyName, saturated: bool) -> None:
    cost = decisions.cost(policy, 3, saturated=saturated, decisions=60)
    assert len(cost.submit) == len(cost.end) == 30
    assert list(cost.submit) == sorted(cost.submit)


@pytest.mark.parametrize("saturated", [False, True])
def test_every_lease_is_timed(saturated: bool) -> None:
    cost = decisions.cost_of_leases(3, saturated=saturated, decisions=60)
    assert len(cost.ask) == len(cost.end) == 30
    assert list(cost.end) == sorted(cost.end)


def test_a_table_moves_nothing_in_vain_and_hashes_move_about_one_share() -> None:
    table = decisions.moves_of_table(8, 400)
    assert (table.imbalance, table.added, table.lost) == (1.0, 0.0, 0.0)
    for name, place in decisions.HASHES.items():
        moves = decisions.moves_of_hash(place, 8, 400)
        assert 0 < moves.added < 0.4, name
        assert moves.imbalance > 1.0


def test_a_bounded_ring_keeps_its_bound() -> None:
    groups = [f"g{number}" for number in range(100)]
    placed = decisions.bounded_ring(["a", "b", "c", "d"], groups)
    assert max(Counter(placed.values()).values()) <= 32


def test_the_pool_finds_more_in_caches_by_prefix_than_in_turn() -> None:
    load = routers.Load(calls=40, kinds=8, prefix_words=200, per_s=1000.0)
    options = SimOptions(model_name="sim", time_scale=0.001)
    with SimulatedServer(options) as one, SimulatedServer(options) as other:
        found = {
            policy: asyncio.run(routers.run_pool(policy, load, (one, other))) for policy in ("round-robin", "prefix")
        }
    assert found["prefix"].hit_rate > found["round-robin"].hit_rate


def test_a_router_that_does_not_start_is_an_error_that_names_its_command() -> None:
    with pytest.raises(RuntimeError, match="did not get ready: false"), routers._started("false", ["http://a"]):
        pass
