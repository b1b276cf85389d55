"""The pool over real sockets and simulated servers, sync and async: answers, faults, retries, and slots released."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest

import alto_lg
from alto_lg.comparisons.sim.faults import parse_plan
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.routing import HealthRules, Rules
from pool.pools import (
    FOREVER,
    LONG,
    LOOKS_MAX,
    Colour,
    Serve,
    running_in,
    server_stats,
    wait_until_server,
)

TEXT = LONG[0]["content"]
EAGER = Rules(backoff_s=0.0, health=HealthRules(failures_max=1, base_s=60.0))


@contextmanager
def _nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}/v1"


def _prompt(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_answers_are_those_of_the_servers(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()])
    assert colour.ask(pool).choices[0].message.content == TEXT
    assert "".join(colour.stream(pool)) == TEXT
    stats = pool.stats()
    assert sum(one.ended for one in stats.endpoints) == 2
    assert sum(one.output_tokens for one in stats.endpoints) == 2 * 11
    assert running_in(pool) == stats.waiting == stats.retries == 0


def test_usage_of_a_stream_is_the_servers_own_count(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([server := serve()])
    colour.stream(pool, stream_options={"include_usage": True})
    (endpoint,) = pool.stats().endpoints
    told = server_stats(server)
    assert endpoint.output_tokens == told["completion_tokens"]
    assert endpoint.reported_prompt_tokens == told["prompt_tokens"]


def test_calls_that_begin_alike_go_to_one_server_and_find_its_cache(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve(), serve(), serve()])
    for number in range(12):
        kind = number % 4
        colour.ask(pool, messages=_prompt(f"Kind {kind}. " + f"word{kind} " * 300 + f"Item {number}."))
    stats = pool.stats()
    assert [one.ended for one in stats.endpoints] == [3, 3, 3, 3]
    assert all(one.cached_tokens > 0.6 * one.reported_prompt_tokens for one in stats.endpoints)
    assert all(one.expected_hit_tokens > 0.5 * one.prompt_tokens for one in stats.endpoints)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["refuse", "error", "unavailable", "rate-limit=60"])
def test_a_call_that_one_server_fails_is_answered_by_another(
    colour: Colour, serve: Serve, fault: str, stream: bool
) -> None:
    bad, good = serve(faults=(parse_plan(f"{fault}:1"),)), serve()
    pool = alto_lg.Pool([bad, good], rules=EAGER)
    for number in range(6):
        request = {"messages": _prompt(f"Number {number}.")}
        if stream:
            assert "".join(colour.stream(pool, **request)) == f"Number {number}."
        else:
            assert colour.ask(pool, **request).choices[0].message.content == f"Number {number}."
    first, second = pool.stats().endpoints
    assert (first.started, first.ended, second.ended) == (1, 0, 6)
    assert first.out_s > 0
    assert server_stats(bad)["requests"] == 1, "one that was taken out is left alone"


def test_an_answer_in_one_piece_that_breaks_off_is_asked_for_again(colour: Colour, serve: Serve) -> None:
    bad, good = serve(faults=(parse_plan("cut:1"),)), serve()
    pool = alto_lg.Pool([bad, good], rules=EAGER)
    assert {colour.ask(pool).choices[0].message.content for _ in range(3)} == {TEXT}
    assert pool.stats().retries == 1


def test_a_stream_that_breaks_off_is_not_begun_again(colour: Colour, serve: Serve) -> None:
    servers = [serve(), serve()]
    pool = alto_lg.Pool(servers)
    with pytest.raises(openai.APIConnectionError):
        colour.stream(pool, fault="cut=3")
    assert sum(server_stats(server)["requests"] for server in servers) == 1
    stats = pool.stats()
    assert [one.failed for one in stats.endpoints].count(1) == 1
    assert (running_in(pool), stats.retries, stats.given_up) == (0, 0, 1)


def test_a_rate_limit_that_all_servers_share_is_waited_for(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()])
    answer = colour.ask(pool, fault="rate-limit=0.05;times=1")
    assert answer.choices[0].message.content == TEXT
    assert pool.stats().retries == 2


def test_what_the_last_server_said_is_what_the_client_gets(colour: Colour, serve: Serve) -> None:
    servers = [serve(), serve()]
    pool = alto_lg.Pool(servers, rules=EAGER, patience_s=0.0)
    with pytest.raises(openai.InternalServerError, match="Simulated fault: internal error"):
        colour.ask(pool, fault="error", extra_query={"a": "b"})
    assert [server_stats(server)["requests"] for server in servers] == [1, 1]
    assert running_in(pool) == 0


def test_a_request_that_is_refused_is_not_tried_again_and_is_nobodys_fault(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()], rules=EAGER)
    with pytest.raises(openai.BadRequestError):
        colour.ask(pool, messages=[])
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        colour.ask(pool, model="another")
    stats = pool.stats()
    assert stats.retries == 0
    assert {one.state for one in stats.endpoints} == {"in service"}


def test_a_server_that_does_not_listen_is_passed_over(colour: Colour, serve: Serve) -> None:
    with _nobody() as dead:
        pool = alto_lg.Pool([dead, serve()], rules=EAGER)
        for _ in range(3):
            assert colour.ask(pool).choices[0].message.content == TEXT
    assert pool.stats().endpoints[0].state == "taken out"


def test_without_any_server_the_error_says_what_was_tried_and_what_to_do(colour: Colour) -> None:
    with _nobody() as one, _nobody() as other:
        pool = alto_lg.Pool([one, other], rules=EAGER, patience_s=0.0)
        with pytest.raises(alto_lg.NoEndpoint) as raised:
            colour.ask(pool)
        assert isinstance(raised.value, openai.APIConnectionError)
        assert {server for server, _ in raised.value.tried} == {one, other}
        assert str(raised.value).count("ConnectError") >= 2
        assert "Start those servers" in str(raised.value)
        with pytest.raises(alto_lg.NoEndpoint, match="none is in service"):
            colour.ask(pool)


def test_a_server_that_comes_back_is_used_again(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([serve()], rules=Rules(backoff_s=0.0, health=HealthRules(failures_max=1, base_s=0.01)))
    assert colour.ask(pool, fault="error;times=2").choices[0].message.content == TEXT
    (endpoint,) = pool.stats().endpoints
    assert (endpoint.state, endpoint.failed, endpoint.ended) == ("in service", 2, 1)


@pytest.mark.parametrize("pieces", [0, 4])
def test_a_stream_that_is_closed_early_releases_its_slot_here_and_there(
    colour: Colour, serve: Serve, pieces: int
) -> None:
    server = serve(slots=1)
    pool = alto_lg.Pool([server], max_concurrency=1)
    assert len(colour.stream(pool, pieces, fault="stall-middle=1e9")) == pieces
    wait_until_server(server, "cancelled", 1)
    assert running_in(pool) == 0
    assert colour.ask(pool).choices[0].message.content == TEXT


def test_a_stream_that_is_dropped_without_a_close_releases_its_slot(serve: Serve) -> None:
    pool = alto_lg.Pool([serve()], max_concurrency=1)
    with openai.OpenAI(base_url="http://unused/v1", api_key="any") as plain:
        client = pool.client(plain)
        stream = client.chat.completions.create(
            model="sim", messages=LONG, stream=True, extra_headers={"x-sim-fault": "stall-middle=1e9"}
        )
        next(iter(stream))
        assert running_in(pool) == 1
        del stream
        gc.collect()
        # Whoever waits for the slot gets it: there is no other way for this call to end.
        assert client.chat.completions.create(model="sim", messages=LONG).choices[0].message.content == TEXT


def test_a_call_beyond_the_slots_waits_and_one_that_gives_up_makes_room(serve: Serve) -> None:
    server = serve()
    pool = alto_lg.Pool([server], max_concurrency=1)

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url="http://unused/v1", api_key="any") as plain:
            client = pool.client(plain)

            def ask(**more: Any) -> asyncio.Task[Any]:
                return asyncio.ensure_future(client.chat.completions.create(model="sim", messages=LONG, **more))

            held = ask(extra_headers={"x-sim-fault": FOREVER})
            await asyncio.to_thread(wait_until_server, server, "running", 1)
            waiting, other = ask(), ask()
            for _ in range(LOOKS_MAX):
                if pool.stats().waiting == 2:
                    break
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (pool.stats().waiting, running_in(pool)) == (1, 1)
            held.cancel()
            with pytest.raises(asyncio.CancelledError):
                await held
            assert (await other).choices[0].message.content == TEXT

    asyncio.run(main())
    assert (pool.stats().waiting, running_in(pool)) == (0, 0)
    assert server_stats(server)["requests"] == 2, "who gave up while it waited was never sent"


def test_a_wait_for_a_slot_ends_with_the_clients_own_timeout(colour: Colour, serve: Serve) -> None:
    server = serve()
    pool = alto_lg.Pool([server], max_concurrency=1)
    with openai.OpenAI(base_url="http://unused/v1", api_key="any") as plain:
        held = pool.client(plain).chat.completions.create(
            model="sim", messages=LONG, stream=True, extra_headers={"x-sim-fault": "stall-middle=1e9"}
        )
        with pytest.raises(openai.APITimeoutError):
            colour.ask(pool, timeout=httpx.Timeout(60, pool=0.05))
        assert (pool.stats().waiting, running_in(pool)) == (0, 1)
        held.close()
    assert colour.ask(pool).choices[0].message.content == TEXT


def test_threads_and_event_loops_share_one_pool(serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()], max_concurrency=2)
    answers: list[str] = []

    def ask(colour: Colour, name: str) -> None:
        for number in range(5):
            answers.append(colour.ask(pool, messages=_prompt(f"{name} {number}")).choices[0].message.content)

    threads = [
        threading.Thread(target=ask, args=(Colour(colour), f"{colour} {number}"))
        for colour in ("sync", "async")
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 40
    assert (pool.stats().waiting, running_in(pool)) == (0, 0)


@pytest.mark.parametrize("when", ["first", "middle"])
def test_a_server_that_is_killed_is_replaced_before_its_first_token_and_reported_after(
    colour: Colour, serve: Serve, when: str
) -> None:
    stall = parse_plan(f"stall-{when}=1e9:1")
    with SimulatedServer(SimOptions(time_scale=0.001, model_name="sim", faults=(stall,))) as doomed:
        pool = alto_lg.Pool([doomed.base_url, serve()], rules=EAGER, policy="round-robin")

        def kill() -> None:
            wait_until_server(doomed.base_url, "running", 1)
            if when == "middle":
                wait_until_server(doomed.base_url, "completion_tokens", 5)
            os.kill(doomed.process_id, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        if when == "first":
            assert "".join(colour.stream(pool)) == TEXT
        else:
            with pytest.raises(openai.APIConnectionError):
                colour.stream(pool)
        killer.join()
        assert running_in(pool) == 0
        assert pool.stats().endpoints[0].state == "taken out"
        assert colour.ask(pool).choices[0].message.content == TEXT


def test_other_requests_than_chats_go_to_some_server(colour: Colour, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()])
    found = colour.run(pool, "http://unused/v1", lambda client: client.models.retrieve("sim"))
    assert found.id == "sim"


def test_the_clients_own_http_client_is_what_the_pool_sends_through(serve: Serve) -> None:
    seen: list[str] = []
    inner = httpx.Client(event_hooks={"request": [lambda request: seen.append(request.headers["x-own"])]})
    with openai.OpenAI(base_url="http://unused/v1", api_key="any", http_client=inner) as plain:
        inner.headers["x-own"] = "yes"
        pooled = alto_lg.Pool([serve()]).client(plain)
        assert pooled.chat.completions.create(model="sim", messages=LONG).choices[0].message.content == TEXT
    assert seen == ["yes"]


def test_priorities_reach_servers_that_take_them_and_a_callers_own_goes_before(colour: Colour, serve: Serve) -> None:
    willing = alto_lg.Pool([serve(order="priority")], priority="vllm")
    assert colour.ask(willing).choices[0].message.content == TEXT
    unwilling = alto_lg.Pool([serve()], priority="vllm")
    with pytest.raises(openai.BadRequestError, match="--order priority"):
        colour.ask(unwilling)
    assert colour.ask(unwilling, extra_body={"priority": 0}).choices[0].message.content == TEXT


def test_what_is_no_client_is_refused_with_the_next_move() -> None:
    pool = alto_lg.Pool(["http://a/v1"])
    with pytest.raises(TypeError, match=r"Pool\.model\(\)"):
        pool.client(object())
    with pytest.raises(TypeError, match="ChatOpenAI"):
        pool.model(object())
    with openai.OpenAI(base_url="http://a/v1", api_key="any") as plain, pytest.raises(TypeError, match="already"):
        pool.client(pool.client(plain))


@pytest.mark.parametrize(
    ("endpoints", "settings", "says"),
    [
        ([], {}, "no endpoint"),
        (["a:8000"], {}, "no URL"),
        (["http://a/v1", "http://a/v1/"], {}, "once"),
        (["http://a"], {"max_concurrency": 0}, "at least 1"),
        (["http://a"], {"policy": "best"}, "'round-robin'"),
        (["http://a"], {"priority": "high"}, "'vllm'"),
        (["http://a"], {"retries": -1}, "at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(endpoints: list[str], settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        alto_lg.Pool(endpoints, **settings)


def test_a_pool_can_be_printed(serve: Serve) -> None:
    pool = alto_lg.Pool([serve()])
    Colour("sync").ask(pool)
    assert "waiting=0, retries=0, given_up=0" in str(pool.stats())
