"""A worker's side of the conversation, in this process."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from alto_lg.comparisons.worker import Worker, reason_of

BUILD = {
    "do": "build",
    "application": "tiny_app:TINY",
    "arm": {"name": "langgraph-flat", "version": "flat", "engine": "langgraph"},
    "base_url": "http://127.0.0.1:9/v1",
    "model": "none",
    "corpus": None,
    "questions": None,
    "timeout_s": 60,
    "items": None,
    "sync": False,
    "simulated": None,
}
WAITING = {**BUILD, "application": "tiny_app:WAITING", "timeout_s": 0.01}


def replies(*commands: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker answers, up to its end or its failure."""
    written = io.StringIO()
    read = io.StringIO("".join(json.dumps(command) + "\n" for command in commands))
    try:
        asyncio.run(Worker(written).serve(read))
    except Exception as error:
        assert json.loads(written.getvalue().splitlines()[-1]) == {"event": "failed", "error": reason_of(error)}
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_answered_by_its_measurement_and_then_done(tiny_path: None) -> None:
    built, measured, done = replies(BUILD, {"do": "run", "index": 1, "position": 5})
    assert built == {"event": "done", "requests": 4}
    assert (measured["request"], measured["position"]) == ("request-1", 5)
    assert measured["answer"] == {"lengths": [[0, 5], [1, 4], [2, 4]], "total": 13}
    assert (done["event"], done["cpu_s"], done["server"]) == ("done", measured["cpu_s"], None)


def test_a_trace_is_answered_by_one_measurement_a_request(tiny_path: None) -> None:
    arrivals = [{"index": at % 4, "position": at, "at_s": 0.001 * at} for at in range(8)]
    _, *measured, done = replies(BUILD, {"do": "trace", "arrivals": arrivals})
    assert sorted(one["position"] for one in measured) == list(range(8))
    assert all(one["cpu_s"] is None for one in measured)
    assert done["cpu_s"] > 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"do": "run", "index": 0, "position": 0}, "ValueError: nothing is built yet"),
        ({"do": "dance"}, "ValueError: unknown command 'dance'"),
    ],
)
def test_a_command_that_makes_no_sense_fails_with_the_reason(command: dict[str, Any], said: str) -> None:
    assert replies(command)[-1]["error"].startswith(said)


@pytest.mark.parametrize(
    "command",
    [
        {"do": "run", "index": 0, "position": 0},
        {"do": "trace", "arrivals": [{"index": 0, "position": 0, "at_s": 0.0}]},
    ],
)
def test_a_request_that_does_not_end_fails_with_its_name(tiny_path: None, command: dict[str, Any]) -> None:
    failed = replies(WAITING, command)[-1]
    assert failed["error"].startswith("TimeoutError: request request-0 had not ended after 0.01 s")
