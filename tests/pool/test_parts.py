"""The pure parts of the pool: what requests and answers say, what failures mean, who ranks where."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg.adapters.pool.answers import AnswerSoFar
from alto_lg.adapters.pool.failures import failure_of_exception, failure_of_status, retry_after_s
from alto_lg.adapters.pool.prompts import parsed, prompt_of
from alto_lg.adapters.pool.ranks import Ranks
from alto_lg.engine.ancestry import Ancestry

SYSTEM = {"role": "system", "content": "Be brief. " * 100}
STREAM = (
    b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n'
    b'data: {"choices": [{"delta": {"content": "\\"completion_tokens\\": 99 and [DONE?]"}}]}\n\n'
    b'data: {"choices": [{"delta": {"content": "b"}}]}\n\n'
    b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
)
USAGE = (
    b'data: {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 7, '
    b'"prompt_tokens_details": {"cached_tokens": 32}}}\n\n'
)
DONE = b"data: [DONE]\n\n"


def _chat(*contents: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [SYSTEM, *({"role": "user", "content": text} for text in contents)], **more}


def test_a_conversation_begins_like_its_continuation() -> None:
    short, longer = prompt_of(_chat("a" * 600), None), prompt_of(_chat("a" * 600, "b" * 600), None)
    assert longer.blocks[: len(short.blocks)] == short.blocks
    assert len(longer.blocks) > len(short.blocks) > 4


@pytest.mark.parametrize(
    "other", [{**_chat("a"), "model": "n"}, {**_chat("a"), "tools": [{"type": "function"}]}, {"model": "m"}]
)
def test_another_model_and_other_tools_are_another_beginning(other: dict[str, Any]) -> None:
    assert prompt_of(other, None).blocks[:1] != prompt_of(_chat("a"), None).blocks[:1]


@pytest.mark.parametrize("key", ["prompt", "input", "instructions"])
def test_prompts_of_other_interfaces_are_read_as_well(key: str) -> None:
    assert len(prompt_of({"model": "m", key: "word " * 200}, None).blocks) == 3
    assert prompt_of({"model": "m", key: ["word " * 200]}, None).tokens == 250


def test_images_and_calls_are_part_of_the_prompt() -> None:
    image = [{"type": "image_url", "image_url": {"url": "data:" + "x" * 400}}]
    with_image = {"model": "m", "messages": [{"role": "user", "content": image}]}
    assert prompt_of(with_image, None).tokens > 100


def test_a_kind_of_prompt_is_its_node_and_its_beginning_then_its_node_then_its_model() -> None:
    prompt = prompt_of(_chat("a"), "extract")
    assert prompt.templates == (("m", "extract", prompt.blocks[0]), ("m", "extract"), ("m",))
    assert prompt_of({"model": "m", "prompt": "short"}, None).templates == (("m",),)


@pytest.mark.parametrize(
    ("limits", "tokens"),
    [({}, None), ({"max_tokens": 9}, 9), ({"max_completion_tokens": 5, "n": 3}, 15), ({"max_tokens": "many"}, None)],
)
def test_limits_of_an_answer_are_read(limits: dict[str, Any], tokens: int | None) -> None:
    assert prompt_of(_chat("a", **limits), None).tokens_max == tokens


@given(st.binary() | st.sampled_from([b"[]", b"null", b'"a"', b'{"messages": 3}', b'{"messages": [1, null]}']))
def test_no_body_is_refused(body: bytes) -> None:
    prompt_of(parsed(body), None)


@given(st.lists(st.integers(0, len(STREAM + USAGE + DONE))), st.booleans())
def test_a_stream_cut_anywhere_tells_the_same(cuts: list[int], has_usage: bool) -> None:
    text = STREAM + (USAGE if has_usage else b"") + DONE
    places = [0, *sorted(cuts), len(text)]
    answer = AnswerSoFar(is_stream=True)
    for start, end in pairwise(places):
        answer.add(text[start:end])
        assert answer.is_whole == (b"[DONE]" in text[:end])
    if has_usage:
        assert (answer.completion_tokens, answer.prompt_tokens, answer.cached_tokens) == (7, 40, 32)
    else:
        assert answer.completion_tokens == 2


@given(st.integers(0, len(STREAM)))
def test_a_stream_that_is_not_whole_tells_no_length(end: int) -> None:
    answer = AnswerSoFar(is_stream=True)
    answer.add(STREAM[:end])
    assert answer.completion_tokens is None


def test_an_answer_in_one_piece_tells_the_servers_count_or_none() -> None:
    answer = AnswerSoFar(is_stream=False)
    answer.add(
        b'{"choices": [{"message": {"content": "\\"completion_tokens\\": 99"}}], "usage": {"completion_tokens":3}}'
    )
    assert answer.completion_tokens == 3
    assert AnswerSoFar(is_stream=False).completion_tokens is None


NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 GMT"}, 0.0),
        ({"retry-after": "1e99"}, 3600.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_retry_after_is_read_in_every_form_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(text: str) -> None:
    found = retry_after_s({"retry-after": text}, NOW)
    assert found is None or 0 <= found <= 3600


@pytest.mark.parametrize(
    ("status", "headers", "is_retried", "counts"),
    [
        (400, {}, False, False),
        (401, {}, False, False),
        (404, {}, False, False),
        (408, {}, True, False),
        (429, {}, True, False),
        (500, {}, True, True),
        (503, {}, True, True),
        (503, {"x-should-retry": "false"}, False, True),
        (400, {"x-should-retry": "true"}, True, False),
    ],
)
def test_what_a_status_means(status: int, headers: dict[str, str], is_retried: bool, counts: bool) -> None:
    failure = failure_of_status(status, headers, NOW)
    assert failure is not None
    assert (failure.retry, failure.counts, failure.rate_limited) == (is_retried, counts, status == 429)
    assert failure_of_status(200, {"retry-after": "3"}, NOW) is None


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_exceptions_of_both_http_libraries_are_told_apart(library: Any) -> None:
    theirs = [library.ConnectError, library.ReadError, library.RemoteProtocolError, library.ReadTimeout]
    ours = [library.PoolTimeout, library.UnsupportedProtocol, library.LocalProtocolError, library.InvalidURL]
    assert all(failure_of_exception(kind("why")) for kind in theirs)
    assert not any(failure_of_exception(kind("why")) for kind in ours)
    assert failure_of_exception(KeyboardInterrupt()) is failure_of_exception(ValueError()) is None


def test_requests_rank_by_their_first_call_and_firings_by_their_commit() -> None:
    ranks = Ranks()
    first, second = Ancestry.request(), Ancestry.request()
    early, late = first.triggered("a", 1), first.triggered("b", 2)
    begun = ranks.rank(first.triggered("z", 0), 100.0)
    other = ranks.rank(second.triggered("a", 0), 101.0)
    alone = ranks.rank(None, 102.0)
    packets = [ranks.rank(early.sent("p", 2, index, run=first), 103.0) for index in (1, 0)]
    found = [alone, other, *packets, ranks.rank(late, 103.0), ranks.rank(early, 104.0), begun]
    expected = [begun, found[-2], found[-3], packets[1], packets[0], other, alone]
    assert sorted(found, key=lambda rank: rank.order) == expected
    assert [rank.priority for rank in expected] == sorted(rank.priority for rank in expected)


def test_requests_that_are_equal_are_not_the_same() -> None:
    ranks = Ranks()
    one, other = (ranks.rank(Ancestry.request().triggered("a", 0), 1.0) for _ in range(2))
    assert one.order < other.order
