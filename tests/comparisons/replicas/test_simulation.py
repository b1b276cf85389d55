"""The simulation, on requests that are written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from alto_lg.comparisons.cost import hit_rate, imbalance, slot_imbalance
from alto_lg.comparisons.replicas.call_graph import Answer, Call, CallGraph, Trigger, Waits
from alto_lg.comparisons.replicas.pools import RULES
from alto_lg.comparisons.replicas.simulation import Arrivals, Fleet, Simulated, simulate
from alto_lg.comparisons.replicas.sweep import Load, Side, point, rate_at_target
from alto_lg.comparisons.sim.profiles import PROFILES

PROFILE = PROFILES["h100-8b"]
TOKEN_S, PREFILL_S, PROMPT_S = PROFILE.inter_token_s, PROFILE.prefill_base_s, PROFILE.prefill_s_per_token


def answer(marks: tuple[int, ...], blocks: tuple[int, ...] = ()) -> Answer:
    work = tuple(float(after - before) for before, after in pairwise(marks))
    return Answer(marks, work, 1.0, None, blocks)


def call(after: Waits, *answers: Answer, prompt_tokens: int = 0, route: tuple[int, ...] = ()) -> Call:
    return Call(after, prompt_tokens, route, answers)


def chain(request: str, *, blocks: Sequence[int] = ()) -> CallGraph:
    """Two calls of 101 tokens each; the second begins at the 51st token of the first."""
    first = call(
        Waits(), answer((1, 51, 101), tuple(blocks)), prompt_tokens=16 * len(blocks), route=tuple(blocks[3::4])
    )
    return CallGraph(request, (first, call(Waits((Trigger(0, 51),)), answer((1, 101)))), Waits((Trigger(1),)))


def run(graphs: Sequence[CallGraph], due_s: Sequence[float], rules: str = "round-robin", **fleet: int) -> Simulated:
    arrivals = Arrivals(tuple(due_s), tuple(at % len(graphs) for at in range(len(due_s))))
    return simulate(graphs, arrivals, Fleet(**{"replicas": 1, **fleet}), RULES[rules], seed=0)


def test_one_request_takes_what_its_calls_take() -> None:
    found = run([chain("one")], [5.0], replicas=2)
    assert found.latencies_s[0] == pytest.approx(2 * PREFILL_S + (50 + 100) * TOKEN_S)
    assert (found.use.calls, found.use.completion_tokens) == (2, 202)


def test_a_full_server_makes_the_second_request_wait() -> None:
    one = CallGraph("one", (call(Waits(), answer((1, 101))),), Waits((Trigger(0),)))
    alone = PREFILL_S + 100 * TOKEN_S
    assert run([one], [0.0, 0.0], slots=1).latencies_s == pytest.approx((alone, 2 * alone))
    assert run([one], [0.0, 0.0], slots=1, replicas=2).latencies_s == pytest.approx((alone, alone))


def test_the_first_of_several_triggers_begins_a_call_once() -> None:
    both = (call(Waits(), answer((1, 11))), call(Waits(), answer((1, 21))))
    third = call(Waits(first_of=(Trigger(0), Trigger(1))), answer((1, 6)))
    found = run([CallGraph("one", (*both, third), Waits((Trigger(2),)))], [0.0], replicas=3)
    assert found.latencies_s[0] == pytest.approx(2 * PREFILL_S + (10 + 5) * TOKEN_S)
    assert found.use.calls == 3


def test_the_end_of_several_answers_to_one_call_is_that_of_the_longest() -> None:
    asked = call(Waits(), answer((1, 11)), answer((1, 31)))
    found = run([CallGraph("one", (asked,), Waits((Trigger(0),)))], [0.0], slots=250)
    assert found.latencies_s[0] == pytest.approx(PREFILL_S + 30 * TOKEN_S, rel=0.02)
    assert (found.use.calls, found.use.streams, found.use.completion_tokens) == (1, 2, 42)


def test_prompts_that_come_again_are_found_where_they_went() -> None:
    graphs = [chain(str(at), blocks=range(8 * at, 8 * at + 8)) for at in range(3)]
    due_s = [float(10 * at) for at in range(12)]
    known = 7 / 8  # of 128 tokens the last is computed anew, so the last block is never found
    assert hit_rate(run(graphs, due_s, "all", replicas=4).use) == pytest.approx(known * 9 / 12)
    assert hit_rate(run(graphs, due_s, "round-robin", replicas=4).use) < known * 9 / 12


def test_what_is_fresh_shares_templates_only() -> None:
    template = tuple(range(4))
    graphs = [chain("one", blocks=(*template, 10, 11)), chain("two", blocks=(*template, 20, 21))]
    arrivals = Arrivals(tuple(10.0 * at for at in range(8)), (0, 1) * 4)
    again, fresh = (
        simulate(graphs, replace(arrivals, fresh=fresh), Fleet(1), RULES["all"], seed=0) for fresh in (False, True)
    )
    assert hit_rate(again.use) == pytest.approx((4 + 6 * 5) / (8 * 6))
    assert hit_rate(fresh.use) == pytest.approx(7 * 4 / (8 * 6))


def test_the_earliest_request_goes_first_where_ranks_count() -> None:
    """Two requests of two calls each on one slot: by rank the first ends before the second has its turn."""
    two_calls = (call(Waits(), answer((1, 101))), call(Waits((Trigger(0),)), answer((1, 101))))
    graph = CallGraph("one", two_calls, Waits((Trigger(1),)))
    one = PREFILL_S + 100 * TOKEN_S
    assert run([graph], [0.0, 0.001], "no-prefixes", slots=1).latencies_s[0] == pytest.approx(3 * one)
    later = run([graph], [0.0, 0.001, 0.002], "no-prefixes", slots=1).latencies_s
    fifo = run([graph], [0.0, 0.001, 0.002], "round-robin", slots=1).latencies_s
    assert later[0] < fifo[0]


def test_equal_runs_give_equal_figures_and_servers_are_busy_alike() -> None:
    side = Side("an arm", [chain("one", blocks=range(8))], RULES["all"])
    load = Load(fresh=True, least=200, seconds=1.0)
    first, again = (point(side, Fleet(8), 40.0, load) for _ in range(2))
    assert first == again
    assert 1 <= imbalance(first.use) < 1.2
    assert 1 <= slot_imbalance(first.use) < 1.5


def test_the_rate_at_a_target_is_where_latency_reaches_it() -> None:
    side = Side("an arm", [chain("one")], RULES["round-robin"])
    load, fleet = Load(fresh=True, least=200, seconds=1.0), Fleet(2, slots=2)
    alone = 2 * PREFILL_S + 150 * TOKEN_S
    found = rate_at_target(side, fleet, load, 2 * alone, 90.0, most=10.0)
    assert not found.at_least
    rate = found.rate
    assert point(side, fleet, rate, load).latencies_s[90.0] <= 2 * alone
    assert point(side, fleet, rate + 10.0 / 128, load).latencies_s[90.0] > 2 * alone
    assert rate_at_target(side, fleet, load, alone / 2, 90.0, most=10.0).rate == 0.0
    assert rate_at_target(side, fleet, load, 2 * alone, 90.0, most=0.1).at_least
