"""Health: the circuit of one endpoint, along the edges of its diagram."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg.routing.health import Circuit, HealthRules, State

RULES = HealthRules(failures_max=3, base_s=1.0, longest_s=10.0, rate_limited_s=0.5)


def _opened(now: float = 0.0) -> Circuit:
    circuit = Circuit(RULES)
    for _ in range(3):
        circuit.failed(now, "refused", None)
    return circuit


def test_failures_below_the_limit_change_nothing() -> None:
    circuit = Circuit(RULES)
    circuit.failed(0, "refused", None)
    circuit.failed(0, "refused", None)
    assert circuit.admits(0)
    circuit.succeeded()
    circuit.failed(0, "refused", None)
    circuit.failed(0, "refused", None)
    assert circuit.state is State.CLOSED


def test_consecutive_failures_take_it_out_and_time_lets_one_probe_in() -> None:
    circuit = _opened()
    assert not circuit.admits(0.99)
    assert circuit.admits(1.0)
    assert circuit.state is State.PROBING
    circuit.has_probe = True
    assert not circuit.admits(1.0)


def test_each_failed_probe_doubles_the_wait_up_to_the_longest() -> None:
    circuit = _opened()
    waits = []
    for _ in range(6):
        now = circuit.out_until
        assert circuit.admits(now)
        circuit.failed(now, "refused", None)
        waits.append(circuit.out_until - now)
    assert waits == [2, 4, 8, 10, 10, 10]


def test_a_probe_that_succeeds_forgets_everything() -> None:
    circuit = _opened()
    assert circuit.admits(1.0)
    circuit.succeeded()
    assert circuit.state is State.CLOSED
    for _ in range(3):
        circuit.failed(5.0, "refused", None)
    assert circuit.out_until == 6.0


def test_many_calls_that_fail_at_once_take_it_out_once() -> None:
    circuit = _opened()
    for _ in range(50):
        circuit.failed(0.5, "broken", None)
    assert circuit.out_until == 1.0


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_rate_limit_leaves_it_alone_for_as_long_as_asked_and_is_no_failure(now: float, seconds: float) -> None:
    circuit = Circuit(RULES)
    for _ in range(5):
        circuit.limited(now, "429", seconds)
    assert circuit.state is State.CLOSED
    assert circuit.out_until == now + seconds
    assert circuit.admits(now + seconds)


def test_a_rate_limit_without_a_time_has_the_usual_one() -> None:
    circuit = Circuit(RULES)
    circuit.limited(3.0, "429", None)
    assert circuit.out_until == 3.5


def test_a_failure_may_ask_for_a_longer_time_than_the_back_off() -> None:
    circuit = Circuit(RULES)
    circuit.failed(0.0, "503", 20.0)
    assert circuit.out_until == 20.0


@pytest.mark.parametrize("settings", [{"failures_max": 0}, {"base_s": 0.0}, {"base_s": 9.0, "longest_s": 1.0}])
def test_rules_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        HealthRules(**settings)  # type: ignore[arg-type]
