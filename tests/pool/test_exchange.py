"""One exchange, step by step, over a real board: what it asks for next after each thing that can happen."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from alto_lg.adapters.pool.board import Board, ThreadMailbox
from alto_lg.adapters.pool.exchange import Exchange, Hear, ReadAll, ReadFirst, Send, Streamed, Whole, exchange
from alto_lg.routing import Call, GiveUp, Rules, Scheduler, Status

SSE, JSON = "text/event-stream", "application/json"


class Begun:
    """An exchange over endpoints a and b, at its first `Send`."""

    def __init__(self, **rules: Any) -> None:
        self.scheduler = Scheduler(["a", "b"], Rules(**{"patience_s": 0.0, "backoff_s": 0.0, **rules}))
        self.call = Call()
        self.mailbox = ThreadMailbox()
        self.steps: Exchange = exchange(Board(self.scheduler), self.call, self.mailbox)
        assert isinstance(next(self.steps), Hear)
        self.hear()

    def hear(self) -> None:
        assert isinstance(self.steps.send(self.mailbox.get(20.0)), Send)

    def end(self, value: Any) -> Any:
        with pytest.raises(StopIteration) as ended:
            self.steps.send(value)
        return ended.value.value

    @property
    def running(self) -> int:
        return self.scheduler.fleet.running


def _response(kind: str, status: int = 200) -> Any:
    return SimpleNamespace(status_code=status, headers={"Content-Type": kind})


def test_an_answer_in_one_piece_is_read_and_releases_its_slot() -> None:
    begun = Begun()
    assert isinstance(begun.steps.send(_response(JSON)), ReadAll)
    answer = begun.end(b'{"usage": {"completion_tokens": 4}}')
    assert isinstance(answer, Whole)
    assert (begun.running, begun.call.status) == (0, Status.ENDED)


def test_a_stream_keeps_its_slot_until_the_first_of_its_ends() -> None:
    begun = Begun()
    assert isinstance(begun.steps.send(_response(SSE)), ReadFirst)
    answer = begun.end(b"data: {}\n\n")
    assert isinstance(answer, Streamed)
    assert begun.running == 1
    answer.live.closed()
    answer.live.broke(ConnectionError())
    answer.live.complete()
    assert begun.running == 0
    assert begun.scheduler.given_up == 0


@pytest.mark.parametrize("kind", [SSE, JSON])
def test_what_breaks_before_anything_was_handed_out_is_sent_elsewhere(kind: str) -> None:
    begun = Begun()
    first = begun.call.endpoint
    begun.steps.send(_response(kind))
    assert isinstance(begun.steps.throw(ConnectionError("cut")), Hear)
    begun.hear()
    assert begun.call.endpoint != first
    assert begun.running == 1


def test_a_stream_that_ends_before_its_first_event_is_sent_elsewhere() -> None:
    begun = Begun()
    begun.steps.send(_response(SSE))
    assert isinstance(begun.steps.send(b""), Hear)
    begun.hear()
    assert begun.call.failures[0][1].reason.endswith("before its first event")


def test_the_last_refusal_is_the_answer_when_attempts_are_used_up() -> None:
    begun = Begun(attempts=1)
    assert isinstance(begun.steps.send(_response(JSON, status=503)), ReadAll)
    assert isinstance(begun.steps.send(b"busy"), Hear)
    answer = begun.end(begun.mailbox.get(20.0))
    assert isinstance(answer, Whole)
    assert answer.body == b"busy"
    assert begun.running == 0


def test_without_any_answer_it_gives_up() -> None:
    begun = Begun(attempts=1)
    assert isinstance(begun.steps.throw(ConnectionRefusedError()), Hear)
    assert isinstance(begun.end(begun.mailbox.get(20.0)), GiveUp)


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, ValueError])
@pytest.mark.parametrize("step", ["send", "read"])
def test_what_no_endpoint_can_help_passes_and_releases_the_slot(step: str, error: type[BaseException]) -> None:
    begun = Begun()
    if step == "read":
        begun.steps.send(_response(SSE))
    with pytest.raises(error):
        begun.steps.throw(error())
    assert (begun.running, begun.call.status) == (0, Status.ENDED)
    assert begun.scheduler.retries == 0


def test_a_cancel_while_it_waits_leaves_nothing_behind() -> None:
    scheduler = Scheduler(["a"], capacity=1)
    board = Board(scheduler)
    holder = Call()
    board.submit(holder, ThreadMailbox())
    steps = exchange(board, Call(), ThreadMailbox())
    next(steps)
    assert scheduler.waiting == 1
    with pytest.raises(asyncio.CancelledError):
        steps.throw(asyncio.CancelledError())
    assert (scheduler.waiting, scheduler.fleet.running) == (0, 1)
    assert len(board._mailboxes) == 1
