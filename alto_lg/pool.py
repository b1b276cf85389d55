"""The public face of the client pool.

Always true: importing this imports no client library and no scheduler, which making a pool does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from alto_lg.context import current_ancestry

if TYPE_CHECKING:
    from alto_lg.adapters.pool.transports import Caller
    from alto_lg.routing import PolicyName, Rules

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """One server of a pool.

    state: "in service", "taken out" or "tried again". out_s: for how long it is left alone still.
    running: calls that it has now. outstanding_tokens: what they are expected to cost it, in output tokens.
    started, ended, failed: attempts so far. output_tokens: of whole answers.
    prompt_tokens, expected_hit_tokens: estimates, of all prompts sent, and of their beginnings that had been sent there
        before.
    reported_prompt_tokens, cached_tokens: as the server counted them, where it told.
    """

    url: str
    state: str
    out_s: float
    running: int
    outstanding_tokens: int
    started: int
    ended: int
    failed: int
    output_tokens: int
    prompt_tokens: int
    expected_hit_tokens: int
    reported_prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """A pool at one moment; `print` it. waiting: calls without a slot. retries: attempts beyond the first of each call.

    given_up: calls that ended in an error of a server's, or without any.
    """

    endpoints: tuple[EndpointStatistics, ...]
    waiting: int
    retries: int
    given_up: int

    def __str__(self) -> str:
        head = f"{'endpoint':<40} {'state':<12} {'running':>7} {'ended':>7} {'failed':>6} {'hits':>6}"
        lines = [
            f"{one.url:<40} {one.state:<12} {one.running:>7} {one.ended:>7} {one.failed:>6} "
            f"{one.expected_hit_tokens / max(1, one.prompt_tokens):>6.1%}"
            for one in self.endpoints
        ]
        return "\n".join([head, *lines, f"waiting={self.waiting}, retries={self.retries}, given_up={self.given_up}"])


class Pool:
    """Several servers that answer to the same OpenAI-compatible API, as one.

        pool = alto_lg.Pool(["http://a:8000/v1", "http://b:8000/v1"])
        client = pool.client(AsyncOpenAI(base_url="http://a:8000/v1", api_key=key))
        model = pool.model(ChatOpenAI(base_url="http://a:8000/v1", api_key=key, model="qwen"))

    Calls whose prompts begin alike go to one server while its load allows; the others go where least is outstanding, in
    output tokens, whose number is learned for each node and beginning of a prompt. A server that fails is taken out,
    and tried again after 1, 2, 4, … s; `Retry-After` is heeded; a call is tried elsewhere if nothing of its answer has
    been handed out. All of them get the client's API key. Safe to use from several threads and event loops; a process
    that forks needs a pool of its own.

    endpoints: base URLs, of servers with the same models.
    max_concurrency: calls at a time on each of them; more wait in the pool, and the call that LangGraph would commit
        first goes first. None: no bound, and the order is the server's.
    priority: "vllm" tells that order to the servers, too; they must run with `--scheduling-policy priority`.
    policy: "prefix", as above; "two-choices" and "least-outstanding" look at the load only; "round-robin" at nothing.
    retries: attempts beyond the first; None: one on each other server, at least 2, at most 7.
    patience_s: how long calls wait while no server is in service, before they raise `NoEndpoint`.
    rules: everything else that can be set, see `alto_lg.routing.Rules`; `policy`, `retries` and `patience_s` go before.
    seed: of the draws.

    Raises:
        ValueError: No endpoint, one given twice, one that is no URL, or a setting out of its range.
    """

    def __init__(
        self,
        endpoints: Iterable[str],
        *,
        max_concurrency: int | None = None,
        priority: Literal["vllm"] | None = None,
        policy: PolicyName | None = None,
        retries: int | None = None,
        patience_s: float | None = None,
        rules: Rules | None = None,
        seed: int = 0,
    ) -> None:
        from alto_lg.routing import Rules, Scheduler

        urls = tuple(_checked(url) for url in endpoints)
        if not urls:
            raise ValueError("Pool() got no endpoint; give the base URL of each server, such as 'http://a:8000/v1'.")
        if priority not in (None, "vllm"):
            raise ValueError(f"Unknown priority {priority!r}; use 'vllm', or None.")
        given: dict[str, Any] = {
            "policy": policy,
            "attempts": None if retries is None else retries + 1,
            "patience_s": patience_s,
        }
        rules = replace(rules or Rules(), **{name: value for name, value in given.items() if value is not None})
        scheduler = Scheduler(urls, rules, capacity=max_concurrency, random=Random(seed), now=time.monotonic())
        self._scheduler = scheduler
        self._tells_priority = priority == "vllm"
        self._caller: Caller | None = None

    def client(self, client: Client) -> Client:
        """A copy of an `openai.OpenAI` or `openai.AsyncOpenAI` whose calls go to the pool, and which does not try again
        by itself.

        Raises:
            TypeError: It is no such client, or one of a pool already.
        """
        from alto_lg.adapters.pool.clients import pooled_client

        pooled: Client = pooled_client(self._calls(), client)
        return pooled

    def model(self, model: Client) -> Client:
        """A copy of a LangChain chat model over the openai client, such as `ChatOpenAI`, whose calls go to the pool.

        Raises:
            TypeError: It is no such model, or one of a pool already.
        """
        from alto_lg.adapters.pool.clients import pooled_model

        pooled: Client = pooled_model(self._calls(), model)
        return pooled

    def stats(self) -> PoolStatistics:
        """Counts since the start, and what is outstanding now."""
        board = self._calls().board
        with board.lock:
            now = board.clock()
            endpoints = tuple(
                EndpointStatistics(
                    url=one.name,
                    state=one.circuit.state.value,
                    out_s=max(0.0, one.circuit.out_until - now),
                    running=one.running,
                    outstanding_tokens=one.work,
                    started=one.started,
                    ended=one.ended,
                    failed=one.failed,
                    output_tokens=one.output_tokens,
                    prompt_tokens=one.prompt_tokens,
                    expected_hit_tokens=one.hit_tokens,
                    reported_prompt_tokens=board.reported[one.index, "prompt"],
                    cached_tokens=board.reported[one.index, "cached"],
                )
                for one in self._scheduler.fleet.endpoints
            )
            scheduler = self._scheduler
            return PoolStatistics(endpoints, scheduler.waiting, scheduler.retries, scheduler.given_up)

    def _calls(self) -> Caller:
        if self._caller is None:
            from alto_lg.adapters.pool.board import Board
            from alto_lg.adapters.pool.ranks import Ranks
            from alto_lg.adapters.pool.transports import Caller

            board = Board(self._scheduler)
            self._caller = Caller(board, Ranks(), current_ancestry, time.time, self._tells_priority)
        return self._caller


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"Pool() got the endpoint {url!r}, which is no URL; write it as 'http://host:8000/v1'.")
    return url.rstrip("/")
