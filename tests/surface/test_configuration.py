"""What a caller binds to a graph or gives to one run: callbacks, tags, metadata, names and limits."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import START

from surface.bench import UNEVEN_LOG, Bench, thread, uneven
from surface.spans import Spans


def _telling(bench: Bench) -> Builder:
    """The node that starts early tells what its config holds."""

    def tell(state: Log, config: RunnableConfig) -> dict[str, Any]:
        bench.overtaken.set()
        about, mine = config["metadata"], config["configurable"]
        said = [
            f"tags {sorted(config.get('tags') or ())}",
            f"metadata {about.get('owner')} {about['langgraph_node']} {about['langgraph_step']}",
            f"limit {config.get('recursion_limit')}",
            f"mine {mine.get('mine')}",
            f"name {config.get('run_name')}",
        ]
        return {"log": said}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "tell": tell}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "tell"))


TOLD = ["tags ['bound']", "metadata Ann tell 2", "limit 7", "mine 4"]


def test_what_is_bound_reaches_a_node_that_starts_early(bench: Bench) -> None:
    config: Any = {
        "tags": ["bound"],
        "metadata": {"owner": "Ann"},
        "recursion_limit": 7,
        "configurable": {"mine": 4},
        "run_name": "my run",
    }
    bound = bench.app(_telling(bench)).with_config(config)
    log = bench.invoke(bound, {"log": []})["log"]
    bench.assert_started_early(bound)
    assert log[2:6] == TOLD
    given = bench.app(_telling(bench))
    assert bench.invoke(given, {"log": []}, config)["log"] == log


def test_what_a_run_is_given_is_added_to_what_is_bound(bench: Bench) -> None:
    app = bench.app(_telling(bench)).with_config(tags=["bound"], metadata={"owner": "Ann"}, configurable={"mine": 4})
    given: Any = {"tags": ["given"], "recursion_limit": 9, "metadata": {"owner": "Bo"}}
    log = bench.invoke(app, {"log": []}, given)["log"]
    bench.assert_started_early(app)
    assert log[2:6] == ["tags ['bound', 'given']", "metadata Bo tell 2", "limit 9", "mine 4"]


def test_callbacks_bound_and_given_both_hear_every_node(bench: Bench) -> None:
    bound, given = Spans(), Spans()
    app = bench.app(uneven(bench)).with_config(callbacks=[bound])
    assert bench.invoke(app, {"log": []}, {"callbacks": [given]}) == {"log": UNEVEN_LOG}
    bench.assert_started_early(app)
    for spans in (bound, given):
        assert sorted(span.name for span in spans.found.values() if span.node) == sorted(UNEVEN_LOG)
        assert spans.mistakes == spans.open_spans() == []


def test_the_name_and_the_id_of_a_run_are_its_root_spans(bench: Bench) -> None:
    spans, run_id = Spans(), uuid4()
    app = bench.app(uneven(bench), name="graph name")
    bench.invoke(app, {"log": []}, {"callbacks": [spans], "run_name": "my run", "run_id": run_id})
    assert spans.one("my run").run_id == run_id
    assert spans.one("my run").parent_id is None
    assert spans.named("graph name") == []
    bench.assert_started_early(app)


def test_without_a_run_name_the_root_span_has_the_name_of_the_graph(bench: Bench) -> None:
    spans = Spans()
    bench.invoke(bench.app(uneven(bench), name="graph name"), {"log": []}, {"callbacks": [spans]})
    assert spans.one("graph name").parent_id is None


@pytest.mark.parametrize("limit", [1, 2])
def test_the_limit_on_steps_holds_for_what_starts_early(bench: Bench, limit: int) -> None:
    ran: list[str] = []

    def mark(state: Log) -> dict[str, Any]:
        ran.append("last")
        return {"log": ["last"]}

    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "after": bench.say("after"), "last": mark}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))
    app = bench.app(builder, checkpointer=InMemorySaver())
    with pytest.raises(GraphRecursionError, match=f"Recursion limit of {limit} reached"):
        bench.invoke(app, {"log": []}, thread(recursion_limit=limit))
    assert ran == []
    assert bench.state(app, thread()).next == (("after",) if limit == 1 else ("last",))
    assert bench.invoke(app, None, thread()) == {"log": UNEVEN_LOG}
    assert ran == ["last"]


def test_exactly_enough_steps_are_enough(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    assert bench.invoke(app, {"log": []}, {"recursion_limit": 4}) == {"log": UNEVEN_LOG}
    bench.assert_started_early(app)
    with pytest.raises(GraphRecursionError, match="Recursion limit of 3 reached"):
        bench.invoke(app, {"log": []}, {"recursion_limit": 3})  # LangGraph counts the step in which nothing is left


@pytest.mark.parametrize("limit", [2, 3, 10])
def test_a_limit_on_nodes_at_once_changes_no_answer(bench: Bench, limit: int) -> None:
    app = bench.app(uneven(bench))
    bench.overlapping = bench.colour == "async" or limit > 2
    assert bench.invoke(app, {"log": []}, {"max_concurrency": limit}) == {"log": UNEVEN_LOG}
    bench.assert_started_early(app)


def test_binding_makes_another_graph_and_leaves_the_first_as_it_was(bench: Bench) -> None:
    app = bench.app(_telling(bench))
    bound = app.with_config(tags=["bound"])
    assert bound is not app
    assert type(bound) is type(app)
    assert app.config is None or "tags" not in app.config
    assert bench.invoke(app, {"log": []})["log"][2] == "tags []"
    assert bench.invoke(bound, {"log": []})["log"][2] == "tags ['bound']"


def test_binding_twice_adds_up(bench: Bench) -> None:
    app = bench.app(_telling(bench)).with_config(tags=["one"]).with_config(recursion_limit=7, metadata={"owner": "Bo"})
    log = bench.invoke(app, {"log": []})["log"]
    assert log[2:5] == ["tags ['one']", "metadata Bo tell 2", "limit 7"]
    bench.assert_started_early(app)
