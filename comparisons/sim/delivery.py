"""From the pacer to one client: collects the progress of a request's choices and writes it out.

Owns the life of one request after it was accepted. Always true: whatever ends it (the last token, a client that
leaves, a cut, the server stopping), its streams are cancelled and nothing of it stays on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from alto_lg.comparisons.sim.batching import Job, Progress
from alto_lg.comparisons.sim.pacer import Pacer, Sink
from alto_lg.comparisons.sim.protocol import DONE, Envelope, Usage
from alto_lg.comparisons.sim.replies import Reply

CLOSE_EXTENSION = "alto_lg.close_connection"


@dataclass(frozen=True, slots=True)
class Answer:
    """One accepted request: what will be said, and the time it takes."""

    envelope: Envelope
    replies: Sequence[Reply]
    jobs: Sequence[Job]
    stream: bool
    include_usage: bool

    def usage(self, cached_tokens: int) -> Usage:
        return Usage(len(self.jobs[0].prompt), sum(len(reply.tokens) for reply in self.replies), cached_tokens)


class Inbox:
    """Progress on its way to the coroutine that writes it."""

    def __init__(self, choices: int, *, wake_at_every_token: bool) -> None:
        self.open_choices = choices
        self.cached_tokens = 0
        self.client_has_left = False
        self._wake_at_every_token = wake_at_every_token
        self._gained: list[tuple[int, Progress]] = []
        self._news = asyncio.Event()

    def sink(self, choice: int) -> Sink:
        def accept(progress: Progress) -> None:
            if choice == 0:
                self.cached_tokens = progress.cached_tokens
            self.open_choices -= progress.ended
            if self._wake_at_every_token:
                self._gained.append((choice, progress))
                self._news.set()
            elif not self.open_choices:
                self._news.set()

        return accept

    def client_left(self) -> None:
        self.client_has_left = True
        self._news.set()

    async def wait_for_news(self) -> list[tuple[int, Progress]]:
        await self._news.wait()
        self._news.clear()
        gained, self._gained = self._gained, []
        return gained


async def deliver(answer: Answer, pacer: Pacer, scope: Scope, receive: Receive, send: Send) -> bool:
    """Run a request to its end. True when the client got all of it."""
    inbox = Inbox(len(answer.jobs), wake_at_every_token=answer.stream)
    watcher = asyncio.create_task(_watch(receive, inbox.client_left))
    streams = [pacer.start(job, inbox.sink(choice)) for choice, job in enumerate(answer.jobs)]
    try:
        if answer.stream:
            return await _write_stream(answer, inbox, scope, send)
        return await _write_whole(answer, inbox, scope, receive, send)
    finally:
        for stream in streams:
            pacer.cancel(stream)
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


async def _watch(receive: Receive, client_left: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client_left()


async def _write_whole(answer: Answer, inbox: Inbox, scope: Scope, receive: Receive, send: Send) -> bool:
    await inbox.wait_for_news()
    if inbox.client_has_left:
        return False
    if answer.replies[0].is_cut:
        await close_connection(scope, inbox)
        return False
    messages = [reply.message for reply in answer.replies]
    reasons = [reply.reason for reply in answer.replies]
    body = answer.envelope.body(messages, reasons, answer.usage(inbox.cached_tokens))
    await JSONResponse(body, headers={"x-request-id": answer.envelope.id})(scope, receive, send)
    return True


async def _write_stream(answer: Answer, inbox: Inbox, scope: Scope, send: Send) -> bool:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-request-id", answer.envelope.id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    written = [0] * len(answer.replies)
    is_cut = answer.replies[0].is_cut
    while not inbox.client_has_left:
        gained = await inbox.wait_for_news()
        chunks = [_chunks(answer, written, choice, progress) for choice, progress in gained]
        is_last = not inbox.open_choices and not is_cut
        if is_last:
            chunks.append(_end(answer, inbox))
        await send({"type": "http.response.body", "body": b"".join(chunks), "more_body": not is_last})
        if is_last:
            return True
        if not inbox.open_choices:
            await close_connection(scope, inbox)
    return False


def _chunks(answer: Answer, written: list[int], choice: int, progress: Progress) -> bytes:
    reply, envelope = answer.replies[choice], answer.envelope
    start = written[choice]
    written[choice] = end = start + progress.tokens
    if reply.pieces:
        chunks = [envelope.piece_chunk(choice, piece, reply.call_ids) for piece in reply.pieces[start:end]]
    else:
        chunks = [envelope.token_chunk(choice, token) for token in reply.tokens[start:end]]
    if start == 0:
        # Servers send the role with the first token, so that the first chunk marks the first token's time.
        chunks.insert(0, envelope.role_chunk(choice))
    if progress.ended and not reply.is_cut:
        chunks.append(envelope.finish_chunk(choice, reply.reason))
    return b"".join(chunks)


def _end(answer: Answer, inbox: Inbox) -> bytes:
    usage = answer.envelope.usage_chunk(answer.usage(inbox.cached_tokens)) if answer.include_usage else b""
    return usage + DONE


async def close_connection(scope: Scope, inbox: Inbox) -> None:
    """Close the client's connection as it is, and wait until it is closed."""
    scope["extensions"][CLOSE_EXTENSION]()
    while not inbox.client_has_left:
        await inbox.wait_for_news()
