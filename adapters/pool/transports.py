"""Transports: what the HTTP client of an openai client sends its requests through, sync and async.

Owns the two drivers of `exchange`. The openai client is built on `httpx2` (from 3 on) or on `httpx` (before), which are
alike; both take a transport, and every class here is made over the one that a client has. A request goes on through the
client's own HTTP client, with its proxies, certificates, limits and hooks, and through its public methods only. Always
true: what a request and an answer hold passes unchanged, but for the server's address, and for `priority` where it was
asked for; a body that was compressed is handed on compressed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakSet

from alto_lg.adapters.pool.board import Board, LoopMailbox, ThreadMailbox
from alto_lg.adapters.pool.errors import NoEndpointForOpenAI
from alto_lg.adapters.pool.exchange import (
    Answer,
    Exchange,
    Hear,
    ReadAll,
    ReadFirst,
    Send,
    Step,
    Streamed,
    Whole,
    exchange,
)
from alto_lg.adapters.pool.prompts import parsed, prompt_of
from alto_lg.adapters.pool.ranks import Ranks
from alto_lg.engine.ancestry import Ancestry
from alto_lg.routing import Call, GiveUp


@dataclass(frozen=True, slots=True)
class Caller:
    """What all requests of one pool have in common.

    ancestry: that of the firing that calls, if one does. wall_time: seconds since the epoch. priority: requests tell it
    to the server, as vLLM reads it.
    """

    board: Board
    ranks: Ranks
    ancestry: Callable[[], Ancestry | None]
    wall_time: Callable[[], float]
    priority: bool


class _Exchange:
    """One request on its way: the call that it becomes, and how it is sent. base_url: of the client that made it."""

    def __init__(self, caller: Caller, httpx: Any, base_url: str, request: Any, body: bytes) -> None:
        self._httpx, self._base_url, self._request = httpx, base_url, request
        self._caller = caller
        self._body = body
        ancestry = caller.ancestry()
        self._node = None if ancestry is None else ancestry.stage
        told = parsed(body) if request.method == "POST" else None
        prompt = prompt_of(told, self._node)
        self._model = prompt.model
        rank = caller.ranks.rank(ancestry, caller.wall_time())
        if caller.priority and told is not None and "messages" in told and "priority" not in told:
            self._body = json.dumps({**told, "priority": rank.priority}).encode()
        self.call = Call(
            rank=rank.order,
            blocks=prompt.blocks,
            templates=prompt.templates,
            prompt_tokens=prompt.tokens,
            output_tokens_max=prompt.tokens_max,
        )

    @property
    def patience_s(self) -> float | None:
        """How long the client would wait for a free connection, which a slot of the pool is to it."""
        timeout: Mapping[str, float | None] = self._request.extensions.get("timeout", {})
        return timeout.get("pool")

    def request_to(self, endpoint: str) -> Any:
        """The request, with another address."""
        request = self._request
        path = str(request.url).removeprefix(self._base_url.rstrip("/"))
        headers = [(name, value) for name, value in request.headers.multi_items() if name not in _OF_ONE_SERVER]
        return self._httpx.Request(
            request.method, endpoint + path, headers=headers, content=self._body, extensions=request.extensions
        )

    def timed_out(self) -> BaseException:
        """The call has waited for its slot for too long."""
        waited = f"no slot on any endpoint of the pool within {self.patience_s} s; raise the timeout or max_concurrency"
        error: BaseException = self._httpx.PoolTimeout(waited, request=self._request)
        return error

    def nothing(self) -> BaseException:
        """No endpoint has answered."""
        board = self._caller.board
        tried = tuple((name, failure.reason) for name, failure in self.call.failures)
        return NoEndpointForOpenAI(self._request, self._model, self._node, tried, board.states())

    def whole(self, answer: Whole) -> Any:
        """An answer that has been read."""
        return self._response(answer.response, content=answer.body)

    def begun(self, answer: Streamed, stream: Any) -> Any:
        """An answer that is still being written."""
        return self._response(answer.response, stream=stream)

    def _response(self, given: Any, **body: Any) -> Any:
        # A length or a chunking that the other connection had is told again only where it is true of this body, too.
        headers = [(name, value) for name, value in given.headers.multi_items() if name != "transfer-encoding"]
        return self._httpx.Response(given.status_code, headers=headers, extensions=given.extensions, **body)


_OF_ONE_SERVER = frozenset({"host", "content-length", "transfer-encoding"})


def httpx_of(http_client: Any) -> Any:
    """The module, `httpx2` or `httpx`, that an HTTP client is of.

    Raises:
        TypeError: It is of neither.
    """
    for name in ("httpx2", "httpx"):
        module = sys.modules.get(name)
        if module is not None and isinstance(http_client, (module.Client, module.AsyncClient)):
            return module
    raise TypeError(f"The pool sends through an httpx or httpx2 client, got {type(http_client).__name__}.")


def pooled_http_client(caller: Caller, http_client: Any, base_url: str) -> Any:
    """An HTTP client, sync or async as the given one, whose requests go to the pool and on through the given one."""
    httpx = httpx_of(http_client)
    is_async = isinstance(http_client, httpx.AsyncClient)
    transport = _classes(httpx)[0 if is_async else 2](caller, httpx, http_client, base_url)
    same = {name: getattr(http_client, name) for name in ("timeout", "headers", "cookies", "params")}
    pooled = (httpx.AsyncClient if is_async else httpx.Client)(transport=transport, **same)
    _POOLED.add(pooled)
    return pooled


def is_pooled(http_client: Any) -> bool:
    """Whether it came from `pooled_http_client`."""
    return http_client in _POOLED


_POOLED: WeakSet[Any] = WeakSet()


@cache
def _classes(httpx: Any) -> tuple[Any, Any, Any, Any]:
    """The classes below, over the base classes that this HTTP library insists on."""
    return (
        type("AsyncPoolTransport", (_AsyncTransport, httpx.AsyncBaseTransport), {}),
        type("AsyncPoolStream", (_AsyncStream, httpx.AsyncByteStream), {}),
        type("PoolTransport", (_SyncTransport, httpx.BaseTransport), {}),
        type("PoolStream", (_SyncStream, httpx.SyncByteStream), {}),
    )


# ── async ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _AsyncTransport:
    def __init__(self, caller: Caller, httpx: Any, inner: Any, base_url: str) -> None:
        self._caller, self._httpx, self._inner, self._base_url = caller, httpx, inner, base_url

    async def handle_async_request(self, request: Any) -> Any:
        going = _Exchange(self._caller, self._httpx, self._base_url, request, await request.aread())
        mailbox = LoopMailbox()
        pieces: AsyncGenerator[bytes, None] | None = None

        async def do(step: Step) -> Any:
            nonlocal pieces
            match step:
                case Hear():
                    try:
                        return await mailbox.get(going.patience_s)
                    except TimeoutError:
                        raise going.timed_out() from None
                case Send(endpoint):
                    return await self._inner.send(going.request_to(endpoint), stream=True)
                case ReadAll(response):
                    return b"".join([piece async for piece in response.aiter_raw()])
                case ReadFirst(response):
                    pieces = response.aiter_raw()
                    return await anext(pieces, b"")

        answer = await _drive_async(exchange(self._caller.board, going.call, mailbox), do)
        if isinstance(answer, GiveUp):
            raise going.nothing()
        if isinstance(answer, Whole):
            return going.whole(answer)
        return going.begun(answer, _classes(self._httpx)[1](answer, pieces))

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _drive_async(steps: Exchange, do: Callable[[Step], Awaitable[Any]]) -> Answer:
    try:
        step = next(steps)
        while True:
            try:
                value = await do(step)
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        answer: Answer = end.value
        return answer


class _AsyncStream:
    def __init__(self, answer: Streamed, pieces: AsyncGenerator[bytes, None]) -> None:
        self._response, self._first, self._live, self._pieces = answer.response, answer.first, answer.live, pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            if self._first:
                yield self._first
            async for piece in self._pieces:
                self._live.add(piece)
                yield piece
        except BaseException as error:
            self._live.broke(error)
            raise
        self._live.complete()

    async def aclose(self) -> None:
        self._live.closed()
        await self._pieces.aclose()
        await self._response.aclose()

    def __del__(self) -> None:
        self._live.lost()


# ── sync ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _SyncTransport:
    def __init__(self, caller: Caller, httpx: Any, inner: Any, base_url: str) -> None:
        self._caller, self._httpx, self._inner, self._base_url = caller, httpx, inner, base_url

    def handle_request(self, request: Any) -> Any:
        going = _Exchange(self._caller, self._httpx, self._base_url, request, request.read())
        mailbox = ThreadMailbox()
        pieces: Generator[bytes, None, None] | None = None

        def do(step: Step) -> Any:
            nonlocal pieces
            match step:
                case Hear():
                    try:
                        return mailbox.get(going.patience_s)
                    except TimeoutError:
                        raise going.timed_out() from None
                case Send(endpoint):
                    return self._inner.send(going.request_to(endpoint), stream=True)
                case ReadAll(response):
                    return b"".join(response.iter_raw())
                case ReadFirst(response):
                    pieces = response.iter_raw()
                    return next(pieces, b"")

        answer = _drive(exchange(self._caller.board, going.call, mailbox), do)
        if isinstance(answer, GiveUp):
            raise going.nothing()
        if isinstance(answer, Whole):
            return going.whole(answer)
        return going.begun(answer, _classes(self._httpx)[3](answer, pieces))

    def close(self) -> None:
        self._inner.close()


def _drive(steps: Exchange, do: Callable[[Step], Any]) -> Answer:
    try:
        step = next(steps)
        while True:
            try:
                value = do(step)
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        answer: Answer = end.value
        return answer


class _SyncStream:
    def __init__(self, answer: Streamed, pieces: Generator[bytes, None, None]) -> None:
        self._response, self._first, self._live, self._pieces = answer.response, answer.first, answer.live, pieces

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._first:
                yield self._first
            for piece in self._pieces:
                self._live.add(piece)
                yield piece
        except BaseException as error:
            self._live.broke(error)
            raise
        self._live.complete()

    def close(self) -> None:
        self._live.closed()
        self._pieces.close()
        self._response.close()

    def __del__(self) -> None:
        self._live.lost()
