import pytest

from alto_lg.comparisons.sim.faults import (
    FAULTS,
    Fault,
    FaultChooser,
    FaultError,
    FaultPlan,
    parse_fault,
    parse_plan,
    plan_text,
)


def test_a_fault_is_read_with_its_value_and_its_times() -> None:
    assert parse_fault("cut") == Fault("cut")
    assert parse_fault("rate-limit=0.5") == Fault("rate-limit", 0.5)
    assert parse_fault(" stall-first=2 ; times=1") == Fault("stall-first", 2.0, 1)


@pytest.mark.parametrize("text", ["", "boom", "cut=", "cut=x", "cut=-1", "cut=inf", "cut;twice", "cut;times=x"])
def test_a_fault_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(FaultError):
        parse_fault(text)


@pytest.mark.parametrize("text", ["cut", "cut:2", "cut:x", "boom:0.1"])
def test_a_plan_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(FaultError):
        parse_plan(text)


@pytest.mark.parametrize("name", FAULTS)
def test_a_plan_survives_the_command_line(name: str) -> None:
    for plan in (FaultPlan(Fault(name), 0.25), FaultPlan(Fault(name, 3.0, 2), 1.0)):
        assert parse_plan(plan_text(plan)) == plan


def test_a_plan_hits_about_its_share_of_prompts_and_the_same_ones_each_time() -> None:
    plans = [parse_plan("error:0.2")]
    once, again = FaultChooser(plans, seed=3), FaultChooser(plans, seed=3)
    hits = [once.choose(str(number), None) is not None for number in range(2_000)]
    assert 300 < sum(hits) < 500
    assert hits == [again.choose(str(number), None) is not None for number in reversed(range(2_000))][::-1]
    assert once.chosen == {"error": sum(hits)}


def test_a_retry_is_drawn_anew() -> None:
    chooser = FaultChooser([parse_plan("error:0.5")], seed=0)
    assert {chooser.choose("prompt", None) for _ in range(50)} == {None, Fault("error")}


def test_a_fault_with_times_hits_only_the_first_arrivals() -> None:
    chooser = FaultChooser([], seed=0)
    wanted = Fault("cut", times=2)
    assert [chooser.choose("prompt", wanted) for _ in range(3)] == [wanted, wanted, None]
    assert chooser.choose("another", wanted) == wanted
