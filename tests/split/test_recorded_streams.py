"""Streams of model servers, cut at every byte, through the real client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from alto_lg import split
from split.cutting import Outcome
from split.recorded import BROKEN, WHOLE, Recording, Server

EVERY = pytest.mark.parametrize("recording", (*WHOLE, *BROKEN), ids=lambda recording: recording.name)
GOOD = pytest.mark.parametrize("recording", WHOLE, ids=lambda recording: recording.name)
BAD = pytest.mark.parametrize("recording", BROKEN, ids=lambda recording: recording.name)
STEP = 5
"""Without --release, each fifth byte is enough; each recording begins at another one."""


def _outcome(server: Server, recording: Recording, pieces: Iterable[bytes]) -> Outcome:
    items: list[Any] = []
    try:
        for item in recording.splitter(server.stream(recording, pieces), **recording.options):
            items.append(item)  # what came before an error counts
    except split.SplitError as error:
        return Outcome(items, (type(error), str(error)))
    return Outcome(items, None)


async def _async_outcome(server: Server, recording: Recording, pieces: Iterable[bytes]) -> Outcome:
    items: list[Any] = []
    try:
        async for item in recording.splitter(await server.async_stream(recording, pieces), **recording.options):
            items.append(item)
    except split.SplitError as error:
        return Outcome(items, (type(error), str(error)))
    return Outcome(items, None)


def _cuts(recording: Recording, release: bool) -> range:
    return range(len(recording.body) + 1) if release else range(len(recording.name) % STEP, len(recording.body), STEP)


@EVERY
def test_a_recording_gives_its_items_and_its_error(recording: Recording) -> None:
    server = Server()
    found = _outcome(server, recording, [recording.body])
    assert found.items == recording.items
    assert (found.error and found.error[0]) == recording.error
    assert server.body.is_closed
    assert asyncio.run(_async_outcome(server, recording, [recording.body])) == found
    assert server.body.is_closed


@EVERY
def test_a_body_that_comes_byte_by_byte_is_the_same(recording: Recording) -> None:
    body, server = recording.body, Server()
    single = [body[at : at + 1] for at in range(len(body))]
    assert _outcome(server, recording, single) == _outcome(server, recording, [body])
    assert asyncio.run(_async_outcome(server, recording, single)) == _outcome(server, recording, [body])


@EVERY
def test_a_body_that_comes_in_two_pieces_is_the_same(recording: Recording, release: bool) -> None:
    body, server = recording.body, Server()
    whole = _outcome(server, recording, [body])
    for at in _cuts(recording, release):
        assert _outcome(server, recording, [body[:at], body[at:]]) == whole, f"cut at byte {at}"


@GOOD
def test_a_body_that_ends_early_is_whole_or_an_error(recording: Recording, release: bool) -> None:
    """Whole from the event with the reason on: what comes behind it adds nothing."""
    body, server = recording.body, Server()
    reason = b"response.completed" if recording.name.startswith("responses") else b'finish_reason":"'
    whole_from = body.index(b"\n", body.rindex(reason)) + 1
    for at in _cuts(recording, release):
        found = _outcome(server, recording, [body[:at]])
        assert found.items == recording.items[: len(found.items)]
        if at < whole_from:
            assert found.error is not None, f"ended at byte {at}"
            assert found.error[0] is split.BrokenStream
        elif at > whole_from + 3:
            assert (found.items, found.error) == (recording.items, None), f"ended at byte {at}"


@BAD
def test_a_broken_body_that_ends_early_is_an_error(recording: Recording, release: bool) -> None:
    body, server = recording.body, Server()
    for at in _cuts(recording, release):
        found = _outcome(server, recording, [body[:at]])
        assert found.items == recording.items[: len(found.items)]
        assert found.error is not None, f"ended at byte {at}"


def test_an_answer_that_was_cut_by_length_is_accepted_by_name() -> None:
    recording = next(one for one in BROKEN if one.name == "broken_length")
    stream = Server().stream(recording, [recording.body])
    assert list(split.lines(stream, accept=("length",))) == ["One.", "Two"]


def test_a_missing_reason_is_accepted_by_name() -> None:
    recording = next(one for one in BROKEN if one.name == "broken_no_reason")
    stream = Server().stream(recording, [recording.body])
    assert list(split.lines(stream, accept=("missing",))) == ["One.", "Two"]


MESSAGES = {
    "broken_no_reason": (
        "The stream of model 'gpt-4o-mini' at http://model.test/v1/chat/completions: the stream ended without a finish "
        "reason, after 8 characters of text. What was given so far may be cut in the middle; ask again."
    ),
    "broken_error_object": (
        "The stream of model 'qwen3-8b' at http://model.test/v1/chat/completions: the server sent an error in "
        "mid-stream: 'engine died', after 8 characters of text. What was given so far may be cut in the middle; "
        "ask again."
    ),
    "broken_html": (
        "The stream of a model at http://model.test/v1/chat/completions: there was no event in the stream (content "
        "type 'text/html'), after 0 characters of text. Is this address a chat endpoint that can stream (the path "
        "usually ends in /v1)?"
    ),
    "broken_length": (
        "The stream of model 'gpt-4o-mini' at http://model.test/v1/chat/completions: the answer was stopped before its "
        "end (finish reason 'length'), after 8 characters of text. Allow more tokens (max_tokens), or pass "
        "accept=('length',) if an unfinished answer will do."
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_an_error_says_which_stream_how_much_came_and_what_to_do(name: str) -> None:
    recording = next(one for one in BROKEN if one.name == name)
    found = _outcome(Server(), recording, [recording.body])
    assert found.error is not None
    assert found.error[1] == MESSAGES[name]


def test_the_cause_of_a_break_is_the_error_of_the_client() -> None:
    recording = next(one for one in BROKEN if one.name == "broken_error_event")
    with pytest.raises(split.BrokenStream, match="engine died") as broken:
        list(split.lines(Server().stream(recording, [recording.body])))
    assert type(broken.value.__cause__).__name__ == "APIError"
    assert broken.value.chars == 8
