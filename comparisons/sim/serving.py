"""Runs the application under uvicorn: the socket, the connection class, the start and the end.

Owns everything that is uvicorn's. Always true: the address is announced only when the server accepts connections.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alto_lg.comparisons.sim.delivery import CLOSE_EXTENSION
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.pacer import MakePacer, Pacer
from alto_lg.comparisons.sim.server import ModelServer
from alto_lg.comparisons.sim.text import TextModel

_BACKLOG = 2_048
_GRACE_S = 1
# Longer than a client's pool keeps an idle connection, so that the server is never the one to close it under a
# request: the openai client would see a connection error that no one asked for.
_KEEP_ALIVE_S = 75
_KEEP_ALIVE_OF_GUEST_S = 1_000_000


class SimServer(uvicorn.Server):
    """A uvicorn server that says when it is ready."""

    keep_alive_s = _KEEP_ALIVE_S

    def __init__(
        self,
        options: SimOptions,
        text_models: Sequence[TextModel],
        announce: Callable[[str], None],
        pacer: MakePacer = Pacer,
    ) -> None:
        self._announce = announce
        self._listener = listen(options)
        host, port = self._listener.getsockname()[:2]
        self.base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
        self.simulated = ModelServer(options, text_models, pacer)
        super().__init__(_config(self.simulated, options.log_level, self.keep_alive_s))

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve(sockets or [self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce(self.base_url)


class _Guest(SimServer):
    """A server on somebody else's event loop, which handles signals, and whose clock may be faster than a client's."""

    keep_alive_s = _KEEP_ALIVE_OF_GUEST_S

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served_here(
    options: SimOptions, text_models: Sequence[TextModel], pacer: MakePacer = Pacer
) -> AsyncIterator[SimServer]:
    """The server on the running event loop, on the clock of that loop; it is gone when the block is left."""
    ready = asyncio.Event()
    server = _Guest(options, text_models, lambda _: ready.set(), pacer)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await ready.wait()
        try:
            yield server
        finally:
            server.should_exit = True


class _ClosableConnection(HttpToolsProtocol):
    """Lets the application close the connection in the middle of an answer, for the faults that do so."""

    def on_headers_complete(self) -> None:
        self.scope["extensions"] = {CLOSE_EXTENSION: self.transport.close}  # type: ignore[dict-item]
        super().on_headers_complete()


def listen(options: SimOptions) -> socket.socket:
    """The listening socket of a server with these settings."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio sends small writes at once (TCP_NODELAY) only on sockets that name their protocol, which those of
    # socket.create_server do not: an answer in two writes, head and body, then took 40 ms longer (measured).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _config(simulated: ModelServer, log_level: str, keep_alive_s: int) -> uvicorn.Config:
    return uvicorn.Config(
        simulated.app,
        http=_ClosableConnection,
        loop="asyncio",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level=log_level,
        backlog=_BACKLOG,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
    )
