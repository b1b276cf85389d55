"""The simulated servers inside an arm's process: on the arm's event loop, and so on its virtual clock.

Always true: a turn begins with idle servers and empty caches, and its account is made when no stream runs any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.meter import IDLE_WITHIN_S, LOOK_EVERY_S, is_idle, never_idle
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.serving import SimServer, served_here
from alto_lg.comparisons.sim.text import task_models


class InnerServers:
    """What an arm asks, and what that took of them. base_urls: where they listen; model: what all of them serve."""

    def __init__(self, servers: Sequence[SimServer]) -> None:
        self.base_urls = tuple(server.base_url for server in servers)
        self.model = servers[0].simulated.options.model
        self._simulated = [server.simulated for server in servers]
        self._before: list[Mapping[str, Any]] = []

    async def start(self) -> None:
        """Empty the caches, and count from here."""
        await self._idle()
        for simulated in self._simulated:
            simulated.forget(simulated.options.seed)
        self._before = [simulated.statistics() for simulated in self._simulated]

    async def stop(self) -> ServerUse:
        """What was used since `start`."""
        return ServerUse.together(
            [ServerUse.between(*pair) for pair in zip(self._before, await self._idle(), strict=True)]
        )

    async def _idle(self) -> list[Mapping[str, Any]]:
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + IDLE_WITHIN_S
        while busy := [one for one in self._statistics() if not is_idle(one)]:
            if clock() > give_up_at:
                raise never_idle(busy[0])
            await asyncio.sleep(LOOK_EVERY_S)
        return self._statistics()

    def _statistics(self) -> list[Mapping[str, Any]]:
        return [simulated.statistics() for simulated in self._simulated]


@asynccontextmanager
async def inner_servers(options: SimOptions, replicas: int = 1) -> AsyncIterator[InnerServers]:
    """So many equal servers, until the block is left."""
    models = task_models()
    async with AsyncExitStack() as stack:
        yield InnerServers([await stack.enter_async_context(served_here(options, models)) for _ in range(replicas)])
