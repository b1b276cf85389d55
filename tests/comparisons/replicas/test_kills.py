"""Servers that are killed while requests are under way."""

from __future__ import annotations

import asyncio

import pytest

from alto_lg.comparisons.applications import load_application
from alto_lg.comparisons.replicas.faults import kill_under_load, main


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Node .* held the event loop")  # three servers and a busy machine's other work may
@pytest.mark.parametrize("version", ["flat", "streaming"])
def test_nothing_is_lost_and_nothing_is_there_twice(version: str) -> None:
    """Answers that broke off when part of them was read are made again by LangGraph's own retry policy."""
    application = load_application("factool")
    requests = application.workload(corpus=None, questions=None)[:4]
    kills = kill_under_load(
        application, version, requests, kills=2, replicas=3, at_once=4, time_scale=0.1, node_retries=True
    )
    counts = asyncio.run(kills)
    assert counts.kills == 2
    assert counts.retried > 0
    assert counts.ended == counts.requests, str(counts)


def test_what_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replicas", "1"]) == 2
    assert main(["--versions", "none"]) == 2
    told = capsys.readouterr().err
    assert "--replicas at least 2" in told and "'none' is none of flat" in told
