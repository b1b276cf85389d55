"""Time travel: a run is gone on from any of its saved steps, unchanged or with another past."""

from __future__ import annotations

from typing import Any

import pytest
from dropin import compare
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, interrupt

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


def _history_of_a_run(bench: Bench, app: Any) -> list[Any]:
    bench.invoke(app, {"log": ["given"]}, thread())
    return bench.history(app, thread())


@pytest.mark.parametrize("place", range(5), ids=["end", "third", "second", "first", "input"])
def test_from_each_saved_step_a_replay_gives_the_same_answer(bench: Bench, place: int) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    history = _history_of_a_run(bench, app)
    bench.overlapping = place > 2  # the slow node has ended in the later ones
    assert bench.invoke(app, None, history[place].config) == {"log": ["given", *UNEVEN_LOG]}
    if place > 2:
        bench.assert_started_early(app)


@pytest.mark.parametrize("place", range(1, 5), ids=["third", "second", "first", "input"])
def test_a_replay_saves_and_streams_what_langgraph_does(bench: Bench, plain_bench: Bench, place: int) -> None:
    found = []
    for side in (bench, plain_bench):
        app = side.app(uneven(side), checkpointer=InMemorySaver())
        config = _history_of_a_run(side, app)[place].config
        side.overlapping = place > 2
        events = side.stream(app, None, config, stream_mode=["values", "updates", "debug"], subgraphs=True)
        found.append((compare.streams(events), compare.history(side.history(app, thread()))))
    assert found[0] == found[1]


def test_a_changed_past_gives_a_fork_that_overlaps(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    first = _history_of_a_run(bench, app)[3]
    assert first.next == ("fast", "slow")
    forked = bench.update(app, first.config, {"log": ["another past"]})
    assert bench.state(app, forked).metadata["source"] == "update"
    assert bench.state(app, forked).parent_config == first.config
    assert bench.invoke(app, None, forked) == {"log": ["given", "another past", *UNEVEN_LOG]}
    bench.assert_started_early(app)


def test_both_branches_of_a_fork_stay_in_the_history(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    history = _history_of_a_run(bench, app)
    forked = bench.update(app, history[1].config, {"log": ["another past"]}, as_node="after")
    bench.overlapping = False  # nothing is left to overtake
    after = bench.invoke(app, None, forked)
    assert after == {"log": ["given", *UNEVEN_LOG[:3], "another past", "last"]}
    whole = bench.history(app, thread())
    assert [state.metadata["source"] for state in whole] == ["loop", "update", *["loop"] * 4, "input"]
    assert whole[1].parent_config == history[1].config
    assert whole[2:] == history
    assert bench.state(app, history[0].config).values == {"log": ["given", *UNEVEN_LOG]}


def test_new_input_on_an_old_step_begins_from_its_values(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    second = _history_of_a_run(bench, app)[2]
    found = bench.invoke(app, {"log": ["again"]}, second.config)
    assert found == {"log": ["given", "fast", "slow", "again", *UNEVEN_LOG]}
    bench.assert_started_early(app)


def test_a_step_copied_by_hand_is_run_again(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    first = _history_of_a_run(bench, app)[3]
    copied = bench.update(app, first.config, None, as_node="__copy__")
    assert bench.state(app, copied).next == ("fast", "slow")
    assert bench.invoke(app, None, copied) == {"log": ["given", *UNEVEN_LOG]}
    bench.assert_started_early(app)


def _asking(bench: Bench, ran: list[str]) -> Builder:
    def ask(state: Log) -> dict[str, Any]:
        ran.append("ask")
        return {"log": [interrupt("name?")]}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after"), "ask": ask}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "ask"))
    return connect(builder.add_node("last", bench.say("last")), ("ask", "last"))


def test_an_answer_can_be_given_twice_from_the_past(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_asking(bench, ran), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread())
    bench.assert_started_early(app)
    asked = bench.state(app, thread())
    first = bench.invoke(app, Command(resume="Ann"), thread())
    assert first == {"log": ["fast", "slow", "after", "Ann", "last"]}
    again = bench.invoke(app, None, asked.config)
    assert [one.value for one in again["__interrupt__"]] == ["name?"]
    second = bench.invoke(app, Command(resume="Bo"), bench.state(app, thread()).config)
    assert second == {"log": ["fast", "slow", "after", "Bo", "last"]}
    assert ran == ["ask"] * 4


def test_a_replay_from_before_a_question_asks_again(bench: Bench) -> None:
    ran: list[str] = []
    app = bench.app(_asking(bench, ran), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread())
    bench.invoke(app, Command(resume="Ann"), thread())
    first = next(state for state in bench.history(app, thread()) if "fast" in state.next)
    again = bench.invoke(app, None, first.config)
    assert [one.value for one in again["__interrupt__"]] == ["name?"]
    bench.assert_started_early(app)
    assert bench.invoke(app, Command(resume="Bo"), thread()) == {"log": ["fast", "slow", "after", "Bo", "last"]}
