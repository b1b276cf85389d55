"""How an arm spreads its calls over the servers: one pool for all, with one idea of it switched off at a time.

Always true: every arm goes through the same client, so that they differ in its decisions alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from openai import AsyncOpenAI

from alto_lg import Pool
from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.inner_server import InnerServers
from alto_lg.routing import Rules

_ALL = Rules(policy="prefix", by_rank=True, learn_lengths=True)

RULES: Mapping[str, Rules] = MappingProxyType(
    {
        "all": _ALL,
        "no-routing": replace(_ALL, policy="round-robin"),
        "no-prefixes": replace(_ALL, policy="least-outstanding"),
        "no-scheduling": replace(_ALL, by_rank=False),
        "no-lengths": replace(_ALL, learn_lengths=False),
        "round-robin": Rules(policy="round-robin", by_rank=False, learn_lengths=False),
    }
)
"""By the names that arms give; `round-robin` is a client that knows nothing."""


def inner_endpoint(servers: InnerServers, arm: Arm) -> ModelEndpoint:
    """Where this arm asks: the one server, or a pool of all of them."""
    first = servers.base_urls[0]
    if arm.pool is None:
        return ModelEndpoint(first, servers.model)
    rules = RULES[arm.pool]
    pool = Pool(servers.base_urls, rules=rules, priority="vllm" if rules.by_rank else None)
    return ModelEndpoint(first, servers.model, client=pool.client(client_of(first)))


def client_of(base_url: str) -> AsyncOpenAI:
    """A client of a simulated server, which takes any key."""
    return AsyncOpenAI(base_url=base_url, api_key="not-needed")
