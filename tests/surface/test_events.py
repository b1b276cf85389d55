"""`astream_events` in versions 1 and 2: the same events for nodes that start early, with parents, tags and metadata."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from sim.loop import run

from surface.bench import Bench
from surface.talkative import talkative

LIVE = ("on_chain_stream", "on_chat_model_stream")

pytestmark = pytest.mark.filterwarnings("ignore:astream_events version='v1'")

versions = pytest.mark.parametrize("version", ["v1", "v2"])


def _bench(impl: Implementation) -> Bench:
    return Bench(impl, "async", is_ours=impl is not plain_langgraph)


def _events(impl: Implementation, version: str, **settings: Any) -> list[dict[str, Any]]:
    bench = _bench(impl)
    app = bench.app(talkative(bench), name="talkative")

    async def main() -> list[dict[str, Any]]:
        return [event async for event in app.astream_events({"log": []}, version=version, **settings)]

    found = run(main).result
    bench.assert_started_early(app)
    return found


def _shape(event: dict[str, Any], names: dict[str, str]) -> tuple[Any, ...]:
    """An event without ids, with the names of its parents."""
    about = event["metadata"]
    parents = tuple(names[parent] for parent in event.get("parent_ids", ()))
    place = (about.get("langgraph_node"), about.get("langgraph_step"), str(about.get("langgraph_triggers")))
    return event["event"], event["name"], tuple(sorted(event["tags"])), parents, place


def _described(events: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    names = {event["run_id"]: event["name"] for event in events}
    return Counter(_shape(event, names) for event in events)


@versions
def test_the_events_are_the_same(impl: Implementation, version: str) -> None:
    found, wanted = _events(impl, version), _events(plain_langgraph, version)
    assert _described(found) == _described(wanted)


@versions
def test_each_run_starts_once_streams_and_ends_once(impl: Implementation, version: str) -> None:
    by_run: defaultdict[str, list[str]] = defaultdict(list)
    for event in _events(impl, version):
        by_run[event["run_id"]].append(event["event"])
    for happened in by_run.values():
        assert happened[0].endswith("_start")
        assert happened[-1].endswith("_end")
        assert all(event in LIVE for event in happened[1:-1])


@versions
def test_a_nodes_events_say_its_input_and_its_output(impl: Implementation, version: str) -> None:
    events = [event for event in _events(impl, version) if event["name"] == "after"]
    start, end = events[0], events[-1]
    if version == "v2":
        # Its value is LangGraph's only as far as the node reads it, and this node reads nothing.
        assert set(start["data"]["input"]) == {"log"}
    assert end["data"]["output"] == {"log": ["after speaks"]}
    assert end["metadata"]["langgraph_step"] == 2


@versions
def test_events_can_be_chosen_by_name_and_kind(impl: Implementation, version: str) -> None:
    models = _events(impl, version, include_types=["chat_model"])
    assert {event["event"].rsplit("_", 1)[0] for event in models} == {"on_chat_model"}
    assert Counter(event["metadata"]["langgraph_node"] for event in models if event["event"].endswith("_end")) == {
        "fast": 1,
        "after": 1,
        "two": 1,
    }
    named = _events(impl, version, include_names=["slow"])
    assert {event["name"] for event in named} == {"slow"}


@versions
def test_settings_of_the_run_reach_it_through_the_events(impl: Implementation, version: str) -> None:
    events = _events(impl, version, stream_mode="custom")
    root = [event for event in events if event["name"] == "talkative" and event["event"] == "on_chain_stream"]
    told = [event["data"]["chunk"] for event in root]
    assert [event["number"] for event in told if event["from"] == "after"] == [1, 2]


def test_a_closed_stream_of_events_leaves_nothing_behind(impl: Implementation) -> None:
    bench = _bench(impl)
    app = bench.app(talkative(bench))

    async def main() -> str:
        events = app.astream_events({"log": []}, version="v2")
        async for event in events:
            if event["event"] == "on_chat_model_start":
                await events.aclose()
                await asyncio.sleep(0)
                return str(event["metadata"]["langgraph_node"])
        return "none"

    assert run(main).result == "fast"
