"""The time model in virtual time: no clock and no event loop."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alto_lg.comparisons.sim.batching import BatchModel, Job, Progress, Stall
from alto_lg.comparisons.sim.profiles import PROFILES, Profile

PLAIN = Profile(name="plain", summary="", inter_token_s=1.0, slots=2, prefill_base_s=10.0, prefill_s_per_token=0.5)
SLOWED = dataclasses.replace(PLAIN, slots=4, load=((1, 1.0), (2, 2.0)))


def job(output: int, *, prompt: int = 4, priority: int = 0, stall: Stall | None = None, name: str = "") -> Job:
    words = tuple(f"{name}{index}" for index in range(prompt))
    return Job(words, ("x",) * output, (1.0,) * max(output - 1, 0), priority=priority, stall=stall)


def timeline(model: BatchModel) -> list[tuple[float, int, int, bool]]:
    """(time, stream, tokens, ended) of everything that is still to come."""
    events = []
    while (due := model.due()) is not None:
        events += [(due, gain.stream, gain.tokens, gain.ended) for gain in model.advance(due)]
    return events


def ends(model: BatchModel) -> dict[int, float]:
    return {stream: time for time, stream, _, ended in timeline(model) if ended}


def test_the_first_token_comes_with_the_end_of_prefill_and_each_later_one_an_inter_token_time_after() -> None:
    model = BatchModel(PLAIN)
    model.submit(job(3), 100.0)
    assert timeline(model) == [(112.0, 1, 1, False), (113.0, 1, 1, False), (114.0, 1, 1, True)]


@pytest.mark.parametrize(
    ("name", "prompt", "output", "total_s"),
    [
        ("h100-8b", 1000, 101, 0.012 + 0.030 + 100 * 0.0075),
        ("a100-8b", 1000, 101, 0.020 + 0.060 + 100 * 0.0135),
        ("llm-d", 1000, 101, 0.100 + 0.250 + 100 * 0.012),
    ],
)
def test_a_stream_alone_takes_what_its_profile_says(name: str, prompt: int, output: int, total_s: float) -> None:
    model = BatchModel(PROFILES[name])
    model.submit(job(output, prompt=prompt), 0.0)
    assert ends(model)[1] == pytest.approx(total_s)


def test_an_empty_output_ends_with_its_prefill() -> None:
    model = BatchModel(PLAIN)
    model.submit(job(0), 0.0)
    assert timeline(model) == [(12.0, 1, 0, True)]


def test_a_second_stream_slows_the_first_only_while_both_run() -> None:
    model = BatchModel(SLOWED)
    model.submit(job(11), 0.0)
    model.submit(job(3), 14.5)
    # The first is alone from 12 to 14.5 and does 2.5 of its 10 units, the other 7.5 at half speed. The second's prefill
    # ends at 26.5; by 29.5 it has done 1.5 of its 2 units, and the rest at full speed.
    assert ends(model) == {1: pytest.approx(29.5), 2: pytest.approx(30.0)}


def test_a_stream_beyond_the_slots_starts_the_moment_that_one_is_free() -> None:
    model = BatchModel(PLAIN)
    for _ in range(3):
        model.submit(job(1), 0.0)
    assert model.statistics().waiting == 1
    assert ends(model) == {1: 12.0, 2: 12.0, 3: 24.0}
    assert model.statistics().waiting_stream_s == 12.0


def test_fifo_ignores_priorities_and_the_priority_order_obeys_them() -> None:
    for order, expected in (("fifo", [1, 2, 3, 4]), ("priority", [1, 3, 4, 2])):
        model = BatchModel(PLAIN, slots=1, order=order)
        for priority in (5, 9, 0, 1):
            model.submit(job(1, priority=priority), 0.0)
        assert list(ends(model)) == expected


def test_a_cancelled_stream_frees_its_slot_at_once_and_says_nothing_more() -> None:
    model = BatchModel(PLAIN, slots=1)
    model.submit(job(100), 0.0)
    model.submit(job(1), 0.0)
    model.cancel(1, 20.0)
    assert timeline(model) == [(32.0, 2, 1, True)]
    assert model.statistics().cancelled == 1


def test_a_cancelled_stream_that_waits_leaves_the_queue() -> None:
    model = BatchModel(PLAIN, slots=1)
    for _ in range(3):
        model.submit(job(1), 0.0)
    model.cancel(2, 1.0)
    assert ends(model) == {1: 12.0, 3: 24.0}
    model.cancel(1, 50.0)
    assert model.statistics().cancelled == 1


def test_what_fell_due_before_an_arrival_is_given_out_by_the_next_advance() -> None:
    model = BatchModel(PLAIN)
    model.submit(job(2), 0.0)
    model.submit(job(1), 50.0)
    assert model.has_undelivered
    assert model.advance(50.0) == [Progress(1, 2, True, 0)]


def test_a_prefix_that_was_seen_is_not_prefilled_again() -> None:
    profile = dataclasses.replace(PLAIN, cache_blocks=100)
    model = BatchModel(profile)
    model.submit(job(1, prompt=40), 0.0)
    assert ends(model) == {1: 30.0}
    model.submit(job(1, prompt=40), 100.0)
    [gain] = model.advance(1_000.0)
    assert gain.cached_tokens == 32
    assert model.statistics().cached_tokens == 32
    model.submit(job(1, prompt=40), 2_000.0)
    assert ends(model) == {3: 2_014.0}


def test_a_burst_with_one_prefix_pays_for_it_once() -> None:
    model = BatchModel(dataclasses.replace(PLAIN, cache_blocks=100))
    for _ in range(2):
        model.submit(job(1, prompt=40), 0.0)
    assert ends(model) == {1: 30.0, 2: 14.0}


def test_the_output_of_one_turn_is_cached_for_the_next() -> None:
    model = BatchModel(dataclasses.replace(PLAIN, cache_blocks=100))
    first = job(24, prompt=8)
    model.submit(first, 0.0)
    timeline(model)
    model.submit(Job((*first.prompt, *first.output, "next"), ("x",), ()), 1_000.0)
    assert model.advance(2_000.0)[0].cached_tokens == 32


@pytest.mark.parametrize(("after_tokens", "first_s"), [(0, 112.0), (1, 12.0)])
def test_a_stall_holds_the_slot_and_delays_the_end_by_its_length(after_tokens: int, first_s: float) -> None:
    model = BatchModel(PLAIN, slots=1)
    model.submit(job(3, stall=Stall(after_tokens, 100.0)), 0.0)
    model.submit(job(1), 0.0)
    events = timeline(model)
    assert events[0] == (first_s, 1, 1, False)
    assert {stream: time for time, stream, _, ended in events if ended} == {1: 114.0, 2: 126.0}


def test_load_slows_prefill_where_the_profile_says_so() -> None:
    model = BatchModel(dataclasses.replace(SLOWED, load_slows_prefill=True))
    for _ in range(2):
        model.submit(job(1), 0.0)
    assert ends(model) == {1: 24.0, 2: 24.0}


def test_two_hundred_thousand_tokens_do_not_drift() -> None:
    model = BatchModel(PROFILES["h100-8b"])
    model.submit(job(200_001), 0.0)
    assert ends(model)[1] == pytest.approx(0.012 + 4 * 0.00003 + 200_000 * 0.0075, rel=1e-9)


arrivals = st.lists(
    st.tuples(
        st.floats(0, 60, allow_nan=False),
        st.integers(0, 12),
        st.integers(0, 40),
        st.one_of(st.none(), st.floats(0, 60, allow_nan=False)),
    ),
    max_size=12,
)


def replay(given_arrivals: list[tuple[float, int, int, float | None]], extra: list[float]) -> tuple[object, object]:
    """Run arrivals and cancellations in order of time, with `advance` called at extra times as well."""
    model = BatchModel(dataclasses.replace(SLOWED, cache_blocks=3), slots=2)
    calls: list[tuple[float, int, str]] = [(at, -1, "advance") for at in extra]
    for index, (at, _, _, cancel_after) in enumerate(given_arrivals):
        calls.append((at, index, "arrive"))
        if cancel_after is not None:
            calls.append((at + cancel_after, index, "cancel"))
    ids: dict[int, int] = {}
    tokens: dict[int, int] = {}
    for at, index, kind in sorted(calls):
        if kind == "arrive":
            _, output, prompt, _ = given_arrivals[index]
            ids[index] = model.submit(job(output, prompt=prompt), at)
        elif kind == "cancel":
            model.cancel(ids[index], at)
        else:
            for gain in model.advance(at):
                tokens[gain.stream] = tokens.get(gain.stream, 0) + gain.tokens
    last = 1e6
    for gain in model.advance(last):
        tokens[gain.stream] = tokens.get(gain.stream, 0) + gain.tokens
    return tokens, model.statistics()


@settings(deadline=None)
@given(arrivals, st.lists(st.floats(0, 200, allow_nan=False), max_size=20))
def test_every_stream_ends_or_was_cancelled_and_no_token_is_lost(given_arrivals, extra) -> None:
    tokens, statistics = replay(given_arrivals, extra)
    assert statistics.running == statistics.waiting == 0
    assert statistics.finished + statistics.cancelled == len(given_arrivals)
    assert statistics.running_peak <= 2
    assert statistics.cache_blocks <= 3
    if not statistics.cancelled:
        assert sum(tokens.values()) == statistics.completion_tokens == sum(output for _, output, _, _ in given_arrivals)


@settings(deadline=None)
@given(arrivals, st.lists(st.floats(0, 200, allow_nan=False), max_size=20))
def test_the_outcome_does_not_depend_on_when_it_is_asked_for(given_arrivals, extra) -> None:
    _, often = replay(given_arrivals, extra)
    _, once = replay(given_arrivals, [])
    assert often.finished == once.finished
    assert often.completion_tokens == once.completion_tokens
    assert often.busy_s == pytest.approx(once.busy_s)
    assert often.waiting_stream_s == pytest.approx(once.waiting_stream_s)
