"""Clients of the openai library that are closed with a block, whichever application made them.

Always true: after the block none of them holds a connection of an event loop that is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from openai import AsyncOpenAI


@asynccontextmanager
async def closing_clients(
    through: Callable[[AsyncOpenAI], AsyncOpenAI] | None = None,
) -> AsyncIterator[Callable[[AsyncOpenAI], AsyncOpenAI]]:
    """For `ModelEndpoint.through`: passes each client on, through another such function if one is given."""
    async with AsyncExitStack() as clients:

        def kept(client: AsyncOpenAI) -> AsyncOpenAI:
            asked = client if through is None else through(client)
            clients.push_async_callback(asked.close)
            return asked

        yield kept
