"""How an arm spreads its calls over the servers."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import httpx

from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.inner_server import InnerServers


def inner_endpoint(servers: InnerServers, arm: Arm) -> ModelEndpoint:
    first = servers.base_urls[0]
    if arm.pool is None:
        return ModelEndpoint(first, servers.model)
    urls = [httpx.URL(one) for one in servers.base_urls]
    return ModelEndpoint(
        first,
        servers.model,
        http_client=lambda: httpx.AsyncClient(transport=_RR(urls), limits=httpx.Limits(max_connections=None)),
    )


class _RR(httpx.AsyncHTTPTransport):
    def __init__(self, urls: Any) -> None:
        super().__init__(limits=httpx.Limits(max_connections=None))
        self._next = cycle(urls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        to = next(self._next)
        request.url = request.url.copy_with(host=to.host, port=to.port)
        return await super().handle_async_request(request)
