"""How requests arrive, what the server can bear, and what a target allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.loads import ALONE, Load, lists_shares, loads_of
from alto_lg.comparisons.saturation import Saturation, off_by, saturation_of, slot_s_at
from alto_lg.comparisons.sim.batching import BatchModel, Job
from alto_lg.comparisons.sim.profiles import PROFILES
from alto_lg.comparisons.target import target_figures, target_s, throughput

H100 = PROFILES["h100-8b"]


def test_loads_are_read_in_order_and_named_as_they_were_asked_for() -> None:
    loads = loads_of("70%, 0.4,alone,50%,0.2,0.4")
    assert loads == (ALONE, Load(rate=0.2), Load(rate=0.4), Load(share=50), Load(share=70))
    assert [str(load) for load in loads] == ["alone", "0.2", "0.4", "50%", "70%"]
    assert lists_shares(loads) and not lists_shares(loads[:3])


@pytest.mark.parametrize("text", ["", " , ", "fast", "-1", "0", "inf", "nan", "0%", "120%", "x%"])
def test_what_is_no_load_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--rates: "):
        loads_of(text)


def test_a_share_is_of_saturation_and_needs_it() -> None:
    assert Load(share=70).rate_at(2.0) == pytest.approx(1.4)
    assert Load(rate=0.3).rate_at(None) == 0.3
    assert ALONE.rate_at(None) == 0.0
    with pytest.raises(UsageError, match="cannot be known"):
        Load(share=70).rate_at(None)


def used_by_full_server(profile_name: str, slots: int, streams: int) -> tuple[ServerUse, float]:
    """What a server counts that is given so many equal streams at once, and the seconds until it is idle."""
    model = BatchModel(PROFILES[profile_name], slots=slots)
    job = Job(prompt=[f"p{place}" for place in range(100)], output=["w"] * 40, token_work=[1.0] * 39)
    for _ in range(streams):
        model.submit(job, 0.0)
    now = 0.0
    while (due := model.due()) is not None:
        now = due
        model.advance(now)
    told = model.statistics().as_json()
    counters = {**told, "accepted": streams, "now_s": now, "slots": slots}
    return ServerUse.between(dict.fromkeys(counters, 0), counters), now


@pytest.mark.parametrize("profile", ["h100-8b", "a100-8b", "llm-d"])
def test_a_full_server_serves_as_many_requests_a_second_as_saturation_says(profile: str) -> None:
    streams = 64
    use, took_s = used_by_full_server(profile, 8, streams)
    found = saturation_of(use.share(streams), 0.001, PROFILES[profile])
    assert found.rate == found.server_rate == pytest.approx(streams / took_s, rel=0.02)
    assert off_by(use, PROFILES[profile]) == pytest.approx(0.0, abs=0.02)


def test_slot_seconds_that_the_tokens_do_not_explain_are_seen() -> None:
    use, _ = used_by_full_server("h100-8b", 8, 16)
    assert off_by(replace(use, slot_s=1.3 * use.slot_s, busy_s=1.3 * use.busy_s), H100) == pytest.approx(0.3, abs=0.02)


def test_a_hosted_model_takes_the_mean_and_not_the_median_of_its_first_token() -> None:
    use, _ = used_by_full_server("h100-8b", 8, 8)
    profile = PROFILES["api-mini"]
    source = np.random.default_rng(3)
    assert profile.first_token is not None
    first_s = np.mean([profile.first_token.at(z) for z in source.normal(size=200_000)])
    assert slot_s_at(use.share(8), profile, 8) == pytest.approx(first_s + 39 * 0.010, rel=0.01)


def test_the_arms_process_may_be_the_bound() -> None:
    by_process = Saturation(slots=250, slot_s=5.0, cpu_s=0.1)
    assert by_process.rate == by_process.process_rate == 10.0
    assert "by the processor" in str(by_process)
    assert "by the server's slots" in str(Saturation(slots=8, slot_s=5.0, cpu_s=0.1))


def test_a_target_is_never_under_what_the_application_needs_by_itself() -> None:
    assert target_s(1.5, 4.0, 2.0) == 4.0
    assert target_s(3.0, 4.0, 2.0) == 6.0


@pytest.mark.parametrize(
    ("latencies_s", "rate", "at_least"),
    [
        ({0.0: 2.0, 0.5: 3.0, 1.0: 5.0}, 0.75, False),
        ({0.0: 2.0, 0.5: 6.0, 1.0: 3.0}, 0.25, False),
        ({0.0: 2.0, 0.5: 3.0}, 0.5, True),
        ({0.0: 4.5, 0.5: 9.0}, 0.0, False),
    ],
)
def test_throughput_is_where_latency_first_reaches_the_target(
    latencies_s: dict[float, float], rate: float, at_least: bool
) -> None:
    found = throughput(latencies_s, 4.0)
    assert (found.rate, found.at_least) == (pytest.approx(rate), at_least)


def test_an_arm_that_waits_half_as_long_bears_more_and_the_interval_says_how_surely() -> None:
    source = np.random.default_rng(4)
    slow = {rate: list(2.0 + 4 * rate + source.normal(0, 0.1, size=(8, 10))) for rate in (0.0, 0.5, 1.0)}
    quick = {rate: [2.0 + (block - 2.0) / 2 for block in blocks] for rate, blocks in slow.items()}
    found = target_figures(quick, slow, 3.5, 50, seed=0)
    assert found.ratio is not None
    assert found.throughput.rate == pytest.approx(0.75, abs=0.05)
    assert found.ratio.value == pytest.approx(2.0, abs=0.1)
    assert 1.8 < found.ratio.low <= found.ratio.value <= found.ratio.high < 2.2
    assert not found.ratio_is_cut_off
    assert target_figures(quick, slow, 4.5, 50, seed=0).ratio_is_cut_off


def test_there_is_no_ratio_to_an_arm_that_misses_the_target_by_itself() -> None:
    slow = {0.0: [np.array([5.0])], 0.5: [np.array([9.0])]}
    quick = {0.0: [np.array([1.0])], 0.5: [np.array([2.0])]}
    assert target_figures(quick, slow, 4.0, 90, seed=0).ratio is None
