"""Faults, clients that leave, full queues, counters: as seen from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from alto_lg.comparisons.sim.faults import parse_plan

Connect = Callable[..., openai.OpenAI]
LONG = [{"role": "user", "content": "One two three four five six seven eight nine ten."}]
# Long enough that no test can see its end, at any time scale.
FOREVER = "stall-first=1e9"
LOOKS_MAX = 10_000


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "sim", "messages": LONG, **more})


def root_of(client: openai.OpenAI) -> str:
    return str(client.base_url).removesuffix("/v1/")


def stats_of(client: openai.OpenAI) -> dict[str, Any]:
    return dict(httpx.get(root_of(client) + "/sim/stats").json())


def wait_until(client: openai.OpenAI, name: str, value: int) -> dict[str, Any]:
    """Look until a counter has a value; each look is a round trip, so this is bounded without a clock."""
    for _ in range(LOOKS_MAX):
        if (stats := stats_of(client))[name] == value:
            return stats
    raise AssertionError(f"{name} did not become {value}: {stats}")


STATUS_FAULTS = [
    ("unavailable", openai.InternalServerError, 503),
    ("rate-limit", openai.RateLimitError, 429),
    ("error", openai.InternalServerError, 500),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fault", "kind", "status"), STATUS_FAULTS)
def test_a_status_fault_reaches_the_client_as_its_own_exception(
    connect: Connect, fault: str, kind: type[openai.APIStatusError], status: int, stream: bool
) -> None:
    with pytest.raises(kind) as raised:
        ask(connect(), stream=stream, extra_headers={"x-sim-fault": fault})
    assert raised.value.status_code == status
    assert raised.value.code


def test_a_rate_limit_says_when_to_come_back(connect: Connect) -> None:
    with pytest.raises(openai.RateLimitError) as raised:
        ask(connect(), extra_headers={"x-sim-fault": "rate-limit=2.5"})
    assert raised.value.response.headers["retry-after"] == "2.5"


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_connection_is_a_connection_error(connect: Connect, stream: bool) -> None:
    client = connect()
    with pytest.raises(openai.APIConnectionError):
        ask(client, stream=stream, extra_headers={"x-sim-fault": "refuse"})
    assert stats_of(client)["faults"] == {"refuse": 1}


def test_a_cut_stream_gives_its_first_tokens_and_then_breaks(connect: Connect) -> None:
    client = connect()
    received = []
    with pytest.raises(openai.APIConnectionError):
        for chunk in ask(client, stream=True, extra_headers={"x-sim-fault": "cut=3"}):
            received.append(chunk.choices[0].delta.content)
            assert chunk.choices[0].finish_reason is None
    assert received == ["", "One", " two", " three"]
    assert wait_until(client, "running", 0)["answered"] == 0


def test_a_cut_before_an_answer_in_one_piece_leaves_nothing(connect: Connect) -> None:
    with pytest.raises(openai.APIConnectionError):
        ask(connect(), extra_headers={"x-sim-fault": "cut"})


@pytest.mark.parametrize("field", [{"sim_fault": "error"}, {"metadata": {"sim_fault": "error"}}])
def test_a_fault_can_be_asked_for_in_the_body(connect: Connect, field: dict[str, Any]) -> None:
    with pytest.raises(openai.InternalServerError):
        ask(connect(), extra_body=field)


def test_a_retry_gets_past_a_fault_that_hits_once(connect: Connect) -> None:
    client = connect(max_retries=2)
    answer = ask(client, extra_headers={"x-sim-fault": "rate-limit=0;times=1"})
    assert answer.choices[0].finish_reason == "stop"
    assert stats_of(client)["requests"] == 2


@pytest.mark.parametrize("name", ["stall-first", "stall-middle"])
def test_a_stalled_stream_goes_on_after_its_stall(connect: Connect, name: str) -> None:
    chunks = list(ask(connect(), stream=True, extra_headers={"x-sim-fault": f"{name}=20"}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == LONG[0]["content"]


def test_a_stall_in_the_middle_gives_half_of_the_tokens_first(connect: Connect) -> None:
    client = connect()
    stream = ask(client, stream=True, extra_headers={"x-sim-fault": "stall-middle=1e9"})
    assert [next(stream).choices[0].delta.content for _ in range(6)] == ["", "One", " two", " three", " four", " five"]
    stats = wait_until(client, "running", 1)
    assert stats["completion_tokens"] == 5
    stream.close()
    wait_until(client, "running", 0)


def test_a_client_that_leaves_a_stream_frees_its_slot_at_once(connect: Connect) -> None:
    client = connect(slots=1)
    ask(client, stream=True, extra_headers={"x-sim-fault": FOREVER}).close()
    stats = wait_until(client, "cancelled", 1)
    assert stats["running"] == stats["waiting"] == 0
    assert ask(client).choices[0].finish_reason == "stop"


def test_a_client_that_gives_up_on_a_whole_answer_frees_its_slot_at_once(connect: Connect) -> None:
    client = connect(slots=1)

    async def give_up_once_it_runs() -> None:
        async with openai.AsyncOpenAI(base_url=str(client.base_url), api_key="any", max_retries=0) as other:
            asking = asyncio.create_task(ask(other, extra_headers={"x-sim-fault": FOREVER}))
            await asyncio.to_thread(wait_until, client, "running", 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(give_up_once_it_runs())
    stats = wait_until(client, "cancelled", 1)
    assert stats["running"] == stats["waiting"] == 0
    assert ask(client).choices[0].finish_reason == "stop"


def test_a_request_beyond_the_queue_is_refused(connect: Connect) -> None:
    client = connect(slots=1, waiting_limit=0)
    held = ask(client, stream=True, extra_headers={"x-sim-fault": FOREVER})
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client)
    assert (raised.value.status_code, raised.value.code) == (503, "queue_full")
    held.close()
    wait_until(client, "running", 0)
    assert ask(client).choices[0].finish_reason == "stop"


def test_a_request_that_waits_starts_when_the_slot_is_free(connect: Connect) -> None:
    client = connect(slots=1)
    held = ask(client, stream=True, extra_headers={"x-sim-fault": FOREVER})
    waiting = ask(client, stream=True)
    assert stats_of(client)["waiting"] == 1
    held.close()
    assert "".join(chunk.choices[0].delta.content or "" for chunk in waiting) == LONG[0]["content"]


def test_a_server_with_a_fault_plan_fails_that_share_of_requests(connect: Connect) -> None:
    client = connect(faults=(parse_plan("error:0.5"),))
    failed = 0
    for number in range(40):
        try:
            ask(client, messages=[{"role": "user", "content": f"Number {number}."}])
        except openai.InternalServerError:
            failed += 1
    assert 8 <= failed <= 32
    assert stats_of(client)["faults"] == {"error": failed}


def test_statistics_count_what_was_served_and_reset_forgets_it(connect: Connect) -> None:
    client = connect(seed=4)
    usages = [ask(client, messages=LONG * 2).usage for _ in range(2)]
    stats = stats_of(client)
    assert (stats["requests"], stats["answered"], stats["finished"]) == (2, 2, 2)
    assert stats["prompt_tokens"] == sum(usage.prompt_tokens for usage in usages)
    assert stats["completion_tokens"] == sum(usage.completion_tokens for usage in usages)
    assert stats["cached_tokens"] == 16
    assert stats["busy_s"] > 0
    after = httpx.post(root_of(client) + "/sim/reset", json={"seed": 9}).json()
    assert (after["requests"], after["completion_tokens"], after["seed"]) == (0, 0, 9)
    assert ask(client, messages=LONG * 2).usage.prompt_tokens_details.cached_tokens == 0
    assert httpx.post(root_of(client) + "/sim/reset").json()["seed"] == 4


def test_reset_is_refused_while_a_stream_runs_and_for_a_bad_seed(connect: Connect) -> None:
    client = connect()
    assert httpx.post(root_of(client) + "/sim/reset", json={"seed": "x"}).status_code == 400
    held = ask(client, stream=True, extra_headers={"x-sim-fault": FOREVER})
    assert httpx.post(root_of(client) + "/sim/reset").status_code == 409
    held.close()
    wait_until(client, "running", 0)


def test_priorities_are_taken_where_the_queue_is_ordered_by_them(connect: Connect) -> None:
    assert ask(connect(order="priority"), extra_body={"priority": 3}).choices[0].finish_reason == "stop"
