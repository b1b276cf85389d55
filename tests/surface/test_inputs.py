"""What a run may be given, and what LangGraph says to what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, Node, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyInputError
from langgraph.graph import START
from langgraph.types import Command

from surface.bench import UNEVEN_LOG, Bench, thread, uneven

NEVER_SAVED = {"configurable": {"thread_id": "1", "checkpoint_id": "1ef4f797-8335-6428-8001-8a1503f9b875"}}


@pytest.mark.parametrize("given", [{}, {"log": []}, {"unknown": 1, "log": []}], ids=["empty", "key", "unknown"])
def test_a_run_begins_with_whatever_keys_it_is_given(bench: Bench, given: Any) -> None:
    app = bench.app(uneven(bench))
    assert bench.invoke(app, given) == {"log": UNEVEN_LOG}
    bench.assert_started_early(app)


def test_the_input_is_left_as_it_was(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    given = {"log": ["given"]}
    bench.invoke(app, given, thread())
    bench.assert_started_early(app)
    assert given == {"log": ["given"]}


def test_nothing_to_begin_with_is_refused(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    with pytest.raises(EmptyInputError, match="Received no input for __start__"):
        bench.invoke(app, None)


def test_a_saver_needs_to_know_the_thread(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="thread_id, checkpoint_ns, checkpoint_id"):
        bench.invoke(app, {"log": []})


def test_the_memory_of_a_parent_needs_a_parent(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=True)
    with pytest.raises(RuntimeError, match="checkpointer=True cannot be used for root graphs"):
        bench.invoke(app, {"log": []}, thread())


@pytest.mark.parametrize("given", [{"log": []}, Command(resume="Ann")], ids=["input", "answer"])
def test_a_step_that_was_never_saved_is_a_new_beginning(bench: Bench, given: Any) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    assert bench.invoke(app, given, NEVER_SAVED) == {"log": UNEVEN_LOG}
    bench.assert_started_early(app)


def test_names_in_any_script_are_put_in_langgraphs_order(bench: Bench) -> None:
    names = ["b10", "b9", "B", "_x", "é", "ß"]
    nodes: dict[str, Node] = {name: bench.say(name) for name in names}
    builder: Builder = add_all(Log, {**nodes, "slow": bench.slow(), "z": bench.overtakes("z")})
    connect(builder, (START, "slow"), ("b9", "z"), *((START, name) for name in names))
    app = bench.app(builder)
    assert bench.invoke(app, {"log": []})["log"] == ["B", "_x", "b10", "b9", "slow", "ß", "é", "z"]
    bench.assert_started_early(app)


def test_a_graph_may_run_itself(bench: Bench) -> None:
    app: Any = None

    async def again(state: Log) -> dict[str, Any]:
        if len(state["log"]) >= 3:
            return {"log": ["enough"]}
        return {"log": [f"ran {len((await app.ainvoke({'log': ['once']}))['log'])}"]}

    def again_in_sync(state: Log) -> dict[str, Any]:
        if len(state["log"]) >= 3:
            return {"log": ["enough"]}
        return {"log": [f"ran {len(app.invoke({'log': ['once']})['log'])}"]}

    node = again if bench.colour == "async" else again_in_sync
    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "again": node}
    app = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "again")))
    assert bench.invoke(app, {"log": []}) == {"log": ["fast", "slow", "ran 4"]}
