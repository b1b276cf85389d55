"""The settings of `stream` beside the mode: what is printed, which keys, whose events, by default and by mistake."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from typing_extensions import TypedDict

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


class Two(TypedDict):
    log: Annotated[list[str], operator.add]
    total: Annotated[int, operator.add]


def _two_keys(bench: Bench) -> Builder:
    """The uneven graph with a second key."""

    def count(state: Two) -> dict[str, Any]:
        bench.overtaken.set()
        return {"total": 10}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.say("after"), "count": count}
    return connect(add_all(Two, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "count"))


def test_print_mode_prints_and_changes_nothing(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    app = bench.app(uneven(bench))
    events = bench.stream(app, {"log": []}, stream_mode="values", print_mode=["updates", "values"])
    bench.assert_started_early(app)
    said = capsys.readouterr().out
    assert [event["log"] for event in events] == [[], UNEVEN_LOG[:2], UNEVEN_LOG[:3], UNEVEN_LOG]
    assert said.count("[updates]") == 4
    assert said.count("[values]") == 4
    assert said.index("'after'") > said.index("'slow'")


def test_print_mode_of_invoke_gives_the_answer_alone(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    app = bench.app(uneven(bench))
    assert bench.invoke(app, {"log": []}, print_mode="updates") == {"log": UNEVEN_LOG}
    assert capsys.readouterr().out.count("[updates]") == 4


def test_debug_prints_updates_and_values(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    app = bench.app(uneven(bench), debug=True)
    assert bench.invoke(app, {"log": []}) == {"log": UNEVEN_LOG}
    bench.assert_started_early(app)
    said = capsys.readouterr().out
    assert said.count("[updates]") == 4
    assert said.count("[values]") == 4


def test_one_output_key_gives_its_value_alone(bench: Bench) -> None:
    app = bench.app(_two_keys(bench))
    given = {"log": [], "total": 1}
    assert bench.stream(app, given, stream_mode="values", output_keys="total") == [1, 11]
    bench.assert_started_early(app)
    assert bench.invoke(app, given, output_keys="total") == 11


def test_a_list_of_output_keys_leaves_the_others_out(bench: Bench) -> None:
    app = bench.app(_two_keys(bench))
    given = {"log": [], "total": 1}
    updates = bench.stream(app, given, stream_mode="updates", output_keys=["total"])
    assert updates[-1] == {"count": {"total": 10}}
    assert [next(iter(update)) for update in updates][2:] == ["after", "count"]
    assert all(update[name] is None for update in updates[:-1] for name in update)
    bench.assert_started_early(app)
    assert bench.invoke(app, given, output_keys=["total"]) == {"total": 11}


def test_without_a_mode_a_graph_streams_updates(bench: Bench) -> None:
    events = bench.stream(bench.app(uneven(bench)), {"log": []})
    assert [next(iter(event)) for event in events][2:] == ["after", "last"]
    assert {name for event in events for name in event} == set(UNEVEN_LOG)


def test_the_mode_that_a_graph_was_given_is_its_own(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    app.stream_mode = "values"
    assert [event["log"] for event in bench.stream(app, {"log": []})][-1] == UNEVEN_LOG
    bench.assert_started_early(app)


def test_a_stream_closed_by_its_reader_ends_the_run(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.overlapping = bench.colour == "async"  # a thread cannot be stopped: the slow node would wait in vain

    async def first_event() -> Any:
        events = app.astream({"log": []}, thread(), stream_mode="updates")
        async for event in events:
            await events.aclose()
            return event

    def first_event_in_sync() -> Any:
        events = app.stream({"log": []}, thread(), stream_mode="updates")
        event = next(events)
        events.close()
        return event

    event = bench.call(first_event, first_event_in_sync)
    assert set(event) <= {"fast", "slow"}
    assert bench.state(app, thread()).metadata["step"] == 0
    assert bench.invoke(app, None, thread()) == {"log": UNEVEN_LOG}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_the_events_of_a_run_do_not_depend_on_how_it_is_saved(bench: Bench, durability: str) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.overlapping = durability != "sync"
    events = bench.stream(app, {"log": []}, thread(), stream_mode="values", durability=durability)
    assert [event["log"] for event in events] == [[], UNEVEN_LOG[:2], UNEVEN_LOG[:3], UNEVEN_LOG]
    bench.assert_started_early(app)
