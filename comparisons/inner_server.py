"""The simulated server inside an arm's process: on the arm's event loop, and so on its virtual clock.

Always true: a turn begins with an idle server and empty caches, and its account is made when no stream runs any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.meter import IDLE_WITHIN_S, LOOK_EVERY_S, is_idle, never_idle
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.server import ModelServer
from alto_lg.comparisons.sim.serving import served_here
from alto_lg.comparisons.sim.text import task_models


class InnerServer:
    """What an arm asks, and what that took of it."""

    def __init__(self, base_url: str, simulated: ModelServer) -> None:
        self.endpoint = ModelEndpoint(base_url, simulated.options.model)
        self._simulated = simulated
        self._before: Mapping[str, Any] = {}

    async def start(self) -> None:
        """Empty the caches, and count from here."""
        await self._idle()
        self._simulated.forget(self._simulated.options.seed)
        self._before = self._simulated.statistics()

    async def stop(self) -> ServerUse:
        """What was used since `start`."""
        return ServerUse.between(self._before, await self._idle())

    async def _idle(self) -> Mapping[str, Any]:
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + IDLE_WITHIN_S
        while not is_idle(found := self._simulated.statistics()):
            if clock() > give_up_at:
                raise never_idle(found)
            await asyncio.sleep(LOOK_EVERY_S)
        return found


@asynccontextmanager
async def inner_server(options: SimOptions) -> AsyncIterator[InnerServer]:
    """The server, until the block is left."""
    async with served_here(options, task_models()) as server:
        yield InnerServer(server.base_url, server.simulated)
