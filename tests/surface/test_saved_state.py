"""What a thread remembers: its state, its subgraphs' states, its history, and how it is changed by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from dropin import compare
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START
from langgraph.types import StateUpdate, interrupt

from surface.bench import UNEVEN_LOG, Bench, thread, uneven


def _ran(bench: Bench, given: Any = None, **settings: Any) -> Any:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.invoke(app, given or {"log": []}, thread(), **settings)
    return app


def test_the_state_after_a_run(bench: Bench) -> None:
    app = _ran(bench)
    bench.assert_started_early(app)
    state = bench.state(app, thread())
    assert state.values == {"log": UNEVEN_LOG}
    assert state.next == ()
    assert state.tasks == ()
    assert state.metadata == {"source": "loop", "step": 3, "parents": {}}
    assert state.parent_config is not None
    assert state.created_at is not None


def test_the_state_of_a_thread_that_never_ran_is_empty(bench: Bench) -> None:
    state = bench.state(bench.app(uneven(bench), checkpointer=InMemorySaver()), thread("new"))
    assert state.values == {}
    assert state.next == ()


def test_every_step_is_in_the_history_newest_first(bench: Bench) -> None:
    history = bench.history(_ran(bench), thread())
    assert [state.values["log"] for state in history] == [UNEVEN_LOG, UNEVEN_LOG[:3], UNEVEN_LOG[:2], [], []]
    assert [state.next for state in history] == [(), ("last",), ("after",), ("fast", "slow"), ("__start__",)]
    assert [state.metadata["step"] for state in history] == [3, 2, 1, 0, -1]
    assert [state.metadata["source"] for state in history] == ["loop"] * 4 + ["input"]
    for newer, older in pairwise(history):
        assert newer.parent_config == older.config


def test_each_task_of_the_history_has_its_result(bench: Bench) -> None:
    history = bench.history(_ran(bench, durability="async"), thread())
    results = {task.name: task.result for state in history for task in state.tasks}
    assert results["after"] == {"log": ["after"]}
    assert results["slow"] == {"log": ["slow"]}
    assert results["last"] == {"log": ["last"]}


def test_the_history_can_be_limited_filtered_and_begun_later(bench: Bench) -> None:
    app = _ran(bench)
    whole = bench.history(app, thread())
    assert bench.history(app, thread(), limit=2) == whole[:2]
    assert bench.history(app, thread(), before=whole[1].config) == whole[2:]
    assert bench.history(app, thread(), before=whole[1].config, limit=1) == whole[2:3]
    assert bench.history(app, thread(), filter={"step": 2}) == whole[1:2]
    assert bench.history(app, thread(), filter={"source": "input"}) == whole[-1:]


def test_a_saved_step_can_be_asked_for_by_its_id(bench: Bench) -> None:
    app = _ran(bench)
    for state in bench.history(app, thread()):
        assert bench.state(app, state.config) == state


def test_a_second_run_continues_the_thread(bench: Bench) -> None:
    app = _ran(bench)
    assert bench.invoke(app, {"log": ["again"]}, thread()) == {"log": [*UNEVEN_LOG, "again", *UNEVEN_LOG]}
    bench.assert_started_early(app)
    assert [state.metadata["step"] for state in bench.history(app, thread())] == [8, 7, 6, 5, 4, 3, 2, 1, 0, -1]


def test_an_update_counts_as_the_node_that_ran_last(bench: Bench) -> None:
    app = _ran(bench)
    bench.update(app, thread(), {"log": ["by hand"]})
    state = bench.state(app, thread())
    assert state.values == {"log": [*UNEVEN_LOG, "by hand"]}
    assert state.next == ()
    assert state.metadata == {"source": "update", "step": 4, "parents": {}}


def test_an_update_as_a_node_leads_on_to_what_follows_it(bench: Bench) -> None:
    app = _ran(bench)
    bench.update(app, thread(), {"log": ["by hand"]}, as_node="fast")
    assert bench.state(app, thread()).next == ("after",)
    assert bench.invoke(app, None, thread()) == {"log": [*UNEVEN_LOG, "by hand", "after", "last"]}


def test_an_update_as_the_input_begins_a_run_that_overlaps(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    bench.update(app, thread(), {"log": ["by hand"]}, as_node=START)
    assert bench.state(app, thread()).next == ("fast", "slow")
    assert bench.invoke(app, None, thread()) == {"log": ["by hand", *UNEVEN_LOG]}
    bench.assert_started_early(app)


def test_an_update_as_the_end_finishes_the_run(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver(), interrupt_before=["after"])
    bench.overlapping = False
    bench.invoke(app, {"log": []}, thread())
    bench.update(app, thread(), None, as_node=END)
    assert bench.state(app, thread()).next == ()
    assert bench.state(app, thread()).values == {"log": UNEVEN_LOG[:2]}


def test_an_update_as_an_unknown_node_is_refused(bench: Bench) -> None:
    app = _ran(bench)
    with pytest.raises(InvalidUpdateError, match="Node nobody does not exist"):
        bench.update(app, thread(), {"log": ["by hand"]}, as_node="nobody")


def test_an_update_that_could_be_of_two_nodes_is_refused(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver(), interrupt_before=["after"])
    bench.overlapping = False
    bench.invoke(app, {"log": []}, thread())
    with pytest.raises(InvalidUpdateError, match="Ambiguous update, specify as_node"):
        bench.update(app, thread(), {"log": ["by hand"]})


def test_several_updates_make_one_step_each(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    supersteps = [
        [StateUpdate({"log": ["given"]}, START)],
        [StateUpdate({"log": ["by hand"]}, "slow"), StateUpdate({"log": ["also"]}, "fast")],
    ]
    bench.bulk_update(app, thread(), supersteps)
    state = bench.state(app, thread())
    assert state.values == {"log": ["given", "by hand", "also"]}
    assert state.next == ("after",)
    assert [saved.metadata["step"] for saved in bench.history(app, thread())] == [1, 0]
    assert bench.invoke(app, None, thread())["log"][-2:] == ["after", "last"]


def test_updates_without_a_step_are_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="No supersteps provided"):
        bench.bulk_update(_ran(bench), thread(), [])


def _with_subgraph(bench: Bench) -> Builder:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name?")]}

    inner = connect(add_all(Log, {"one": bench.say("one"), "ask": ask}), (START, "one"), ("one", "ask"))
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")})
    builder.add_node("inner", inner.compile())
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"))


def test_the_state_of_a_stopped_subgraph_is_inside_its_task(bench: Bench) -> None:
    app = bench.app(_with_subgraph(bench), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread())
    bench.assert_started_early(app)
    shallow, deep = bench.state(app, thread()), bench.state(app, thread(), subgraphs=True)
    assert shallow.next == deep.next == ("inner",)
    inside = deep.tasks[0].state
    assert inside.values == {"log": ["fast", "slow", "after", "one"]}
    assert inside.next == ("ask",)
    assert inside == bench.state(app, shallow.tasks[0].state)
    assert [one.value for one in deep.interrupts] == ["name?"]


def test_a_stopped_subgraph_can_be_updated_in_its_namespace(bench: Bench) -> None:
    app = bench.app(_with_subgraph(bench), checkpointer=InMemorySaver())
    bench.invoke(app, {"log": []}, thread())
    place = bench.state(app, thread()).tasks[0].state
    bench.update(app, place, {"log": ["by hand"]}, as_node="ask")
    found = bench.invoke(app, None, thread())
    assert found == {"log": ["fast", "slow", "after", "fast", "slow", "after", "one", "by hand"]}


def test_a_subgraphs_history_is_kept_in_its_namespace(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        app = side.app(_with_subgraph(side), checkpointer=InMemorySaver())
        side.invoke(app, {"log": []}, thread())
        place = side.state(app, thread()).tasks[0].state
        found.append(compare.history(side.history(app, place)))
    assert found[0] == found[1]
    assert [state["next"] for state in found[0]] == [("ask",), ("one",), ("__start__",)]
