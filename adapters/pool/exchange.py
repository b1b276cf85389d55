"""One call, from submission to its answer, written once for both colours.

Owns the order of things: wait for a decision, send, look at the answer, and either hand it on or try again. `exchange`
is a generator that says what is to be done next; a driver in `transports.py` does it, waiting as its colour waits.
Always true:
  the slot that a call was given is released exactly once, on every path: an answer, an error, a cancel, a close;
  nothing of an answer has been handed on when an attempt is made again: the first piece of a stream, and all of an
  answer in one piece, are read before;
  what the last server said stands: if no attempt succeeds, its answer is what the client gets, as without a pool.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from alto_lg.adapters.pool.answers import AnswerSoFar
from alto_lg.adapters.pool.board import Board, Mailbox
from alto_lg.adapters.pool.failures import failure_of_exception, failure_of_status
from alto_lg.routing import Call, GiveUp


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait for the next decision about the call."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request to this endpoint; the result has a status and headers, and its body is not read yet."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class ReadAll:
    """Read the body of an answer, as it came over the wire."""

    response: Any


@dataclass(frozen=True, slots=True)
class ReadFirst:
    """Read the first piece of the body of an answer; empty if it has none."""

    response: Any


Step = Hear | Send | ReadAll | ReadFirst


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is read: nothing is left to be released."""

    response: Any
    body: bytes


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that has begun. live: to be told of each piece, and of the end."""

    response: Any
    first: bytes
    live: LiveAnswer


class LiveAnswer:
    """The end of a call whose answer is still being written; the first of its three ends counts."""

    __slots__ = ("_board", "_call", "_so_far")

    def __init__(self, board: Board, call: Call, so_far: AnswerSoFar) -> None:
        self._board = board
        self._call: Call | None = call
        self._so_far = so_far

    def add(self, piece: bytes) -> None:
        """More of it has come."""
        self._so_far.add(piece)

    def complete(self) -> None:
        """All of it has come."""
        if (call := self._take()) is not None:
            report(self._board, call, self._so_far)

    def broke(self, error: BaseException) -> None:
        """Reading it ended in this."""
        failure = failure_of_exception(error)
        if failure is None or self._so_far.is_whole:
            self.closed()
        elif (call := self._take()) is not None:
            self._board.failed(call, failure)

    def closed(self) -> None:
        """The client has had enough: after the last event of a stream, it does not wait for the end of the body."""
        if self._so_far.is_whole:
            self.complete()
        elif (call := self._take()) is not None:
            self._board.cancelled(call)

    def lost(self) -> None:
        """The client has dropped it without closing it."""
        if (call := self._take()) is not None:
            self._board.abandoned(call)

    def _take(self) -> Call | None:
        call, self._call = self._call, None
        return call


Answer = Whole | Streamed | GiveUp
Exchange = Generator[Step, Any, Answer]


def exchange(board: Board, call: Call, mailbox: Mailbox) -> Exchange:
    """The steps of one call. `GiveUp` if no attempt got any answer; what a step raises is thrown in."""
    refused: Whole | None = None
    board.submit(call, mailbox)
    try:
        while True:
            decision = yield Hear()
            if isinstance(decision, GiveUp):
                return refused or decision
            try:
                response = yield Send(decision.endpoint)
                headers = {name.lower(): value for name, value in response.headers.items()}
                failure = failure_of_status(response.status_code, headers, time.time())
                if failure is not None:
                    refused = Whole(response, (yield ReadAll(response)))
                else:
                    return (yield from _read(board, call, response, headers))
            except Exception as error:
                failure = failure_of_exception(error)
                if failure is None:
                    raise
                refused = None
            board.failed(call, failure)
    except BaseException:
        board.cancelled(call)
        raise


def _read(
    board: Board, call: Call, response: Any, headers: Mapping[str, str]
) -> Generator[Step, Any, Whole | Streamed]:
    kind = headers.get("content-type", "")
    so_far = AnswerSoFar(is_stream=kind.startswith("text/event-stream"))
    if kind.startswith("application/json"):
        body = yield ReadAll(response)
        so_far.add(body)
        report(board, call, so_far)
        return Whole(response, body)
    first = yield ReadFirst(response)
    if not first and so_far.is_stream:
        raise ConnectionError("the stream ended before its first event")
    so_far.add(first)
    board.first_token(call)
    return Streamed(response, first, LiveAnswer(board, call, so_far))


def report(board: Board, call: Call, answer: AnswerSoFar) -> None:
    """An answer has come to its end."""
    board.ended(call, answer.completion_tokens, answer.prompt_tokens, answer.cached_tokens)
