"""Every stream mode, in both versions, alone and together, with and without the events of subgraphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from dropin import compare
from langgraph.checkpoint.memory import InMemorySaver

from surface.bench import Bench, thread
from surface.talkative import MODES, talkative

versions = pytest.mark.parametrize("version", ["v1", "v2"])
depths = pytest.mark.parametrize("subgraphs", [False, True], ids=["root", "subgraphs"])


def _run(bench: Bench, **settings: Any) -> list[Any]:
    app = bench.app(talkative(bench), checkpointer=InMemorySaver())
    events = bench.stream(app, {"log": []}, thread(), **settings)
    bench.assert_started_early(app)
    return events


def _as_triples(events: Iterable[Any], *, version: str, subgraphs: bool, mode: str | None) -> list[compare.Event]:
    """Namespace, mode and payload, whatever shape the settings gave the events."""
    if version == "v2":
        return [(tuple(part["ns"]), part["type"], part["data"]) for part in events]
    if subgraphs and mode is None:
        return list(events)
    if subgraphs:
        return [(namespace, str(mode), payload) for namespace, payload in events]
    if mode is None:
        return [((), name, payload) for name, payload in events]
    return [((), str(mode), payload) for payload in events]


@versions
@depths
@pytest.mark.parametrize("mode", MODES)
def test_one_mode_gives_the_same_events(
    bench: Bench, plain_bench: Bench, mode: str, version: str, subgraphs: bool
) -> None:
    settings = {"stream_mode": mode, "version": version, "subgraphs": subgraphs}
    found, wanted = (
        _as_triples(_run(side, **settings), version=version, subgraphs=subgraphs, mode=mode)
        for side in (bench, plain_bench)
    )
    assert found, "nothing was streamed"
    assert _comparable(found) == _comparable(wanted)


@versions
@depths
def test_all_modes_together_give_the_same_events(
    bench: Bench, plain_bench: Bench, version: str, subgraphs: bool
) -> None:
    settings = {"stream_mode": list(MODES), "version": version, "subgraphs": subgraphs}
    found, wanted = (
        _as_triples(_run(side, **settings), version=version, subgraphs=subgraphs, mode=None)
        for side in (bench, plain_bench)
    )
    assert {name for _, name, _ in found} == set(MODES)
    assert _comparable(found) == _comparable(wanted)


def test_a_list_of_one_mode_still_names_it(bench: Bench) -> None:
    app = bench.app(talkative(bench))
    events = bench.stream(app, {"log": []}, stream_mode=["updates"])
    assert {name for name, _ in events} == {"updates"}
    assert [next(iter(update)) for _, update in events][-2:] == ["after", "inner"]
    bench.assert_started_early(app)


def test_a_values_part_of_version_two_says_that_nothing_interrupted(bench: Bench) -> None:
    app = bench.app(talkative(bench))
    parts = bench.stream(app, {"log": []}, stream_mode="values", version="v2")
    assert [part["interrupts"] for part in parts] == [()] * 4
    assert [len(part["data"]["log"]) for part in parts] == [0, 2, 3, 8]


def _comparable(events: list[compare.Event]) -> Any:
    """Without ids; the events of `debug` and `tasks` within a step have no order of their own."""
    return compare.streams(events), compare.task_events(events)
