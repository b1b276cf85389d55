"""The scheduler: what must hold after any history, and each decision by itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alto_lg.routing import Call, Decision, Failure, GiveUp, HealthRules, Rules, Scheduler, Start, Status
from alto_lg.routing.policies import BLOCK_TOKENS, POLICIES, PolicyName
from alto_lg.routing.prefixes import chain

REFUSED = Failure("connection refused")
LIMITED = Failure("429", retry_after_s=3.0, rate_limited=True)
BAD_REQUEST = Failure("400", retry=False, counts=False)


def _started(decisions: list[Decision]) -> list[tuple[Call, str]]:
    return [(one.call, one.endpoint) for one in decisions if isinstance(one, Start)]


def _given_up(decisions: list[Decision]) -> list[Call]:
    return [one.call for one in decisions if isinstance(one, GiveUp)]


class History(RuleBasedStateMachine):
    """Calls come, run, end, fail and are cancelled; endpoints come and go; time passes."""

    @initialize(
        policy=st.sampled_from(POLICIES),
        count=st.integers(1, 6),
        capacity=st.none() | st.integers(1, 3),
        attempts=st.none() | st.integers(1, 3),
        seed=st.integers(0, 9),
    )
    def begin(self, policy: PolicyName, count: int, capacity: int | None, attempts: int | None, seed: int) -> None:
        self.capacity = capacity
        self.rules = Rules(policy=policy, attempts=attempts, patience_s=20.0, health=HealthRules(failures_max=2))
        self.names = [f"e{number}" for number in range(count)]
        self.scheduler = Scheduler(self.names, self.rules, capacity=capacity, random=Random(seed))
        self.now = 0.0
        self.all: list[Call] = []
        self.running: dict[Call, str] = {}
        self.ended: set[Call] = set()
        self.made = count

    def _heed(self, decisions: list[Decision]) -> None:
        ranks = [call.rank for call, _ in _started(decisions)]
        assert ranks == sorted(ranks), "earlier ones start first"
        for call, endpoint in _started(decisions):
            assert call not in self.running
            assert call not in self.ended
            assert endpoint in self.names, "one that was removed gets nothing"
            self.running[call] = endpoint
        for call in _given_up(decisions):
            assert call not in self.running
            assert call not in self.ended
            self.ended.add(call)

    @rule(rank=st.integers(0, 5), text=st.text("ab", max_size=6))
    def submit(self, rank: int, text: str) -> None:
        call = Call(rank=rank, blocks=chain([text], block_characters=1), templates=(text[:1],), prompt_tokens=400)
        self.all.append(call)
        self._heed(self.scheduler.submit(call, self.now))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), tokens=st.none() | st.integers(0, 500))
    def end(self, data: st.DataObject, tokens: int | None) -> None:
        call = self._one(data)
        self.scheduler.first_token(call, self.now)
        self.ended.add(call)
        self._heed(self.scheduler.ended(call, self.now, tokens))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), failure=st.sampled_from([REFUSED, LIMITED, BAD_REQUEST]), late=st.booleans())
    def fail(self, data: st.DataObject, failure: Failure, late: bool) -> None:
        call = self._one(data)
        if late:
            self.scheduler.first_token(call, self.now)
        decisions = self.scheduler.failed(call, self.now, failure)
        if late or not failure.retry:
            assert call in _given_up(decisions)
        self._heed(decisions)

    @precondition(lambda self: self.all)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.all))
        self.running.pop(call, None)
        self.ended.add(call)
        self._heed(self.scheduler.cancelled(call, self.now))

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self._heed(self.scheduler.tick(self.now))

    @rule()
    def add(self) -> None:
        self.made += 1
        self.names.append(f"e{self.made}")
        self._heed(self.scheduler.add(self.names[-1], self.now, capacity=self.capacity))

    @precondition(lambda self: len(self.names) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.names.remove(gone := data.draw(st.sampled_from(self.names)))
        self.scheduler.remove(gone, self.now)

    def _one(self, data: st.DataObject) -> Call:
        call = data.draw(st.sampled_from(list(self.running)))
        del self.running[call]
        return call

    @invariant()
    def every_call_waits_runs_or_has_ended(self) -> None:
        for call in getattr(self, "all", ()):
            status = (call in self.running, call in self.ended)
            expected = {(False, False): Status.WAITING, (True, False): Status.RUNNING, (False, True): Status.ENDED}
            assert call.status is expected[status]
        if hasattr(self, "all"):
            assert self.scheduler.waiting == len(self.all) - len(self.running) - len(self.ended)

    @invariant()
    def the_counts_are_those_of_the_calls_that_run(self) -> None:
        if not hasattr(self, "scheduler"):
            return
        for endpoint in self.scheduler.fleet.endpoints:
            mine = [call for call, name in self.running.items() if call.endpoint == endpoint.index]
            assert endpoint.running == len(mine) <= (self.capacity or len(mine))
            assert endpoint.work == sum(call.work for call in mine)
        assert self.scheduler.fleet.work == sum(call.work for call in self.running)

    @invariant()
    def nobody_waits_while_an_endpoint_has_room_unless_for_another_try(self) -> None:
        if hasattr(self, "scheduler") and self.scheduler.fleet.available:
            waiting = [call for call in self.all if call.status is Status.WAITING]
            assert all(call.failures for call in waiting)
            assert not waiting or self.scheduler.due() is not None

    def teardown(self) -> None:
        """Nobody starves: with healthy endpoints and time, every call ends."""
        if not hasattr(self, "scheduler"):
            return
        for _ in range(10 * len(self.all) + 10):
            if not (self.running or self.scheduler.waiting):
                break
            for call in list(self.running):
                del self.running[call]
                self.ended.add(call)
                self._heed(self.scheduler.ended(call, self.now))
            due = self.scheduler.due()
            self.now = max(self.now, due) if due is not None else self.now
            self._heed(self.scheduler.tick(self.now))
        assert self.ended == set(self.all)
        assert self.scheduler.fleet.work == self.scheduler.fleet.running == 0


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def _scheduler(*names: str, capacity: int | None = 1, **rules: Any) -> Scheduler:
    return Scheduler(names or ("a",), Rules(**{"policy": "least-outstanding", **rules}), capacity=capacity)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=20))
def test_when_slots_are_short_the_earliest_goes_first_and_of_equals_the_one_that_came_first(
    ranks: list[tuple[int, int]],
) -> None:
    scheduler = _scheduler()
    running = Call(rank=(-1,))
    scheduler.submit(running, 0.0)
    calls = [Call(rank=rank) for rank in ranks]
    for call in calls:
        assert scheduler.submit(call, 0.0) == []
    served = []
    for _ in calls:
        ((running, _),) = _started(scheduler.ended(running, 1.0))
        served.append(running)
    assert served == sorted(calls, key=lambda call: call.rank)


def test_without_ranks_whoever_came_first_goes_first() -> None:
    scheduler = _scheduler(by_rank=False)
    first = Call()
    scheduler.submit(first, 0.0)
    calls = [Call(rank=rank) for rank in (3, 1, 2)]
    for call in calls:
        scheduler.submit(call, 0.0)
    running = first
    for call in calls:
        ((running, _),) = _started(scheduler.ended(running, 0.0))
        assert running is call


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_spreads_calls_that_have_nothing_in_common(policy: PolicyName) -> None:
    scheduler = _scheduler("a", "b", "c", "d", capacity=None, policy=policy)
    for _ in range(400):
        scheduler.submit(Call(prompt_tokens=100), 0.0)
    assert all(80 <= endpoint.running <= 120 for endpoint in scheduler.fleet.endpoints)


def test_calls_with_one_prefix_go_to_one_endpoint_and_others_elsewhere() -> None:
    scheduler = _scheduler(*"abcdefgh", capacity=None, policy="prefix")
    homes: dict[int, set[int | None]] = {}
    for number in range(64):
        blocks = [hash((number % 8, place)) for place in range(50)]
        call = Call(blocks=blocks, prompt_tokens=50 * BLOCK_TOKENS)
        scheduler.submit(call, number)
        homes.setdefault(number % 8, set()).add(call.endpoint)
        scheduler.ended(call, number + 0.5, 100)
    assert all(len(home) == 1 for home in homes.values())
    assert sum(one.hit_tokens for one in scheduler.fleet.endpoints) == 56 * 50 * BLOCK_TOKENS


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30), st.booleans()), max_size=60), st.integers(1, 4))
def test_a_cached_prefix_is_never_worth_more_load_than_it_saves(
    history: list[tuple[int, int, bool]], count: int
) -> None:
    """Of up to four endpoints all are looked at, and one of them has no more than the mean."""
    scheduler = _scheduler(*(f"e{number}" for number in range(count)), capacity=None, policy="prefix")
    rules, fleet = scheduler.rules.prefix, scheduler.fleet
    running: list[Call] = []
    for prefix, length, ends in history:
        call = Call(blocks=[hash((prefix, place)) for place in range(length)], prompt_tokens=length * BLOCK_TOKENS)
        even = fleet.mean_work() * (1 + rules.slack) + rules.slack_calls * fleet.work / max(1, fleet.running)
        before = [endpoint.work for endpoint in fleet.endpoints]
        scheduler.submit(call, 0.0)
        assert call.endpoint is not None
        assert before[call.endpoint] <= even + rules.prompt_weight * BLOCK_TOKENS * length + 1e-6
        running.append(call)
        if ends:
            scheduler.ended(running.pop(0), 0.0, 100)


def test_learned_lengths_balance_what_is_to_be_written_and_not_the_number_of_calls() -> None:
    scheduler = _scheduler("a", "b", capacity=None)
    for _ in range(4):
        for template, tokens in (("long", 900), ("short", 100)):
            call = Call(templates=(template,))
            scheduler.submit(call, 0.0)
            scheduler.ended(call, 0.0, tokens)
    scheduler.submit(Call(templates=("long",)), 0.0)
    for _ in range(9):
        scheduler.submit(Call(templates=("short",)), 0.0)
    assert sorted(endpoint.running for endpoint in scheduler.fleet.endpoints) == [1, 9]
    assert [endpoint.work for endpoint in scheduler.fleet.endpoints] == [900, 900]


def test_an_answer_is_expected_to_be_no_longer_than_it_may() -> None:
    scheduler = _scheduler()
    call = Call(output_tokens_max=5)
    scheduler.submit(call, 0.0)
    assert call.expected_tokens == 5


def test_a_failed_attempt_is_made_again_elsewhere_at_once() -> None:
    scheduler = _scheduler("a", "b", "c")
    call = Call()
    tried = [endpoint for _, endpoint in _started(scheduler.submit(call, 0.0))]
    for _ in range(2):
        tried += [endpoint for _, endpoint in _started(scheduler.failed(call, 0.0, REFUSED))]
    assert sorted(tried) == ["a", "b", "c"]
    assert _given_up(scheduler.failed(call, 0.0, REFUSED)) == [call]
    assert [name for name, _ in call.failures] == tried


def test_the_same_endpoint_is_tried_again_only_after_a_while_that_grows() -> None:
    scheduler = _scheduler("a", attempts=4, backoff_s=1.0, health=HealthRules(failures_max=99))
    call = Call()
    scheduler.submit(call, 0.0)
    now = 0.0
    for shortest in (0.5, 1.0, 2.0):
        assert scheduler.failed(call, now, REFUSED) == []
        due = scheduler.due()
        assert due is not None
        assert shortest <= due - now <= 2 * shortest
        assert scheduler.tick(due - 1e-6) == []
        assert _started(scheduler.tick(due)) == [(call, "a")]
        now = due


def test_an_endpoint_that_asked_for_time_gets_nothing_until_then() -> None:
    scheduler = _scheduler("a", "b", capacity=None)
    call = Call()
    ((_, limited),) = _started(scheduler.submit(call, 0.0))
    ((_, other),) = _started(scheduler.failed(call, 0.0, LIMITED))
    assert other != limited
    assert {_started(scheduler.submit(Call(), 2.9))[0][1] for _ in range(5)} == {other}
    assert _started(scheduler.submit(Call(), 3.0))[0][1] == limited


def test_calls_wait_for_a_rate_limit_that_all_share_and_then_go_in_order() -> None:
    scheduler = _scheduler("a", capacity=None)
    first, second = Call(rank=1), Call(rank=0)
    scheduler.submit(first, 0.0)
    assert scheduler.failed(first, 0.0, LIMITED) == []
    assert scheduler.submit(second, 1.0) == []
    assert scheduler.due() == 3.0
    assert [call for call, _ in _started(scheduler.tick(3.0))] == [second, first]


def test_one_call_probes_an_endpoint_that_was_taken_out_and_its_first_token_lets_the_others_in() -> None:
    scheduler = _scheduler("a", capacity=None, health=HealthRules(failures_max=1, base_s=5.0))
    broken = Call()
    scheduler.submit(broken, 0.0)
    scheduler.first_token(broken, 0.0)
    assert _given_up(scheduler.failed(broken, 0.0, REFUSED)) == [broken]
    waiting = [Call(), Call(), Call()]
    for call in waiting:
        assert scheduler.submit(call, 1.0) == []
    assert [call for call, _ in _started(scheduler.tick(5.0))] == waiting[:1]
    scheduler.first_token(waiting[0], 6.0)
    assert [call for call, _ in _started(scheduler.tick(6.0))] == waiting[1:]


def test_a_probe_that_is_cancelled_makes_room_for_the_next() -> None:
    scheduler = _scheduler("a", capacity=None, attempts=1, health=HealthRules(failures_max=1, base_s=5.0))
    broken, probe, other = Call(), Call(), Call()
    scheduler.submit(broken, 0.0)
    scheduler.failed(broken, 0.0, REFUSED)
    scheduler.submit(probe, 5.0)
    assert scheduler.submit(other, 5.0) == []
    assert [call for call, _ in _started(scheduler.cancelled(probe, 6.0))] == [other]


def test_patience_ends_when_nobody_is_in_service_for_too_long_and_new_calls_do_not_wait_then() -> None:
    scheduler = _scheduler("a", attempts=1, patience_s=30.0, health=HealthRules(failures_max=1, base_s=60.0))
    broken = Call()
    scheduler.submit(broken, 0.0)
    scheduler.failed(broken, 0.0, REFUSED)
    waiting, late = Call(), Call()
    assert scheduler.submit(waiting, 10.0) == []
    assert scheduler.due() == 30.0
    assert _given_up(scheduler.tick(30.0)) == [waiting]
    assert _given_up(scheduler.submit(late, 31.0)) == [late]
    assert _started(scheduler.submit(Call(), 60.0)), "whoever comes when it may be probed is the probe"


def test_a_server_that_was_taken_out_is_taken_to_have_lost_its_cache() -> None:
    scheduler = _scheduler("a", policy="prefix", attempts=1, health=HealthRules(failures_max=1))
    scheduler.submit(call := Call(blocks=[1, 2, 3], prompt_tokens=300), 0.0)
    scheduler.failed(call, 0.0, REFUSED)
    scheduler.submit(call := Call(blocks=[1, 2, 3], prompt_tokens=300), 5.0)
    assert (call.endpoint, call.hit_tokens) == (0, 0)


def test_a_probe_that_is_refused_has_found_somebody() -> None:
    scheduler = _scheduler("a", capacity=None, attempts=1, health=HealthRules(failures_max=1, base_s=5.0))
    broken, probe = Call(), Call()
    scheduler.submit(broken, 0.0)
    scheduler.failed(broken, 0.0, REFUSED)
    waiting = Call()
    scheduler.submit(probe, 5.0)
    assert scheduler.submit(waiting, 5.0) == []
    assert [call for call, _ in _started(scheduler.failed(probe, 6.0, BAD_REQUEST))] == [waiting]


def test_a_refused_request_says_nothing_against_its_endpoint() -> None:
    scheduler = _scheduler("a", health=HealthRules(failures_max=1))
    scheduler.submit(call := Call(), 0.0)
    assert _given_up(scheduler.failed(call, 0.0, BAD_REQUEST)) == [call]
    assert _started(scheduler.submit(Call(), 0.0))


def test_the_same_seed_gives_the_same_decisions() -> None:
    def run(seed: int) -> list[int | None]:
        scheduler = Scheduler([str(number) for number in range(50)], Rules(policy="two-choices"), random=Random(seed))
        calls = [Call() for _ in range(40)]
        for call in calls:
            scheduler.submit(call, 0.0)
        return [call.endpoint for call in calls]

    assert run(1) == run(1) != run(2)


@pytest.mark.parametrize("settings", [{"policy": "best"}, {"attempts": 0}, {"patience_s": -1.0}])
def test_rules_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"policy|must be"):
        Scheduler(["a"], Rules(**settings))


def test_an_endpoint_is_given_once() -> None:
    with pytest.raises(ValueError, match="there already"):
        Scheduler(["a", "a"])
