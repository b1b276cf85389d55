"""What requests cost: the server's counters, and the memory of a process."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import openai
import pytest

from alto_lg.comparisons import memory
from alto_lg.comparisons.cost import (
    MemoryUse,
    ServerUse,
    hit_rate,
    imbalance,
    mean_use,
    slot_imbalance,
    slot_share,
)
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.meter import SimulatedMeter
from alto_lg.comparisons.results import measurement_fields, measurement_of
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer

USE = ServerUse(
    calls=4,
    streams=4,
    prompt_tokens=80,
    cached_tokens=16,
    completion_tokens=40,
    slot_s=6,
    waiting_s=2,
    busy_s=2,
    elapsed_s=3,
    slots=8,
)
MEASURED = Measurement(
    arm="alto-flat",
    position=3,
    request="q-3",
    latency_s=1.25,
    first_result_s=0.5,
    cpu_s=0.125,
    limit_s=1.0,
    first_limit_s=0.25,
    answer=[True],
    early=None,
    spans=(),
)
SAID = "One two three four five six seven eight nine ten eleven twelve."


@pytest.fixture
def server() -> SimulatedServer:
    return SimulatedServer(SimOptions(time_scale=0.01, jitter=0.0))


def ask(server: SimulatedServer, *, pieces_read: int | None = None) -> None:
    """One call; its stream is left after so many pieces."""
    with openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
        stream = client.chat.completions.create(
            model=server.model, messages=[{"role": "user", "content": SAID}], stream=True
        )
        with stream:
            for read, _ in enumerate(stream, start=1):
                if read == pieces_read:
                    break


def test_shares_of_a_block_add_up_to_the_block() -> None:
    share = USE.share(4)
    assert (share.calls, share.prompt_tokens, share.slot_s) == (1, 20, 1.5)
    assert share.slots == USE.slots
    assert slot_share(share) == slot_share(USE) == 0.25


def test_means_are_taken_of_each_figure_and_of_nothing_there_is_none() -> None:
    mean = mean_use([USE, replace(USE, calls=6, completion_tokens=50)])
    assert mean is not None and (mean.calls, mean.completion_tokens, mean.slots) == (5, 45, 8)
    assert mean_use([]) is None


def test_the_server_counts_calls_tokens_and_slot_seconds_of_a_turn(server: SimulatedServer) -> None:
    with server:
        meter = SimulatedMeter(server)
        meter.start()
        ask(server)
        first = meter.stop()
        meter.start()
        assert meter.stop().calls == 0

    assert first.calls == 1
    assert first.completion_tokens == 13 and first.prompt_tokens > 13
    # The first token after 12 ms and 0.03 ms a token of the prompt, then twelve more every 7.5 ms; a client that the
    # machine keeps waiting changes nothing of that.
    assert first.slot_s == pytest.approx(0.012 + 0.00003 * first.prompt_tokens + 12 * 0.0075)
    assert first.busy_s == pytest.approx(first.slot_s)
    assert first.elapsed_s >= first.busy_s


def test_a_stream_that_is_stopped_early_counts_what_was_produced() -> None:
    # Slow enough that the client has certainly left before the answer is whole.
    with SimulatedServer(SimOptions(time_scale=20, jitter=0.0)) as server:
        meter = SimulatedMeter(server)
        meter.start()
        ask(server, pieces_read=3)
        used = meter.stop()
    assert used.calls == 1
    assert 0 < used.completion_tokens < 13


def test_what_is_refused_is_no_call(server: SimulatedServer) -> None:
    with server:
        meter = SimulatedMeter(server)
        meter.start()
        with (
            openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client,
            pytest.raises(openai.NotFoundError),
        ):
            client.chat.completions.create(model="another", messages=[{"role": "user", "content": SAID}])
        assert meter.stop().calls == 0


def test_a_reading_waits_until_the_server_is_idle() -> None:
    with SimulatedServer(SimOptions(time_scale=1, jitter=0.0)) as server:
        meter = SimulatedMeter(server)
        meter.start()
        asking = threading.Thread(target=ask, args=(server,))
        asking.start()
        while not server.stats()["running"]:
            pass
        assert meter.stop().completion_tokens == 13
        asking.join()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_the_peak_of_a_turn_is_not_that_of_the_turn_before() -> None:
    assert memory.start_peak_afresh()
    before = memory.resident_bytes()
    block = bytearray(64 * 2**20)
    high = memory.peak_bytes()
    del block
    memory.start_peak_afresh()
    assert high - before > 60 * 2**20
    assert memory.peak_bytes() < high - 30 * 2**20


def test_memory_is_known_where_linux_tells_it_and_never_negative() -> None:
    assert MemoryUse(peak=90, built=60).above_built == 30
    assert MemoryUse(peak=50, built=60).above_built == 0


def test_costs_are_written_and_read_back_and_older_files_have_none() -> None:
    told = replace(MEASURED, server=USE, memory=MemoryUse(90, 60), block=2)
    fields = measurement_fields(told)
    assert measurement_of(fields) == told
    for name in ("server", "memory", "block"):
        del fields[name]
    assert measurement_of(fields) == replace(told, server=None, memory=None, block=None)


def test_several_servers_are_one_account_that_says_who_had_most() -> None:
    idle = replace(USE, busy_s=1, slot_s=2, busiest_s=1, busiest_slot_s=2, elapsed_s=3)
    busy = replace(USE, busy_s=3, slot_s=6, busiest_s=3, busiest_slot_s=6, elapsed_s=4)
    both = ServerUse.together([idle, busy])
    assert (both.calls, both.prompt_tokens, both.cached_tokens, both.busy_s) == (8, 160, 32, 4)
    assert (both.elapsed_s, both.slots, both.replicas) == (4, 8, 2)
    assert slot_share(both) == 8 / (2 * 8 * 4)
    assert hit_rate(both) == 0.2
    assert (imbalance(both), slot_imbalance(both)) == (3 / 2, 6 / 4)
    assert imbalance(both.share(5)) == pytest.approx(3 / 2)
    shared = mean_use([both.share(5)] * 5)
    assert shared is not None and shared.replicas == 2 and slot_imbalance(shared) == pytest.approx(6 / 4)


def test_one_server_is_balanced() -> None:
    before = dict.fromkeys(("accepted", "submitted", "prompt_tokens", "cached_tokens", "completion_tokens"), 0)
    before |= dict.fromkeys(("running_stream_s", "waiting_stream_s", "busy_s", "now_s"), 0.0) | {"slots": 8}
    used = ServerUse.between(before, {**{name: value + 2 for name, value in before.items()}, "slots": 8})
    assert (imbalance(used), slot_imbalance(used), used.replicas) == (1, 1, 1)
